"""The state of History and Unpaid Bills: search, filter, order and page live in the address."""

from dataclasses import replace
from typing import TypedDict

import anyio.to_thread
import reflex as rx

from portal_app import db
from portal_app.accounts.rows import BILLING
from portal_app.auth import guard
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.billing import bills, mailing, payments
from portal_app.billing.bill_query import SORTS, BillList, BillQuery
from portal_app.billing.bill_rows import BillPage, BillRow, Owed
from portal_app.billing.words import CONSOLIDATED, METHODS, PLANS, date_text
from portal_app.errors import PortalError
from portal_app.models import BillingMethod, BillKind
from portal_app.money import amount_text
from portal_app.paging import pages_of
from portal_app.shell.state import NoticeState, enter
from portal_app.shell.watching import keep_fresh, number_now

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


class BillsState(rx.State):
    """A page of one of the two lists, and what is owed in all."""

    # The list whose rows these are: the other page shows none of them.
    shown: str = ""
    lines: list[Line] = []
    count: str = ""
    pages: int = 1
    page: int = 1
    size: int = 25
    search: str = ""
    status: str = ""
    sort: str = "issued"
    descending: bool = True
    filtered: bool = False
    sort_hrefs: dict[str, str] = {}
    previous_href: str = ""
    next_href: str = ""

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
        async with self:
            seen, partner_id = self._number, guard.actor().partner_id
        await keep_fresh(self, partner_id, seen, Permission.BILLING_VIEW, self._show)

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
        query = BillQuery.from_address(BillList(path), self.router.url.query_parameters)
        found = await db.look(bills.list_page, actor, query)
        pages = pages_of(found.matching, query.size)
        if query.page > pages:
            query = replace(query, page=pages)
            found = await db.look(bills.list_page, actor, query)
        self.lines = [_line(row) for row in found.rows]
        self._show_query(query, found, pages)
        if query.list == BillList.UNPAID:
            self._show_owed(await db.look(bills.owed, actor), actor.currency)
        self.shown = path

    def _show_query(self, query: BillQuery, found: BillPage, pages: int) -> None:
        self.count = f"{found.matching:,} of {found.total:,} {'bill' if found.total == 1 else 'bills'}"
        self.search, self.status, self.filtered = query.search, query.status, query.filtered
        self.sort, self.descending = query.sort, query.descending
        self.page, self.pages, self.size = query.page, pages, query.size
        self.previous_href = query.address(page=max(1, query.page - 1))
        self.next_href = query.address(page=query.page + 1)
        turned = {key: key == query.sort and not query.descending for key in SORTS}
        self.sort_hrefs = {key: query.address(sort=key, descending=down) for key, down in turned.items()}

    def _show_owed(self, owed: Owed, currency: str) -> None:
        self.total_amount = amount_text(owed.due_minor + owed.overdue_minor, currency)
        self.overdue_amount = amount_text(owed.overdue_minor, currency)
        self.due_amount = amount_text(owed.due_minor, currency)
        self.overdue_weight, self.due_weight = owed.overdue_minor, owed.due_minor
        self.invoices = owed.invoices


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
