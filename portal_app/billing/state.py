"""The state of Billing > Status: search, filters, order and page live in the address."""

from functools import partial

import reflex as rx

from portal_app import db
from portal_app.auth import guard
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.billing import service
from portal_app.billing.lines import Line, line
from portal_app.billing.query import PATH, StatusQuery
from portal_app.billing.words import METHODS, date_text
from portal_app.geometry import BarChart
from portal_app.money import amount_text
from portal_app.paging import counted
from portal_app.shell.listing import ListState, answer_to, assign
from portal_app.shell.state import NoticeState, enter
from portal_app.shell.watching import keep_own_fresh, number_now

NO_PRICES = "Your provider has set no prices in {} yet. Until it does, nothing is billed and there is no forecast."


class StatusState(ListState, rx.State):
    """A page of accounts with what each owes, the sums, and the first choice of how to be billed."""

    loading: bool = True
    lines: list[Line] = []
    status: str = ""
    billing: str = ""
    sort: str = StatusQuery.ORDER
    descending: bool = False

    due: str = ""
    forecast: str = ""
    # Of the accounts shown: they come after the lines.
    forecasts: dict[int, str] = {}
    forecast_days: dict[int, str] = {}
    method: str = ""
    # What is told while there are no prices.
    unpriced: str = ""
    billed: BarChart = BarChart()
    may_choose: bool = False
    choosing: str = ""

    _number: int = 0

    @rx.event
    @guard.requires(Permission.BILLING_VIEW)
    async def load(self):
        """Show what the address asks for; the forecast follows, then the page watches for changes."""
        actor = await enter(self)
        self.may_choose = actor.may(Permission.PAYMENT_MANAGE)
        self._number = await number_now(actor)
        await self._show(actor)
        yield
        await self._look_ahead(actor)
        yield StatusState.watch

    @rx.event(background=True)
    @guard.requires(Permission.BILLING_VIEW)
    async def watch(self):
        """Keep the open page up to date."""
        await keep_own_fresh(self, Permission.BILLING_VIEW, self._refresh, prepare=_prepare)

    @rx.event
    @guard.requires(Permission.BILLING_VIEW)
    async def answer(self):
        """Show what the address asks for after a click on this very page, or Back, changed the question."""
        if self.router.url.path.rstrip("/") == PATH:
            actor = guard.actor()
            await self._show(actor)
            yield
            await self._look_ahead(actor)

    @rx.event
    @guard.requires(Permission.PAYMENT_MANAGE)
    async def choose(self, method: str):
        """The first choice of how the partner is billed."""
        self.choosing = method if method in METHODS else ""
        yield
        try:
            await db.work(service.choose_method, guard.actor(), method)
        finally:
            self.choosing = ""
        actor = guard.actor()
        if actor.may(Permission.BILLING_VIEW):
            await self._show(actor)
        yield NoticeState.tell("green", f"You are billed by {METHODS[method].lower()} from now on.")

    async def _refresh(self, actor: Actor) -> None:
        await self._show(actor)
        await self._look_ahead(actor)

    async def _show(self, actor: Actor) -> None:
        query = StatusQuery.from_address(self.router.url.query_parameters)
        found, shown = await answer_to(query, partial(db.look, service.status_page, actor))
        answer = {
            "lines": [line(row, actor.currency) for row in found.rows],
            "count": counted(found.matching, found.total, "account", more=found.more),
            "due": amount_text(found.due_minor, actor.currency),
            "method": found.method,
            "unpriced": "" if found.priced else NO_PRICES.format(actor.currency),
            "loading": False,
        }
        assign(self, answer | shown)

    async def _look_ahead(self, actor: Actor) -> None:
        found = await db.look(service.outlook, actor)
        here = {line["id"]: found.expected[line["id"]] for line in self.lines if line["id"] in found.expected}
        self.forecasts = {key: amount_text(one.amount_minor, actor.currency) for key, one in here.items()}
        self.forecast_days = {key: f"On {date_text(one.on)}" for key, one in here.items()}
        self.forecast = amount_text(sum(one.amount_minor for one in found.expected.values()), actor.currency)
        if self.billed != found.billed:
            self.billed = found.billed


async def _prepare(actor: Actor) -> None:
    await db.look(service.outlook, actor)
