"""The state of one bill in the console: its money, and what an operator does about it."""

from typing import Any, TypedDict

import anyio.to_thread
import reflex as rx

from portal_app import clock, db
from portal_app.auth import guard
from portal_app.auth.actor import Actor
from portal_app.billing import credits, finance, refunds
from portal_app.billing.credits import CreditForm
from portal_app.billing.finance_rows import BillDetails
from portal_app.billing.refunds import RefundForm
from portal_app.billing.words import METHODS, date_text
from portal_app.errors import PortalError
from portal_app.models import BillKind, BillState
from portal_app.money import amount_text, plain_text
from portal_app.operator.words import PAYMENTS, STATUSES, whose
from portal_app.shell.state import NoticeState, enter
from portal_app.ui import Option, option

BILLS = "/operator/bills"
_ACTS = ("credit", "refund")


class Fact(TypedDict):
    """A label and its value."""

    label: str
    value: str


class MoneyLine(TypedDict):
    """A payment of the bill, in words."""

    id: int
    kind: str
    amount: str
    day: str
    note: str


class OperatorBillState(rx.State):
    """One bill or credit note."""

    ready: bool = False
    missing: bool = False
    number: str = ""
    title: str = ""
    status: str = ""
    status_kind: str = "grey"
    partner: str = ""
    facts: list[Fact] = []
    money: list[MoneyLine] = []
    notes: list[str] = []
    credits_number: str = ""
    may_credit: bool = False
    may_receive: bool = False
    back: str = ""
    under_way: bool = False

    asking: str = ""
    typed_amount: str = ""
    ways: list[Option] = []
    today: str = ""
    errors: dict[str, str] = {}
    ask_error: str = ""
    busy: bool = False

    _number: int = 0
    _creditable: str = ""
    _back: str = ""

    @rx.event
    @guard.operators()
    async def load(self):
        """Show the bill of the address."""
        actor = await enter(self)
        self.reset()
        wanted = self.router.url.path.rstrip("/").rpartition("/")[2]
        self._number = int(wanted) if wanted.isascii() and wanted.isdecimal() and len(wanted) < 10 else 0
        try:
            await self._show(actor)
        except PortalError:
            self.missing = True

    @rx.event
    @guard.operators()
    async def ask(self, act: str):
        """Ask for the amount of a credit note or of a refund."""
        if act in _ACTS and self.ready:
            self.asking, self.errors, self.ask_error = act, {}, ""
            self.typed_amount = self._creditable if act == "credit" else self._back

    @rx.event
    @guard.operators()
    async def close(self):
        """Leave the bill as it is."""
        self.asking = ""

    @rx.event
    @guard.operators()
    async def act(self, form: dict):
        """Make the credit note, or give the money back."""
        if self.busy or self.asking not in _ACTS:
            return
        self.busy, self.errors, self.ask_error = True, {}, ""
        yield
        typed = {key: value[:1_000] for key, value in form.items() if isinstance(value, str)}
        try:
            said = await (self._credit(typed) if self.asking == "credit" else self._refund(typed))
        except PortalError as refusal:
            self.errors, self.ask_error = refusal.fields, "" if refusal.fields else refusal.sentence
            return
        finally:
            self.busy = False
        self.asking = ""
        await self._show(guard.actor())
        yield NoticeState.tell("green", said)

    async def _credit(self, typed: dict[str, Any]) -> str:
        form = CreditForm(typed.get("amount", ""), typed.get("reason", ""))
        made = await db.work(credits.credit, guard.actor(), self._number, form)
        return f"Credit note {made} was made."

    async def _refund(self, typed: dict[str, Any]) -> str:
        form = RefundForm(
            typed.get("way", ""), typed.get("amount", ""), typed.get("received_on", ""), typed.get("note", "")
        )
        return await anyio.to_thread.run_sync(refunds.refund, guard.actor(), self._number, form)

    async def _show(self, actor: Actor) -> None:
        found = await db.look(finance.details, actor, self._number)
        self.number, self.partner = str(found.number), found.partner
        is_note = found.kind == BillKind.CREDIT_NOTE
        self.title = f"{'Credit note' if is_note else 'Bill'} {found.number}"
        self.status, self.status_kind = ("Credit note", "grey") if is_note else STATUSES[found.state]
        self.facts = _facts(found)
        self.money = [
            MoneyLine(
                id=one.id,
                kind=PAYMENTS[one.kind],
                amount=amount_text(one.amount_minor, found.currency),
                day=date_text(one.received_on),
                note=one.note,
            )
            for one in found.payments
        ]
        self.notes = [str(one.number) for one in found.notes]
        self.credits_number = str(found.credits_number) if found.credits_number else ""
        self.may_credit = found.creditable_minor > 0
        self.may_receive = not is_note and found.state not in {BillState.PAID, BillState.CREDITED}
        self.under_way = found.under_way
        self.back = amount_text(found.back_minor, found.currency) if found.back_minor else ""
        self._creditable = plain_text(found.creditable_minor, found.currency)
        self._back = plain_text(found.back_minor, found.currency)
        self.ways = [option(key, words) for key, words in refunds.ways(found)]
        self.today = str(clock.today())
        self.ready = True


def _facts(found: BillDetails) -> list[Fact]:
    def money(minor: int) -> str:
        return amount_text(minor, found.currency)

    shown = {
        "Partner": f"{found.partner} · {found.partner_name}",
        "Account": whose(found.kind, found.account_name),
        "Payment Method": METHODS[found.method],
        "Issue Date": date_text(found.issued_on),
        "Due Date": date_text(found.due_on),
        "Net": money(found.net_minor),
        "Tax": money(found.tax_minor),
        "Total Amount": money(found.total_minor),
        "Settled": money(found.settled_minor),
    }
    return [Fact(label=label, value=value) for label, value in shown.items()]
