"""The state of one partner in the console: how it is billed, which accounts apart, its bills."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypedDict, TypeVar
from urllib.parse import urlencode

import reflex as rx

from portal_app import db
from portal_app.auth import guard
from portal_app.auth.actor import Actor
from portal_app.billing import finance
from portal_app.billing.finance_rows import BillEntry, PartnerTerms, SubscriptionRow
from portal_app.billing.words import METHODS, date_text
from portal_app.models import BillingMethod, BillKind
from portal_app.money import amount_text
from portal_app.notifications import service as notifications
from portal_app.operator.partner_frame_state import enter_partner
from portal_app.operator.query import partner_path
from portal_app.operator.words import STATUSES, whose
from portal_app.paging import LONGEST_SEARCH, page_number, pages_of
from portal_app.shell.state import NoticeState

SIZE = 25
T = TypeVar("T")


class BillLine(TypedDict):
    """A bill in words."""

    number: str
    whose: str
    status: str
    status_kind: str
    issued: str
    due: str
    total: str
    open: str


class SubscriptionLine(TypedDict):
    """A subscribed account in words."""

    id: int
    name: str
    email: str
    plan: str
    covered: str
    excluded: bool


class PartnerFinanceState(rx.State):
    """One partner's billing. `page` and `apage` of the address are the pages of its two lists."""

    ready: bool = False
    code: str = ""
    name: str = ""
    currency: str = ""
    method: str = ""
    payment_day: str = ""
    billed_through: str = ""
    book: str = ""
    annual_together: bool = False
    radar: bool = False
    bills: list[BillLine] = []
    bill_count: str = ""
    page: int = 1
    pages: int = 1
    accounts: list[SubscriptionLine] = []
    account_count: str = ""
    apage: int = 1
    apages: int = 1
    search: str = ""
    hrefs: dict[str, str] = {}
    busy: bool = False
    asking: str = ""

    @rx.event
    @guard.operators()
    async def load(self):
        """Show the partner of the address."""
        self.reset()
        if entered := await enter_partner(self):
            actor, self.code = entered
            await self._show(actor)

    @rx.event
    @guard.operators()
    async def answer(self):
        """Show what the address asks for after a click on this very page, or Back, changed the question."""
        if self.ready and self.router.url.path.startswith(partner_path(self.code, "billing")):
            await self._show(guard.actor())

    @rx.event
    @guard.operators()
    async def ask_method(self, method: str):
        """Ask whether the partner is to be billed in the other way."""
        if self.ready and method in list(BillingMethod) and method != self.method:
            self.asking = method

    @rx.event
    @guard.operators()
    async def close(self):
        """Leave the method."""
        self.asking = ""

    @rx.event
    @guard.operators()
    async def set_method(self):
        """Bill the partner in the way that was asked about."""
        if self.busy or not self.asking:
            return
        self.busy = True
        yield
        try:
            await db.work(finance.set_method, guard.actor(), self.code, self.asking)
        finally:
            self.busy = False
        words, self.asking = METHODS[BillingMethod(self.asking)], ""
        await self._show(guard.actor())
        yield NoticeState.tell("green", f"{self.code} is billed by {words} from its next bill on.")

    @rx.event
    @guard.operators()
    async def turn_annual(self):
        """Let annual subscriptions of one day share a bill, or not."""
        if self.ready:
            await db.work(finance.set_annual_together, guard.actor(), self.code, not self.annual_together)
            await self._show(guard.actor())

    @rx.event
    @guard.operators()
    async def turn_radar(self):
        """Let the partner have its results mailed to Backup Radar, or not."""
        if self.ready:
            await db.work(notifications.turn_radar, guard.actor(), self.code, not self.radar)
            await self._show(guard.actor())

    @rx.event
    @guard.operators()
    async def turn_excluded(self, account_id: int):
        """Bill an account apart, or on the consolidated bill again."""
        found = next((line for line in self.accounts if line["id"] == account_id), None)
        if found:
            await db.work(finance.exclude, guard.actor(), account_id, not found["excluded"])
            await self._show(guard.actor())

    async def _show(self, actor: Actor) -> None:
        asked = self.router.url.query_parameters
        self.search = asked.get("search", "")[:LONGEST_SEARCH]
        self._show_terms(await db.look(finance.terms_of, actor, self.code))
        self.radar = await db.look(notifications.is_radar_on, actor, self.code)
        bills = partial(db.look, finance.bills, actor, self.code)
        accounts = partial(db.look, finance.subscriptions, actor, self.code, self.search)
        rows, many, self.page, self.pages = await _page(bills, asked.get("page", ""))
        arows, matching, self.apage, self.apages = await _page(accounts, asked.get("apage", ""))
        self.bills, self.accounts = [_bill(one) for one in rows], [_account(one) for one in arows]
        self.bill_count = f"{many:,} {'bill' if many == 1 else 'bills'}"
        self.account_count = f"{matching:,} subscribed {'account' if matching == 1 else 'accounts'}"
        self.hrefs = {
            "bills_before": self._address(page=max(1, self.page - 1)),
            "bills_after": self._address(page=self.page + 1),
            "accounts_before": self._address(apage=max(1, self.apage - 1)),
            "accounts_after": self._address(apage=self.apage + 1),
        }
        self.ready = True

    def _show_terms(self, terms: PartnerTerms) -> None:
        self.code, self.name, self.currency, self.method = terms.code, terms.name, terms.currency, terms.method
        self.payment_day, self.annual_together = str(terms.payment_day), terms.annual_together
        self.billed_through = date_text(terms.billed_through) if terms.billed_through else "Nothing yet"
        self.book = f"{terms.book}, from {date_text(terms.book_from)}" if terms.book_from else ""

    def _address(self, **changes: int) -> str:
        asked = {"search": self.search, "page": self.page, "apage": self.apage} | changes
        kept = {key: value for key, value in asked.items() if value not in ("", 1)}
        return partner_path(self.code, "billing") + (f"?{urlencode(kept)}" if kept else "")


async def _page(look: Callable[..., Awaitable[tuple[list[T], int]]], asked: str) -> tuple[list[T], int, int, int]:
    """The rows, how many there are, the page and how many pages; beyond the last page it is the last."""
    page = page_number(asked)
    rows, many = await look((page, SIZE))
    pages = pages_of(many, SIZE)
    if page > pages:
        page = pages
        rows, many = await look((page, SIZE))
    return rows, many, page, pages


def _bill(row: BillEntry) -> BillLine:
    is_note = row.kind == BillKind.CREDIT_NOTE
    status, kind = ("Credit note", "grey") if is_note else STATUSES[row.status]
    return BillLine(
        number=str(row.number),
        whose=whose(row.kind, row.account_name),
        status=status,
        status_kind=kind,
        issued=date_text(row.issued_on),
        due=date_text(row.due_on),
        total=amount_text(row.total_minor, row.currency),
        open=amount_text(row.open_minor, row.currency),
    )


def _account(row: SubscriptionRow) -> SubscriptionLine:
    return SubscriptionLine(
        id=row.account_id,
        name=row.name,
        email=row.email,
        plan=row.plan.capitalize(),
        covered=date_text(row.covered_until),
        excluded=row.excluded,
    )
