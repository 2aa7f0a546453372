"""The list of users: search, filters, order and page live in the address."""

from functools import partial
from typing import TypedDict

import anyio.to_thread
import reflex as rx

from portal_app import db
from portal_app.auth import guard
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.errors import PortalError
from portal_app.models import UserState
from portal_app.paging import counted
from portal_app.shell.listing import ListState, answer_to, assign
from portal_app.shell.state import NoticeState, enter
from portal_app.times import Moment, moment
from portal_app.users import service
from portal_app.users.query import PATH, UserQuery
from portal_app.users.rows import ROLES, STATES, TYPES, UserRow

_ACTS = {"disable": service.disable, "enable": service.enable, "delete": service.remove}
_DONE = {"disable": "was disabled.", "enable": "can sign in again.", "delete": "was deleted."}


class Line(TypedDict):
    """A line of the list, in words."""

    id: int
    email: str
    name: str
    type: str
    two_factor: str
    two_factor_kind: str
    role: str
    last: Moment
    state: str
    state_kind: str
    invited: bool
    active: bool
    disabled: bool
    own: bool


class UsersState(ListState, rx.State):
    """A page of the partner's users, and what is about to be done to one of them."""

    loading: bool = True
    lines: list[Line] = []
    type: str = ""
    role: str = ""
    state: str = ""
    sort: str = UserQuery.ORDER
    descending: bool = False

    asking: str = ""
    asked_email: str = ""
    ask_error: str = ""
    busy: bool = False

    _asked_id: int = 0
    _versions: dict[int, int] = {}

    @rx.event
    @guard.requires(Permission.USERS_MANAGE)
    async def load(self):
        """Show what the address asks for."""
        actor = await enter(self)
        self.asking = ""
        await self._show(actor)

    @rx.event
    @guard.requires(Permission.USERS_MANAGE)
    async def answer(self):
        """Show what the address asks for after a click on this very page, or Back, changed the question."""
        if self.router.url.path.rstrip("/") == PATH:
            await self._show(guard.actor())

    @rx.event
    @guard.requires(Permission.USERS_MANAGE)
    async def ask(self, act: str, user_id: int):
        """Ask whether the user of a line is to be disabled, enabled or deleted."""
        found = next((line for line in self.lines if line["id"] == user_id and not line["own"]), None)
        if found and act in _ACTS:
            self.asking, self.asked_email, self._asked_id, self.ask_error = act, found["email"], user_id, ""

    @rx.event
    @guard.requires(Permission.USERS_MANAGE)
    async def close(self):
        """Leave the user as they are."""
        self.asking = ""

    @rx.event
    @guard.requires(Permission.USERS_MANAGE, fresh=True)
    async def act(self):
        """Do what was asked about."""
        if self.asking not in _ACTS or self.busy:
            return
        act, self.busy, self.ask_error = self.asking, True, ""
        yield
        try:
            email = await anyio.to_thread.run_sync(
                _ACTS[act], guard.actor(), self._asked_id, self._versions.get(self._asked_id, -1)
            )
        except PortalError as refusal:
            self.ask_error = refusal.sentence
            return
        finally:
            self.busy = False
        self.asking = ""
        await self._show(guard.actor())
        yield NoticeState.tell("green", f"{email} {_DONE[act]}")

    @rx.event
    @guard.requires(Permission.USERS_MANAGE)
    async def resend(self, user_id: int):
        """Send a user who has not confirmed yet a new link."""
        email = await anyio.to_thread.run_sync(service.resend, guard.actor(), user_id)
        return NoticeState.tell("green", f"A new invitation is on its way to {email}. The link before it is void.")

    async def _show(self, actor: Actor) -> None:
        query = UserQuery.from_address(self.router.url.query_parameters)
        found, shown = await answer_to(query, partial(db.look, service.list_page, actor))
        self._versions = {row.id: row.version for row in found.rows}
        lines = [_line(row, actor) for row in found.rows]
        count = counted(found.matching, found.total, "user")
        assign(self, {"lines": lines, "count": count, "loading": False} | shown)


def _line(row: UserRow, actor: Actor) -> Line:
    state, kind = STATES[UserState(row.state)]
    return Line(
        id=row.id,
        email=row.email,
        name=row.name,
        type=TYPES[row.type],
        two_factor="Enabled" if row.two_factor else "Disabled",
        two_factor_kind="green" if row.two_factor else "grey",
        role=ROLES[row.role],
        last=moment(row.last_sign_in_at, actor.time_zone),
        state=state,
        state_kind=kind,
        invited=row.state == UserState.INVITED,
        active=row.state == UserState.ACTIVE,
        disabled=row.state == UserState.DISABLED,
        own=row.id == actor.user_id,
    )
