"""The state of Bank Receipts."""

from typing import TypedDict
from urllib.parse import urlencode

import reflex as rx

from portal_app import clock, db
from portal_app.auth import guard
from portal_app.auth.actor import Actor
from portal_app.billing import receipts
from portal_app.billing.finance_rows import ReceiptRow
from portal_app.billing.receipts import ReceiptForm
from portal_app.billing.words import date_text
from portal_app.errors import PortalError
from portal_app.money import amount_text
from portal_app.paging import PAGE_SIZES, page_number, page_size, pages_of
from portal_app.shell.state import NoticeState, enter

PATH = "/operator/receipts"
_FIELDS = ("number", "amount", "received_on", "note")


class ReceiptLine(TypedDict):
    """A recorded transfer, in words."""

    id: int
    number: str
    partner: str
    amount: str
    day: str
    note: str


class ReceiptsState(rx.State):
    """The form of a transfer, and those recorded last."""

    ready: bool = False
    number: str = ""
    today: str = ""
    lines: list[ReceiptLine] = []
    errors: dict[str, str] = {}
    error: str = ""
    busy: bool = False
    count: str = ""
    page: int = 1
    pages: int = 1
    size: int = PAGE_SIZES[0]
    previous_href: str = PATH
    next_href: str = PATH

    @rx.event
    @guard.operators()
    async def load(self):
        """The form, with the bill of the address (`?bill=NUMBER`) filled in."""
        actor = await enter(self)
        self.reset()
        # The form is made anew: its fields take what they begin with only then.
        yield
        self.number, self.today = self.router.url.query_parameters.get("bill", "")[:10], str(clock.today())
        await self._show(actor)

    @rx.event
    @guard.operators()
    async def answer(self):
        """Show the page of transfers that the address asks for; what is typed above stays."""
        if self.router.url.path.rstrip("/") == PATH:
            await self._show(guard.actor())

    @rx.event
    @guard.operators()
    async def save(self, form: dict):
        """Record the transfer; faults stand by their fields, and what was typed stays."""
        if self.busy or not self.ready:
            return
        self.busy, self.errors, self.error = True, {}, ""
        yield
        typed = {name: form.get(name) for name in _FIELDS}
        wanted = ReceiptForm(**{name: one[:1_000] if isinstance(one, str) else "" for name, one in typed.items()})
        try:
            said = await db.work(receipts.record_receipt, guard.actor(), wanted)
        except PortalError as refusal:
            self.errors, self.error = refusal.fields, refusal.sentence
            return
        finally:
            self.busy = False
        self.ready, self.number = False, ""
        yield
        await self._show(guard.actor())
        yield NoticeState.tell("green", said)

    async def _show(self, actor: Actor) -> None:
        asked = self.router.url.query_parameters
        self.size, page = page_size(asked.get("size", "")), page_number(asked.get("page", ""))
        found = await db.look(receipts.recorded, actor, page, self.size)
        self.pages = pages_of(found.total, self.size)
        if page > self.pages:
            page = self.pages
            found = await db.look(receipts.recorded, actor, page, self.size)
        self.page, self.lines = page, [_line(row) for row in found.rows]
        self.count = f"{found.total:,} {'transfer' if found.total == 1 else 'transfers'}"
        self.previous_href, self.next_href = self._address(max(1, page - 1)), self._address(page + 1)
        self.ready = True

    def _address(self, page: int) -> str:
        values = {"page": page if page > 1 else "", "size": self.size if self.size != PAGE_SIZES[0] else ""}
        asked = urlencode({key: value for key, value in values.items() if value})
        return f"{PATH}?{asked}" if asked else PATH


def _line(row: ReceiptRow) -> ReceiptLine:
    return ReceiptLine(
        id=row.id,
        number=str(row.bill_number),
        partner=row.partner,
        amount=amount_text(row.amount_minor, row.currency),
        day=date_text(row.received_on),
        note=row.note,
    )
