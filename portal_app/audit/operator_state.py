"""The state of the operators' audit page: the provider's own audit, or that of the partner in the address."""

import reflex as rx

from portal_app import db
from portal_app.audit import reading
from portal_app.audit.query import OPERATOR_PATH, AuditQuery
from portal_app.audit.state import AuditList
from portal_app.auth import guard
from portal_app.auth.actor import Actor
from portal_app.errors import NotFound
from portal_app.operator import partners
from portal_app.operator.query import partner_path
from portal_app.shell.listing import assign
from portal_app.shell.state import enter, page_before


class OperatorAuditState(AuditList, rx.State):
    """Filters and place live in the address."""

    partner: str = ""

    # The partner whose opening is in the audits.
    _opened: str = ""

    @rx.event
    @guard.operators()
    async def load(self):
        """Show what the address asks for."""
        actor = await enter(self)
        assign(self, {"people": await db.look(reading.people, actor)})
        code = self._query().partner
        if code and f"{await page_before(self)}/".upper().startswith(f"{partner_path(code)}/".upper()):
            # Opened already: this is one of its tabs.
            self._opened = code
        await self._show(actor)

    @rx.event
    @guard.operators()
    async def answer(self):
        """Show what the address asks for after a click on this very page, or Back, changed the question."""
        if self.router.url.path.rstrip("/") == OPERATOR_PATH:
            await self._show(guard.actor())

    def _query(self) -> AuditQuery:
        return AuditQuery.from_address(self.router.url.query_parameters, OPERATOR_PATH)

    async def _show(self, actor: Actor) -> None:
        query = self._query()
        assign(self, {"partner": query.partner})
        try:
            if query.partner and query.partner != self._opened:
                await db.work(partners.opened, actor, query.partner)
            self._opened = query.partner
            await self._fill(actor, query)
        except NotFound:
            note = f"There is no partner {query.partner}."
            assign(self, {"loading": False, "lines": [], "count": "0 events", "note": note, "filtered": True})
