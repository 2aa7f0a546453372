"""The list of partners: search, filter, order and page live in the address."""

from functools import partial
from typing import TypedDict

import reflex as rx

from portal_app import db
from portal_app.auth import guard
from portal_app.auth.actor import Actor
from portal_app.models import PartnerState
from portal_app.operator import partners
from portal_app.operator.query import PARTNERS, PartnerQuery
from portal_app.operator.rows import PartnerRow
from portal_app.operator.words import PARTNER_STATES
from portal_app.paging import counted
from portal_app.shell.listing import ListState, answer_to, assign
from portal_app.shell.state import enter
from portal_app.times import Moment, moment


class PartnerLine(TypedDict):
    """One partner in words."""

    id: int
    code: str
    name: str
    state: str
    state_kind: str
    currency: str
    accounts: str
    users: str
    created: Moment


class OperatorState(ListState, rx.State):
    """A page of all partners."""

    loading: bool = True
    lines: list[PartnerLine] = []
    state: str = ""
    sort: str = PartnerQuery.ORDER
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
        if self.router.url.path.rstrip("/") == PARTNERS:
            await self._show(guard.actor())

    async def _show(self, actor: Actor) -> None:
        query = PartnerQuery.from_address(self.router.url.query_parameters)
        found, shown = await answer_to(query, partial(db.look, partners.list_page, actor))
        lines = [_line(row, actor.time_zone) for row in found.rows]
        count = counted(found.matching, found.total, "partner")
        assign(self, {"lines": lines, "count": count, "loading": False} | shown)


def _line(row: PartnerRow, time_zone: str) -> PartnerLine:
    state, kind = PARTNER_STATES[PartnerState(row.state)]
    return PartnerLine(
        id=row.id,
        code=row.code,
        name=row.name,
        state=state,
        state_kind=kind,
        currency=row.currency,
        accounts=f"{row.accounts:,}",
        users=f"{row.users:,}",
        created=moment(row.created_at, time_zone),
    )
