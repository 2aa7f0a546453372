"""The state of the operators' queue of tickets: the question lives in the address."""

from functools import partial

import reflex as rx

from portal_app import db
from portal_app.auth import guard
from portal_app.auth.actor import Actor
from portal_app.paging import counted
from portal_app.shell.listing import ListState, answer_to, assign
from portal_app.shell.state import enter
from portal_app.tickets import desk
from portal_app.tickets.lines import QueueLine, queue_line
from portal_app.tickets.query import QUEUE, QueueQuery


class OperatorTicketsState(ListState, rx.State):
    """A page of all partners' tickets."""

    loading: bool = True
    lines: list[QueueLine] = []
    state: str = ""
    topic: str = ""
    urgency: str = ""
    assigned: str = ""
    partner: str = ""
    sort: str = QueueQuery.ORDER
    descending: bool = False

    @rx.event
    @guard.operators()
    async def load(self):
        """Show what the address asks for."""
        await self._show(await enter(self))

    @rx.event
    @guard.operators()
    async def answer(self):
        """Show what the address asks for after a click on this very page, or Back, changed the question."""
        if self.router.url.path.rstrip("/") == QUEUE:
            await self._show(guard.actor())

    async def _show(self, actor: Actor) -> None:
        query = QueueQuery.from_address(self.router.url.query_parameters)
        found, shown = await answer_to(query, partial(db.look, desk.queue, actor))
        lines = [queue_line(row, QUEUE, actor.time_zone) for row in found.rows]
        count = counted(found.matching, found.total, "ticket")
        assign(self, {"lines": lines, "count": count, "loading": False} | shown)
