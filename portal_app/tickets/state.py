"""The state of My Tickets: search, filters, order and page live in the address."""

from functools import partial

import reflex as rx

from portal_app import db
from portal_app.auth import guard
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.paging import counted
from portal_app.shell.listing import ListState, answer_to, assign
from portal_app.shell.state import enter
from portal_app.shell.watching import keep_own_fresh, number_now
from portal_app.tickets import service
from portal_app.tickets.lines import TicketLine, ticket_line
from portal_app.tickets.query import PATH, TicketQuery


class TicketsState(ListState, rx.State):
    """A page of the tickets that exist for the user."""

    loading: bool = True
    lines: list[TicketLine] = []
    state: str = ""
    topic: str = ""
    sort: str = "changed"
    descending: bool = True

    _number: int = 0

    @rx.event
    @guard.requires(Permission.TICKETS_OPEN)
    async def load(self):
        """Show what the address asks for."""
        actor = await enter(self)
        self._number = await number_now(actor)
        await self._show(actor)
        yield TicketsState.watch

    @rx.event(background=True)
    @guard.requires(Permission.TICKETS_OPEN)
    async def watch(self):
        """Keep the open page up to date."""
        await keep_own_fresh(self, Permission.TICKETS_OPEN, self._show)

    @rx.event
    @guard.requires(Permission.TICKETS_OPEN)
    async def answer(self):
        """Show what the address asks for after a click on this very page, or Back, changed the question."""
        await self._show(guard.actor())

    async def _show(self, actor: Actor) -> None:
        if self.router.url.path.rstrip("/") != PATH:
            return
        query = TicketQuery.from_address(self.router.url.query_parameters)
        found, shown = await answer_to(query, partial(db.look, service.list_page, actor))
        lines = [ticket_line(row, PATH, actor.time_zone) for row in found.rows]
        count = counted(found.matching, found.total, "ticket")
        assign(self, {"lines": lines, "count": count, "loading": False} | shown)
