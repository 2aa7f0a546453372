"""The states of the audit pages."""

import reflex as rx

from portal_app import db
from portal_app.audit import reading
from portal_app.audit.query import PATH, AuditQuery
from portal_app.audit.rows import Line, line
from portal_app.auth import guard
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.shell.listing import assign
from portal_app.shell.state import enter


class AuditList(rx.State, mixin=True):
    """What an audit page shows. Filters and place live in the address; it is made from it at each load."""

    loading: bool = True
    lines: list[Line] = []
    count: str = ""
    note: str = ""
    filtered: bool = False
    since: str = ""
    until: str = ""
    activity: str = ""
    status: str = ""
    account: str = ""
    user: str = ""
    size: int = 25
    newer: str = ""
    older: str = ""
    people: list[str] = []

    async def _fill(self, actor: Actor, query: AuditQuery) -> None:
        found = await db.look(reading.page, actor, query)
        first, last = (found.rows[0].mark, found.rows[-1].mark) if found.rows else (None, None)
        number = f"{found.matching:,}" + ("+" if found.more else "")
        assign(
            self,
            {
                "loading": False,
                "lines": [line(row, actor.time_zone) for row in found.rows],
                "count": f"{number} {'event' if number == '1' else 'events'}",
                "note": found.note,
                "filtered": query.filtered,
                "since": query.since,
                "until": query.until,
                "activity": query.activity,
                "status": query.status,
                "account": query.account,
                "user": query.user,
                "size": query.size,
                "newer": query.address(after=first) if found.newer and first else "",
                "older": query.address(before=last) if found.older and last else "",
            },
        )


class AuditState(AuditList, rx.State):
    """The partner's own audit."""

    @rx.event
    @guard.requires(Permission.AUDIT_VIEW)
    async def load(self):
        """Show what the address asks for."""
        actor = await enter(self)
        assign(self, {"people": await db.look(reading.people, actor)})
        await self._show(actor)

    @rx.event
    @guard.requires(Permission.AUDIT_VIEW)
    async def answer(self):
        """Show what the address asks for after a click on this very page, or Back, changed the question."""
        if self.router.url.path.rstrip("/") == PATH:
            await self._show(guard.actor())

    async def _show(self, actor: Actor) -> None:
        await self._fill(actor, AuditQuery.from_address(self.router.url.query_parameters))
