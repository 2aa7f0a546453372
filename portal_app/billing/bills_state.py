"""The state of History and Unpaid Bills: search, filter, order and page live in the address."""

from functools import partial
from typing import Any, TypedDict

import anyio.to_thread
import reflex as rx

from portal_app import db
from portal_app.accounts.rows import BILLING
from portal_app.auth import guard
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.billing import bills, mailing, payments
from portal_app.billing.bill_query import BillList, BillQuery
from portal_app.billing.bill_rows import BillRow, Owed
from portal_app.billing.words import CONSOLIDATED, METHODS, PLANS, date_text
from portal_app.errors import PortalError
from portal_app.models import BillingMethod, BillKind
from portal_app.money import amount_text
from portal_app.paging import counted
from portal_app.shell.listing import ListState, answer_to, assign
from portal_app.shell.state import NoticeState, enter
from portal_app.shell.watching import keep_own_fresh, number_now

NOT_WHOLE = "Your accounts' part of it"


class Line(TypedDict):
    """A bill in words. `account`, `csv` and `pdf` are addresses, empty where there is nothing for the user."""

    id: int
    number: int
    name: str
    account: str
    note: str
    status: str
    status_kind: str
    method: str
    by_card: bool
    plan: str
    issued: str
    due: str
    amount: str
    pdf: str
    csv: str


class BillsState(ListState, rx.State):
    """A page of one of the two lists, and what is owed in all."""

    # The list whose rows these are: the other page shows none of them.
    shown: str = ""
    lines: list[Line] = []
    status: str = ""
    sort: str = "issued"
    descending: bool = True

    total_amount: str = ""
    overdue_amount: str = ""
    due_amount: str = ""
    overdue_weight: int = 0
    due_weight: int = 0
    invoices: int = 0

    may_pay: bool = False
    may_change_card: bool = False
    paying_id: int = 0
    mailing_id: int = 0
    # The processor's hosted page, for the moment in which the browser goes there.
    leave_for: str = ""

    _number: int = 0

    @rx.event
    @guard.requires(Permission.BILLING_VIEW)
    async def load(self):
        """Show what the address asks for."""
        actor = await enter(self)
        self.may_pay, self.may_change_card = actor.may(Permission.BILLS_PAY), actor.may(Permission.PAYMENT_MANAGE)
        self.paying_id = self.mailing_id = 0
        self._number = await number_now(actor)
        await self._show(actor)
        yield BillsState.watch

    @rx.event(background=True)
    @guard.requires(Permission.BILLING_VIEW)
    async def watch(self):
        """Keep the open page up to date."""
        await keep_own_fresh(self, Permission.BILLING_VIEW, self._show)

    @rx.event
    @guard.requires(Permission.BILLING_VIEW)
    async def answer(self):
        """Show what the address asks for after a click on this very page, or Back, changed the question."""
        await self._show(guard.actor())

    @rx.event
    @guard.requires(Permission.BILLS_PAY)
    async def pay(self, bill_id: int):
        """Go to the processor's page, where the bill is paid."""
        if self.paying_id:
            return
        self.paying_id = bill_id
        yield
        try:
            self.leave_for = await anyio.to_thread.run_sync(payments.start_checkout, guard.actor(), bill_id)
        except PortalError as refusal:
            yield NoticeState.tell("red", refusal.sentence)
        finally:
            self.paying_id = 0
        yield
        self.leave_for = ""

    @rx.event
    @guard.requires(Permission.BILLING_VIEW)
    async def email(self, bill_id: int):
        """Mail the bill to the billing address."""
        self.mailing_id = bill_id
        yield
        try:
            to = await db.work(mailing.email_invoice, guard.actor(), bill_id)
            yield NoticeState.tell("green", f"The invoice is on its way to {to}.")
        except PortalError as refusal:
            yield NoticeState.tell("red", refusal.sentence)
        finally:
            self.mailing_id = 0

    async def _show(self, actor: Actor) -> None:
        path = self.router.url.path.rstrip("/")
        if path not in list(BillList):
            return
        query = BillQuery.of(BillList(path), self.router.url.query_parameters)
        found, shown = await answer_to(query, partial(db.look, bills.list_page, actor))
        answer = {"lines": [_line(row) for row in found.rows], "count": counted(found.matching, found.total, "bill")}
        if query.list == BillList.UNPAID:
            answer |= _sums(await db.look(bills.owed, actor), actor.currency)
        assign(self, answer | shown | {"shown": path})


def _sums(owed: Owed, currency: str) -> dict[str, Any]:
    return {
        "total_amount": amount_text(owed.due_minor + owed.overdue_minor, currency),
        "overdue_amount": amount_text(owed.overdue_minor, currency),
        "due_amount": amount_text(owed.due_minor, currency),
        "overdue_weight": owed.overdue_minor,
        "due_weight": owed.due_minor,
        "invoices": owed.invoices,
    }


def _line(row: BillRow) -> Line:
    words, kind = BILLING[row.status]
    file = f"/billing/bills/{row.number}" if row.whole else ""
    return Line(
        id=row.id,
        number=row.number,
        name=row.account_name or CONSOLIDATED,
        account=f"/billing/accounts/{row.account_id}" if row.account_name else "",
        note=_note(row),
        status=words,
        status_kind=kind,
        method=METHODS[row.method],
        by_card=row.method == BillingMethod.CARD,
        plan=PLANS[row.plan],
        issued=date_text(row.issued_on),
        due=date_text(row.due_on),
        amount=amount_text(row.amount_minor, row.currency),
        pdf=file and f"{file}.pdf",
        csv=f"{file}.csv" if file and not row.account_name else "",
    )


def _note(row: BillRow) -> str:
    if row.kind == BillKind.CREDIT_NOTE:
        return "Credit note"
    if not row.whole:
        return NOT_WHOLE
    in_part = 0 < row.open_minor < row.amount_minor
    return f"{amount_text(row.open_minor, row.currency)} still open" if in_part else ""
