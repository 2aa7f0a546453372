"""The state of the page of an account's bills. Which bill's lines are shown lives in the address."""

from typing import Any

import reflex as rx

from portal_app import db
from portal_app.accounts.service import id_in
from portal_app.auth import guard
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.billing import account_bills, subscriptions
from portal_app.billing.account_lines import (
    BillWords,
    LineWords,
    bill_words,
    facts,
    forecast_words,
    line_words,
)
from portal_app.billing.account_rows import AccountBilling
from portal_app.billing.subscriptions import Standing
from portal_app.billing.why import Reason, TaskShare, reasons, tasks
from portal_app.billing.words import date_text
from portal_app.errors import NotFound, PortalError
from portal_app.facts import Fact
from portal_app.models import Plan
from portal_app.portal_import.rows import BillLine
from portal_app.shell.state import NoticeState, enter
from portal_app.shell.watching import keep_own_fresh, number_now

PATH = "/billing/accounts"
ACTS = ("change", "cancel", "undo", "cap")


class AccountBillsState(rx.State):
    """An account's bills, the lines of one of them, and its subscription."""

    loading: bool = True
    missing: bool = False
    account_id: int = 0
    title: str = ""
    email: str = ""
    status: str = "none"
    facts: list[Fact] = []
    # It comes after the page.
    forecast: str = ""
    bills: list[BillWords] = []
    imported: list[BillLine] = []
    shown: str = ""
    lines: list[LineWords] = []
    may_pay: bool = False
    may_change_card: bool = False

    may_subscribe: bool = False
    may_change_plan: bool = False
    other_plan: str = ""
    changing: bool = False
    effect: str = ""
    seat_cap: str = ""
    over_cap: str = ""

    asking: str = ""
    ask_error: str = ""
    busy: bool = False
    why: str = ""
    reasons: list[Reason] = []
    tasks: list[TaskShare] = []

    _bill_id: int = 0
    _number: int = 0

    @rx.event
    @guard.requires(Permission.BILLING_VIEW)
    async def load(self):
        """Show the account that the address names; the forecast follows, then the page watches for changes."""
        actor = await enter(self)
        self.reset()
        self.may_pay, self.may_change_card = actor.may(Permission.BILLS_PAY), actor.may(Permission.PAYMENT_MANAGE)
        self.may_subscribe = actor.may(Permission.SUBSCRIBE)
        self._number = await number_now(actor)
        try:
            self.account_id = id_in(self.router.url.path)
            await self._show(actor)
        except NotFound:
            self.missing = True
        self.loading = False
        yield
        if not self.missing:
            await self._look_ahead(actor)
            yield AccountBillsState.watch

    @rx.event(background=True)
    @guard.requires(Permission.BILLING_VIEW)
    async def watch(self):
        """Keep the open page up to date."""
        await keep_own_fresh(self, Permission.BILLING_VIEW, self._refresh, prepare=self._prepare)

    @rx.event
    @guard.requires(Permission.BILLING_VIEW)
    async def answer(self):
        """Show the lines of the bill that the address asks for after a click on this very page, or Back."""
        if self.account_id and self.router.url.path.startswith(f"{PATH}/"):
            await self._show(guard.actor())

    @rx.event
    @guard.requires(Permission.BILLING_VIEW)
    async def ask_why(self, position: int):
        """Show by which usage, price and rule a line costs what it costs."""
        found = await db.look(account_bills.line, guard.actor(), self.account_id, self._bill_id, position)
        self.why, self.reasons, self.tasks = found.description, reasons(found), tasks(found)

    @rx.event
    @guard.requires(Permission.SUBSCRIBE)
    async def ask(self, act: str):
        """Ask before the subscription is changed."""
        if act in ACTS and not self.busy:
            self.asking, self.ask_error = act, ""

    @rx.event
    @guard.requires(Permission.BILLING_VIEW)
    async def close(self):
        """Leave everything as it is."""
        self.asking, self.why = "", ""

    @rx.event
    @guard.requires(Permission.SUBSCRIBE)
    async def act(self):
        """Do what was asked about: change the plan, cancel, or take such a change back."""
        act = {"change": self._change, "cancel": self._cancel, "undo": self._undo}.get(self.asking)
        if act is None or self.busy:
            return
        self.busy, self.ask_error = True, ""
        yield
        try:
            told = await act(guard.actor())
        except PortalError as refusal:
            self.ask_error = refusal.sentence
            return
        finally:
            self.busy = False
        yield await self._done(told)

    @rx.event
    @guard.requires(Permission.SUBSCRIBE)
    async def save_cap(self, form: dict):
        """Keep the number of seats above which the partner is warned."""
        typed = form.get("seat_cap")
        text = typed.strip().replace(",", "") if isinstance(typed, str) else ""
        if text and not (text.isascii() and text.isdecimal() and len(text) <= 9):
            self.ask_error = "Give a whole number of seats, or leave it empty for no cap."
            return
        self.busy, self.ask_error = True, ""
        yield
        try:
            cap = int(text) if text else None
            await db.work(subscriptions.set_seat_cap, guard.actor(), self.account_id, cap)
        except PortalError as refusal:
            self.ask_error = refusal.fields.get("cap", refusal.sentence)
            return
        finally:
            self.busy = False
        yield await self._done("The seat cap is saved." if text else "There is no seat cap any more.")

    async def _change(self, actor: Actor) -> str:
        day = await db.work(subscriptions.change_plan, actor, self.account_id, self.other_plan)
        return f"The subscription is {self.other_plan} from {date_text(day)}."

    async def _cancel(self, actor: Actor) -> str:
        day = await db.work(subscriptions.cancel, actor, self.account_id)
        return f"The subscription ends on {date_text(day)}."

    async def _undo(self, actor: Actor) -> str:
        await db.work(subscriptions.undo, actor, self.account_id)
        return "The subscription goes on as it is."

    async def _done(self, told: str) -> Any:
        self.asking = ""
        actor = guard.actor()
        if actor.may(Permission.BILLING_VIEW):
            await self._show(actor)
            await self._look_ahead(actor)
        return NoticeState.tell("green", told)

    async def _show(self, actor: Actor) -> None:
        asked = str(self.router.url.query_parameters.get("bill", ""))
        number = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) <= 9 else None
        found = await db.look(account_bills.account_page, actor, self.account_id, number)
        self.title, self.email, self.status = found.name, found.email, found.billing_status
        self.facts = facts(found, actor.currency, actor.time_zone)
        self.bills, self.imported = [bill_words(bill) for bill in found.bills], found.imported
        self._show_lines(found)
        self._show_standing(found.subscription)

    async def _refresh(self, actor: Actor) -> None:
        try:
            await self._show(actor)
            await self._look_ahead(actor)
        except NotFound:
            self.missing = True

    async def _prepare(self, actor: Actor) -> None:
        await db.look(account_bills.expected, actor, self.account_id)

    async def _look_ahead(self, actor: Actor) -> None:
        expected = await db.look(account_bills.expected, actor, self.account_id)
        self.forecast = forecast_words(expected, actor.currency)

    def _show_lines(self, found: AccountBilling) -> None:
        self.shown = str(found.bill.number) if found.bill else ""
        self._bill_id = found.bill.id if found.bill else 0
        self.lines = [line_words(line) for line in found.lines]

    def _show_standing(self, standing: Standing | None) -> None:
        if standing is None:
            self.other_plan, self.changing, self.seat_cap, self.over_cap = "", False, "", ""
            return
        self.other_plan = Plan.MONTHLY if standing.plan == Plan.ANNUAL else Plan.ANNUAL
        self.changing = standing.changes_on is not None
        self.may_change_plan = standing.may_change_plan
        self.effect = date_text(standing.changes_on or standing.renews_on)
        self.seat_cap = str(standing.seat_cap) if standing.seat_cap else ""
        self.over_cap = _over(standing)


def _over(standing: Standing) -> str:
    if standing.seat_cap is None or standing.seats <= standing.seat_cap:
        return ""
    return (
        f"This account backs up {standing.seats:,} seats, and its cap is {standing.seat_cap:,}. "
        "All of them will be on the next bill."
    )
