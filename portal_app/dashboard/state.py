"""The dashboard's state: a page of lines, the figures, and what is ticked."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

import reflex as rx

from portal_app import db
from portal_app.accounts import service as accounts
from portal_app.accounts.query import AccountQuery
from portal_app.auth import guard
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.billing import offers
from portal_app.dashboard import service
from portal_app.dashboard.rows import FigureRow, Line
from portal_app.errors import NotFound, PortalError
from portal_app.geometry import BarChart, LineChart
from portal_app.reports import usage
from portal_app.shell.state import NoticeState, enter, stay
from portal_app.shell.watching import keep_own_fresh

SUBSCRIBED_AT_ONCE = 500
MOST_TICKED = 1_000
# The charts wait until the browser has painted the first rows.
SECONDS_BEFORE_CHARTS = 0.1


@lru_cache(1_024)
def _hrefs(query: AccountQuery) -> dict[str, str]:
    """The page's address without one part of the question each; what is asked instead is written behind it."""
    plain = {"status": "", "backup": "", "billing": ""}
    links = {name: query.address(**{name: value}) for name, value in plain.items()}
    links |= {"sort": query.address(sort="name", descending=False), "page": query.address()}
    return {name: f"{href}&" if "?" in href else f"{href}?" for name, href in links.items()}


class ChartState(rx.State):
    """The charts, apart from the table: a click that changes the lines must not draw them anew."""

    backups: BarChart = BarChart()
    stored: LineChart = LineChart()
    billed: BarChart = BarChart()
    loading: bool = True

    _number: int = -1

    async def _show(self, actor: Actor, number: int) -> None:
        if self._number != number:
            found = await db.look(service.charts, actor)
            self._number = number
            # Most changes of accounts change no chart: what is the same is neither sent nor drawn again.
            for name in ("backups", "stored", "billed"):
                if self.get_value(name) != getattr(found, name):
                    setattr(self, name, getattr(found, name))
            self.loading = False


class DashboardState(rx.State):
    """Search, filters, order and page live in the address; this state is made from it at each load."""

    loading: bool = True
    lines: list[Line] = []
    count: str = ""
    total: int = 0
    matching: int = 0
    pages: int = 1
    page: int = 1
    size: int = 25
    search: str = ""
    status: str = ""
    backup: str = ""
    billing: str = ""
    sort: str = "name"
    descending: bool = False
    filtered: bool = False
    # What the browser's address becomes once the answer is painted, and how; empty where it says so already.
    address: str = ""
    entry: str = "replaceState"
    turn: bool = False
    hrefs: dict[str, str] = _hrefs(AccountQuery())
    status_figures: dict[str, FigureRow] = {}
    backup_figures: dict[str, FigureRow] = {}
    billing_figures: dict[str, FigureRow] = {}
    show_billing: bool = False
    may_add: bool = False
    may_open: bool = False
    may_subscribe: bool = False
    may_delete: bool = False
    may_export: bool = False

    ticked: list[int] = []
    all_ticked: bool = False
    plan: str = ""
    plan_count: str = ""
    subscribing: bool = False
    progress: str = ""
    price: str = ""
    reporting: str = ""
    deleting_id: int = 0
    deleting_name: str = ""
    deleting_email: str = ""
    typed_name: str = ""
    delete_error: str = ""
    deleting: bool = False

    _number: int = -1

    @rx.event
    @guard.requires(Permission.DASHBOARD_VIEW)
    async def load(self):
        """Show what the address asks for; the charts follow, then the page watches for changes."""
        actor = await enter(self)
        await self._answer(actor)
        yield
        charts = await self.get_state(ChartState)
        await asyncio.sleep(SECONDS_BEFORE_CHARTS if charts.loading else 0)
        await charts._show(actor, self._number)
        yield DashboardState.watch

    @rx.event
    @guard.requires(Permission.DASHBOARD_VIEW)
    async def back(self):
        """Show what the address asks for after Back or Forward changed it."""
        if self.router.url.path == "/":
            await self._answer(await stay(self))

    @rx.event
    @guard.requires(Permission.DASHBOARD_VIEW)
    async def answer(self, address: str):
        """Show what a link of this very page asks for, and then its address."""
        await self._ask(dict(parse_qsl(address.partition("?")[2])), "pushState")

    @rx.event
    @guard.requires(Permission.DASHBOARD_VIEW)
    async def change(self, name: str, value: str):
        """Change one part of the question. Quick choices add up, since each changes what was asked last."""
        await self._ask(self._query().parameters() | {"page": "", name: value}, "replaceState")

    @rx.event
    @guard.requires(Permission.DASHBOARD_VIEW)
    async def tick(self, account_id: int, ticked: bool):
        """Tick or untick one line."""
        self.all_ticked = False
        rest = [other for other in self.ticked if other != account_id]
        on_page = any(line["id"] == account_id for line in self.lines)
        self.ticked = [*rest, account_id] if ticked and on_page and len(rest) < MOST_TICKED else rest

    @rx.event
    @guard.requires(Permission.DASHBOARD_VIEW)
    async def tick_page(self, ticked: bool):
        """Tick or untick all lines of this page."""
        self.all_ticked = False
        here = [line["id"] for line in self.lines]
        rest = [other for other in self.ticked if other not in here]
        self.ticked = (rest + here if ticked else rest)[:MOST_TICKED]

    @rx.event
    @guard.requires(Permission.DASHBOARD_VIEW)
    async def tick_all(self):
        """Choose all accounts that match, on every page."""
        self.all_ticked = True

    @rx.event
    @guard.requires(Permission.DASHBOARD_VIEW)
    async def untick(self):
        """Choose none."""
        self.ticked, self.all_ticked = [], False

    @rx.event
    @guard.requires(Permission.SUBSCRIBE)
    async def ask_subscribe(self, plan: str):
        """Ask whether the chosen accounts are to be subscribed."""
        if plan in accounts.PLANS and (self.ticked or self.all_ticked):
            self.plan, self.plan_count, self.progress, self.price = plan, self._chosen(), "", ""
            yield
            self.price = await self._price()

    @rx.event
    @guard.requires(Permission.DASHBOARD_VIEW)
    async def close_dialogs(self):
        """Leave everything as it is."""
        if not self.subscribing:
            self.plan = ""
        self.reporting = ""
        self.deleting_id, self.deleting_name, self.typed_name, self.delete_error = 0, "", "", ""

    @rx.event
    @guard.requires(Permission.SUBSCRIBE)
    async def subscribe(self):
        """Subscribe the chosen trials, some at a time, and say how it went."""
        if not self.plan or self.subscribing:
            return
        self.subscribing = True
        yield
        changed = left = 0
        try:
            ids = await self._chosen_ids()
            for start in range(0, len(ids), SUBSCRIBED_AT_ONCE):
                actor = await guard.check_again(self, Permission.SUBSCRIBE)
                part = ids[start : start + SUBSCRIBED_AT_ONCE]
                done = await db.work(accounts.subscribe, actor, part, self.plan)
                changed, left = changed + done.changed, left + done.left
                self.progress = f"{min(start + len(part), len(ids)):,} of {len(ids):,} done"
                yield
        finally:
            words, self.plan, self.subscribing = accounts.PLANS.get(self.plan, ""), "", False
        self.ticked, self.all_ticked = [], False
        await self._show(guard.actor(), self._query())
        yield NoticeState.tell("green" if changed else "orange", _subscribed(changed, left, words))

    @rx.event
    @guard.requires(Permission.USAGE_EXPORT)
    async def ask_report(self):
        """Ask whether a usage report of the chosen accounts is to be made."""
        if self.ticked or self.all_ticked:
            self.reporting = self._chosen()

    @rx.event
    @guard.requires(Permission.USAGE_EXPORT)
    async def export_report(self):
        """Have the usage report of the chosen accounts made; it comes by mail."""
        if not self.reporting:
            return None
        self.reporting = ""
        await db.work(usage.ask, guard.actor(), await self._chosen_ids())
        return NoticeState.tell("green", f"Your usage report is being made. It comes to {guard.actor().email} by mail.")

    @rx.event
    @guard.requires(Permission.TRIALS_DELETE)
    async def ask_delete(self, account_id: int):
        """Ask for the name of the trial that is to be deleted."""
        found = next((line for line in self.lines if line["id"] == account_id and line["trial"]), None)
        if found:
            self.deleting_id, self.deleting_name, self.deleting_email = found["id"], found["name"], found["email"]
            self.typed_name, self.delete_error = "", ""

    @rx.event
    @guard.requires(Permission.TRIALS_DELETE)
    async def type_name(self, text: str):
        """The confirmation as it is typed."""
        self.typed_name = str(text)[:200]

    @rx.event
    @guard.requires(Permission.TRIALS_DELETE)
    async def delete_trial(self):
        """Delete the trial whose name was typed."""
        if not self.deleting_id or self.deleting:
            return
        self.deleting = True
        yield
        try:
            name = await db.work(accounts.delete_trial, guard.actor(), self.deleting_id, self.typed_name)
        except PortalError as refusal:
            self.delete_error = refusal.sentence
            return
        finally:
            self.deleting = False
        self.deleting_id = 0
        self.ticked = []
        await self._show(guard.actor(), self._query())
        yield NoticeState.tell("green", f"The trial of {name} was deleted.")

    @rx.event(background=True)
    @guard.requires(Permission.DASHBOARD_VIEW)
    async def watch(self):
        """Keep the open page up to date until it is left, closed, or the rights for it are gone."""
        await keep_own_fresh(self, Permission.DASHBOARD_VIEW, self._refresh)

    async def _answer(self, actor: Actor) -> None:
        self.address = ""
        await self._take(actor, AccountQuery.from_address(self.router.url.query_parameters))

    async def _ask(self, asked: Mapping[str, str], entry: str) -> None:
        if self.rx_router_url.path == "/":
            query = AccountQuery.from_address(asked)
            await self._take(await stay(self), query)
            self.address, self.entry, self.turn = query.address(page=query.page), entry, not self.turn

    async def _take(self, actor: Actor, query: AccountQuery) -> None:
        self._take_rights(actor)
        self._untick_if_other(query)
        await self._show(actor, query)

    async def _refresh(self, actor: Actor) -> None:
        await self._show(actor, self._query())
        await (await self.get_state(ChartState))._show(actor, self._number)

    async def _show(self, actor: Actor, query: AccountQuery) -> None:
        query = accounts.visible(actor, query)
        look = db.glance if service.is_quick(actor, query) else db.look
        found = await look(service.table, actor, query)
        if query.page > found.pages:
            query = replace(query, page=found.pages)
            found = await db.look(service.table, actor, query)
        self._number = found.number
        shown = {
            "loading": False,
            "lines": found.lines,
            "count": found.count,
            "pages": found.pages,
            "total": found.total,
            "matching": found.matching,
            "status_figures": found.widgets.status,
            "backup_figures": found.widgets.backup,
            "billing_figures": found.widgets.billing,
            "search": query.search,
            "status": query.status,
            "backup": query.backup,
            "billing": query.billing,
            "sort": query.sort,
            "descending": query.descending,
            "page": query.page,
            "size": query.size,
            "filtered": query.filtered,
            "hrefs": _hrefs(query),
        }
        self._change(shown)

    def _take_rights(self, actor: Actor) -> None:
        self._change(
            {
                "show_billing": actor.may(Permission.BILLING_VIEW),
                "may_add": actor.may(Permission.ACCOUNTS_ADD),
                "may_open": actor.may(Permission.ACCOUNTS_ACCESS),
                "may_subscribe": actor.may(Permission.SUBSCRIBE),
                "may_delete": actor.may(Permission.TRIALS_DELETE),
                "may_export": actor.may(Permission.USAGE_EXPORT),
            }
        )

    def _change(self, values: dict[str, Any]) -> None:
        # A variable is sent again whenever it is assigned: assign only what differs. Not compared through the
        # attribute, which gives lists and dictionaries that watch every look into them.
        for name, value in values.items():
            if self.get_value(name) != value:
                setattr(self, name, value)

    def _untick_if_other(self, query: AccountQuery) -> None:
        if self.ticked and replace(query, page=1, sort="name", descending=False) != replace(
            self._query(), page=1, sort="name", descending=False
        ):
            self.ticked, self.all_ticked = [], False

    def _query(self) -> AccountQuery:
        names = ("search", "status", "backup", "billing", "sort", "descending", "page", "size")
        return AccountQuery(**{name: getattr(self, name) for name in names})

    async def _price(self) -> str:
        try:
            return (await db.look(offers.price_of, guard.actor(), await self._chosen_ids(), self.plan)).words
        except NotFound as unknown:
            return unknown.sentence

    def _chosen(self) -> str:
        return f"{self.matching if self.all_ticked else len(self.ticked):,}"

    async def _chosen_ids(self) -> list[int]:
        if self.all_ticked:
            return await db.look(accounts.ids_matching, guard.actor(), self._query())
        return list(self.ticked)


def _subscribed(changed: int, left: int, words: str) -> str:
    done = f"{changed:,} {'account' if changed == 1 else 'accounts'} subscribed ({words})." if changed else ""
    rest = f"{left:,} left alone: only trials can be subscribed." if left else ""
    return " ".join(part for part in (done, rest) if part) or "None of the accounts is there any more."
