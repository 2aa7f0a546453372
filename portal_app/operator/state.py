"""The state of the operators' first page."""

from typing import TypedDict

import reflex as rx
from sqlmodel import Session

from portal_app import db
from portal_app.auth import guard
from portal_app.auth.actor import Actor, ActorKind
from portal_app.errors import Denied
from portal_app.operator import repository
from portal_app.operator.rows import PartnerRow
from portal_app.shell.state import enter
from portal_app.times import Moment, moment


class PartnerLine(TypedDict):
    """One partner in words."""

    code: str
    name: str
    state: str
    state_kind: str
    currency: str
    accounts: str
    users: str
    created: Moment


class OperatorState(rx.State):
    """The list of partners."""

    loading: bool = True
    partners: list[PartnerLine] = []

    @rx.event
    @guard.operators()
    async def load(self):
        """Show all partners."""
        actor = await enter(self)
        rows = await db.look(_partners, actor)
        self.partners = [_line(row, actor.time_zone) for row in rows]
        self.loading = False


def _partners(session: Session, actor: Actor) -> list[PartnerRow]:
    if actor.kind != ActorKind.OPERATOR:
        raise Denied("This page is for the provider's operators.")
    return repository.partners(session)


def _line(row: PartnerRow, time_zone: str) -> PartnerLine:
    return PartnerLine(
        code=row.code,
        name=row.name,
        state=row.state.capitalize(),
        state_kind="green" if row.state == "active" else "red",
        currency=row.currency,
        accounts=f"{row.accounts:,}",
        users=f"{row.users:,}",
        created=moment(row.created_at, time_zone),
    )
