"""The state of the provider's people: search, filter, order and page live in the address."""

from functools import partial
from typing import TypedDict

import reflex as rx

from portal_app import db
from portal_app.auth import guard
from portal_app.auth.actor import Actor
from portal_app.errors import PortalError
from portal_app.models import UserState
from portal_app.operator import people
from portal_app.operator.query import OPERATORS, OperatorQuery
from portal_app.operator.rows import PersonRow
from portal_app.operator.words import second_factor
from portal_app.paging import counted
from portal_app.shell.listing import ListState, answer_to, assign
from portal_app.shell.state import NoticeState, enter
from portal_app.times import Moment, moment
from portal_app.users.rows import STATES

_DONE = {"disable": "was disabled.", "enable": "can sign in again.", "delete": "was deleted."}


class OperatorLine(TypedDict):
    """One of the provider's people, in words."""

    id: int
    email: str
    name: str
    two_factor: str
    two_factor_kind: str
    last: Moment
    state: str
    state_kind: str
    invited: bool
    active: bool
    disabled: bool
    own: bool


class OperatorsState(ListState, rx.State):
    """A page of the provider's people. `asking`: "invite", "disable", "enable", "delete", or none."""

    loading: bool = True
    lines: list[OperatorLine] = []
    state: str = ""
    sort: str = OperatorQuery.ORDER
    descending: bool = False
    asking: str = ""
    asked_email: str = ""
    ask_error: str = ""
    errors: dict[str, str] = {}
    busy: bool = False

    _asked_id: int = 0
    _versions: dict[int, int] = {}

    @rx.event
    @guard.operators()
    async def load(self):
        """Show what the address asks for."""
        actor = await enter(self)
        self.asking = ""
        await self._show(actor)

    @rx.event
    @guard.operators()
    async def answer(self):
        """Show what the address asks for after a click on this very page, or Back, changed the question."""
        if self.router.url.path.rstrip("/") == OPERATORS:
            await self._show(guard.actor())

    @rx.event
    @guard.operators()
    async def ask(self, act: str, user_id: int):
        """Ask whether somebody is to be disabled, enabled or deleted."""
        found = next((line for line in self.lines if line["id"] == user_id and not line["own"]), None)
        if found and act in _DONE:
            self.asking, self.asked_email, self._asked_id, self.ask_error = act, found["email"], user_id, ""

    @rx.event
    @guard.operators()
    async def ask_invite(self):
        """Ask whom to invite."""
        self.asking, self.errors, self.ask_error = "invite", {}, ""

    @rx.event
    @guard.operators()
    async def close(self):
        """Leave all as it is."""
        self.asking = ""

    @rx.event
    @guard.operators(fresh=True)
    async def act(self):
        """Do what was asked about."""
        if self.asking not in _DONE or self.busy:
            return
        act, self.busy, self.ask_error = self.asking, True, ""
        yield
        asked = (self._asked_id, self._versions.get(self._asked_id, -1))
        try:
            email = await db.work(people.ACTS[act], guard.actor(), *asked)
        except PortalError as refusal:
            self.ask_error = refusal.sentence
            return
        finally:
            self.busy = False
        self.asking = ""
        await self._show(guard.actor())
        yield NoticeState.tell("green", f"{email} {_DONE[act]}")

    @rx.event
    @guard.operators(fresh=True)
    async def invite(self, form: dict):
        """Add somebody and send the invitation."""
        if self.asking != "invite" or self.busy:
            return
        self.busy, self.errors, self.ask_error = True, {}, ""
        yield
        email, name = (value[:1_000] if isinstance(value := form.get(one), str) else "" for one in ("email", "name"))
        try:
            email = await db.work(people.invite, guard.actor(), email, name)
        except PortalError as refusal:
            self.errors, self.ask_error = refusal.fields, "" if refusal.fields else refusal.sentence
            return
        finally:
            self.busy = False
        self.asking = ""
        await self._show(guard.actor())
        yield NoticeState.tell("green", f"An invitation is on its way to {email}. It is good for 24 hours.")

    @rx.event
    @guard.operators()
    async def resend(self, user_id: int):
        """Send somebody who has not confirmed yet a new link."""
        email = await db.work(people.resend, guard.actor(), user_id)
        return NoticeState.tell("green", f"A new invitation is on its way to {email}. The link before it is void.")

    async def _show(self, actor: Actor) -> None:
        query = OperatorQuery.from_address(self.router.url.query_parameters)
        found, shown = await answer_to(query, partial(db.look, people.list_page, actor))
        self._versions = {row.id: row.version for row in found.rows}
        lines = [_line(row, actor) for row in found.rows]
        count = counted(found.matching, found.total, "operator")
        assign(self, {"lines": lines, "count": count, "loading": False} | shown)


def _line(row: PersonRow, actor: Actor) -> OperatorLine:
    state, kind = STATES[UserState(row.state)]
    factor, factor_kind = second_factor(row)
    return OperatorLine(
        id=row.id,
        email=row.email,
        name=row.name,
        two_factor=factor,
        two_factor_kind=factor_kind,
        last=moment(row.last_sign_in_at, actor.time_zone),
        state=state,
        state_kind=kind,
        invited=row.state == UserState.INVITED,
        active=row.state == UserState.ACTIVE,
        disabled=row.state == UserState.DISABLED,
        own=row.id == actor.user_id,
    )
