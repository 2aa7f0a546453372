"""The state of Reconciliation: the partner and the page are in the address."""

from decimal import Decimal
from typing import TypedDict
from urllib.parse import urlencode

import reflex as rx

from portal_app import db
from portal_app.auth import guard
from portal_app.auth.actor import Actor
from portal_app.backups.rows import Service
from portal_app.billing import reconcile
from portal_app.billing.reconcile import Compared
from portal_app.billing.words import billed_of
from portal_app.paging import PAGE_SIZES, page_number, page_size, pages_of
from portal_app.shell.state import enter
from portal_app.ui import Option, option

PATH = "/operator/reconciliation"
_LABELS = {one.value: one.label for one in Service}


class ComparedLine(TypedDict):
    """A service of an account, in words."""

    key: str
    name: str
    service: str
    entities: str
    billed: str
    quantity: str
    bill: str
    differs: bool


class ReconcileState(rx.State):
    """Entities beside what was billed of them, and what does not add up."""

    loading: bool = True
    partner: str = ""
    partners: list[Option] = []
    every: bool = False
    lines: list[ComparedLine] = []
    faults: list[str] = []
    count: str = ""
    page: int = 1
    pages: int = 1
    size: int = PAGE_SIZES[0]
    hrefs: dict[str, str] = {}

    @rx.event
    @guard.operators()
    async def load(self):
        """Show what the address asks for."""
        actor = await enter(self)
        self.loading = True
        await self._show(actor)

    @rx.event
    @guard.operators()
    async def answer(self):
        """Show what the address asks for after a choice on this very page, or Back, changed the question."""
        if self.router.url.path.rstrip("/") == PATH:
            await self._show(guard.actor())

    async def _show(self, actor: Actor) -> None:
        asked = self.router.url.query_parameters
        codes = await db.look(reconcile.partners, actor)
        self.partners = [option(code, f"{code} · {name}") for code, name in codes.items()]
        self.partner = asked.get("partner", "") if asked.get("partner") in codes else next(iter(codes), "")
        self.every = asked.get("rows") == "all"
        page, size = page_number(asked.get("page", "")), page_size(asked.get("size", ""))
        asking = {"every": self.every, "page": page, "size": size}
        found, self.faults = await db.look(reconcile.of_partner, actor, self.partner, **asking)
        pages = pages_of(found.matching, size)
        if page > pages:
            page = pages
            found, _ = await db.look(reconcile.of_partner, actor, self.partner, **asking | {"page": page})
        self.page, self.pages, self.size = page, pages, size
        self.lines = [_line(row) for row in found.rows]
        self.count = f"{found.differing:,} of {found.total:,} services differ from the latest bill"
        self.hrefs = {
            "before": self._address(max(1, self.page - 1)),
            "after": self._address(self.page + 1),
            "others": self._address(1, every=not self.every),
        }
        self.loading = False

    def _address(self, page: int, *, every: bool | None = None) -> str:
        every = self.every if every is None else every
        values = {
            "partner": self.partner,
            "rows": "all" if every else "",
            "page": str(page) if page > 1 else "",
            "size": str(self.size) if self.size != PAGE_SIZES[0] else "",
        }
        return f"{PATH}?{urlencode({key: value for key, value in values.items() if value})}"


def _line(row: Compared) -> ComparedLine:
    quantity = "" if row.quantity_milli is None else f"{Decimal(row.quantity_milli).scaleb(-3).normalize():,f}"
    return ComparedLine(
        key=f"{row.account_id}-{row.service}",
        name=row.account_name,
        service=_LABELS.get(row.service, row.service),
        entities=billed_of(row.entities, row.holds),
        billed="" if row.billed is None else f"{row.billed:,}",
        quantity=f"{quantity} {row.unit}".strip(),
        bill=str(row.bill_number or ""),
        differs=row.differs,
    )
