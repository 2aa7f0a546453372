"""The list of a customer's users; search, filter, order and page live in the address. And the form of one of them."""

from functools import partial
from typing import Any, TypedDict

import anyio.to_thread
import reflex as rx

from portal_app import db
from portal_app.auth import guard
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import CUSTOMER_OPERATIONS, Permission, of_customer
from portal_app.customer_users import service
from portal_app.customer_users.query import CustomerUserQuery, path_of
from portal_app.customer_users.rows import GRANTS, UserForm
from portal_app.errors import PortalError
from portal_app.models import UserState
from portal_app.paging import counted
from portal_app.shell.account_state import enter_account
from portal_app.shell.listing import ListState, answer_to, assign
from portal_app.shell.state import NoticeState
from portal_app.times import Moment, moment
from portal_app.users.rows import STATES, UserRow
from portal_app.users.words import listed

_ACTS = {"disable": service.disable, "enable": service.enable, "delete": service.remove}
_DONE = {"disable": "was disabled.", "enable": "can sign in again.", "delete": "was deleted."}


class Line(TypedDict):
    """A line of the list, in words."""

    id: int
    email: str
    name: str
    permissions: str
    two_factor: str
    two_factor_kind: str
    last: Moment
    state: str
    state_kind: str
    invited: bool
    active: bool
    disabled: bool
    own: bool


class Grant(TypedDict):
    """A permission as a tick box."""

    key: str
    label: str
    ticked: bool
    fixed: bool


class CustomerUsersState(ListState, rx.State):
    """A page of the account's users, what is about to be done to one of them, and the form of one."""

    loading: bool = True
    path: str = ""
    lines: list[Line] = []
    state: str = ""
    sort: str = CustomerUserQuery.ORDER
    descending: bool = False

    asking: str = ""
    asked_email: str = ""
    ask_error: str = ""
    busy: bool = False

    editing: bool = False
    is_new: bool = True
    own: bool = False
    user_email: str = ""
    user_name: str = ""
    grants: list[Grant] = []
    errors: dict[str, str] = {}
    error: str = ""

    _account_id: int = 0
    _rows: dict[int, UserRow] = {}
    # Whom the dialog is about, as they were when it was opened.
    _chosen: UserRow | None = None

    @rx.event
    @guard.requires(Permission.CUSTOMER_USERS_MANAGE)
    async def load(self):
        """Show what the address asks for."""
        self.reset()
        if found := await enter_account(self):
            actor, details = found
            self._account_id, self.path = details.id, path_of(details.id)
            await self._show(actor)

    @rx.event
    @guard.requires(Permission.CUSTOMER_USERS_MANAGE)
    async def answer(self):
        """Show what the address asks for after a click on this very page, or Back, changed the question."""
        if self.router.url.path.rstrip("/") == self.path:
            await self._show(guard.actor())

    @rx.event
    @guard.requires(Permission.CUSTOMER_USERS_MANAGE)
    async def open_new(self):
        """The form of a new user."""
        self._open(guard.actor(), None)

    @rx.event
    @guard.requires(Permission.CUSTOMER_USERS_MANAGE)
    async def open_user(self, user_id: int):
        """The form of a user of the list."""
        if user_id in self._rows:
            self._open(guard.actor(), self._rows[user_id])

    @rx.event
    @guard.requires(Permission.CUSTOMER_USERS_MANAGE)
    async def ask(self, act: str, user_id: int):
        """Ask whether the user of a line is to be disabled, enabled or deleted."""
        found = self._rows.get(user_id)
        if found and act in _ACTS and user_id != guard.actor().user_id:
            self.asking, self.asked_email, self._chosen, self.ask_error = act, found.email, found, ""

    @rx.event
    @guard.requires(Permission.CUSTOMER_USERS_MANAGE)
    async def close(self):
        """Leave everybody as they are."""
        self.asking, self.editing = "", False

    @rx.event
    @guard.requires(Permission.CUSTOMER_USERS_MANAGE, fresh=True)
    async def save(self, form: dict):
        """Check and save; faults stand by their fields, and what was typed stays."""
        if self.busy or not self.editing:
            return
        self.busy, self.errors, self.error = True, {}, ""
        yield
        try:
            email = await anyio.to_thread.run_sync(self._saved, guard.actor(), _filled(form, own=self.own))
        except PortalError as refusal:
            self.errors, self.error = refusal.fields, refusal.sentence
            return
        finally:
            self.busy = False
        self.editing = False
        await self._show(guard.actor())
        done = "was added. An invitation is on its way." if self.is_new else "was saved."
        yield NoticeState.tell("green", f"{email} {done}")

    @rx.event
    @guard.requires(Permission.CUSTOMER_USERS_MANAGE, fresh=True)
    async def act(self):
        """Do what was asked about."""
        if self.asking not in _ACTS or self.busy or self._chosen is None:
            return
        act, chosen, self.busy, self.ask_error = self.asking, self._chosen, True, ""
        yield
        try:
            given = (guard.actor(), self._account_id, chosen.id, chosen.version)
            email = await anyio.to_thread.run_sync(_ACTS[act], *given)
        except PortalError as refusal:
            self.ask_error = refusal.sentence
            return
        finally:
            self.busy = False
        self.asking = ""
        await self._show(guard.actor())
        yield NoticeState.tell("green", f"{email} {_DONE[act]}")

    @rx.event
    @guard.requires(Permission.CUSTOMER_USERS_MANAGE)
    async def resend(self, user_id: int):
        """Send a user who has not confirmed yet a new link."""
        email = await anyio.to_thread.run_sync(service.resend, guard.actor(), self._account_id, user_id)
        return NoticeState.tell("green", f"A new invitation is on its way to {email}. The link before it is void.")

    def _open(self, actor: Actor, user: UserRow | None) -> None:
        self._chosen, self.is_new, self.errors, self.error = user, user is None, {}, ""
        self.user_email, self.user_name = (user.email, user.name) if user else ("", "")
        self.own = user is not None and user.id == actor.user_id
        held = of_customer(user.permissions if user else ())
        self.grants = [_grant(actor, one, held, self.own) for one in (*CUSTOMER_OPERATIONS, *GRANTS)]
        self.editing = True

    def _saved(self, actor: Actor, wanted: UserForm) -> str:
        if self._chosen is None:
            return service.add(actor, self._account_id, wanted)
        return service.change(actor, self._account_id, self._chosen.id, self._chosen.version, wanted)

    async def _show(self, actor: Actor) -> None:
        query = CustomerUserQuery.from_address(self.router.url.query_parameters, account_id=self._account_id)
        found, shown = await answer_to(query, partial(db.look, service.list_page, actor))
        self._rows = {row.id: row for row in found.rows}
        lines = [_line(row, actor) for row in found.rows]
        count = counted(found.matching, found.total, "user")
        assign(self, {"lines": lines, "count": count, "loading": False} | shown)


def _grant(actor: Actor, one: Permission, held: frozenset[Permission], own: bool) -> Grant:
    fixed = own or one in CUSTOMER_OPERATIONS or not actor.may(one)
    return Grant(key=one.value, label=one.label, ticked=one in held, fixed=fixed)


def _filled(form: dict[str, Any], *, own: bool) -> UserForm:
    typed = {key: value[:1_000] for key, value in form.items() if isinstance(value, str)}
    ticked = tuple(one.value for one in GRANTS if form.get(f"may-{one.value}"))
    return UserForm(name=typed.get("name", ""), email=typed.get("email", ""), permissions=None if own else ticked)


def _line(row: UserRow, actor: Actor) -> Line:
    state, kind = STATES[UserState(row.state)]
    return Line(
        id=row.id,
        email=row.email,
        name=row.name,
        permissions=listed(of_customer(row.permissions) - CUSTOMER_OPERATIONS) or "Access only",
        two_factor="Enabled" if row.two_factor else "Disabled",
        two_factor_kind="green" if row.two_factor else "grey",
        last=moment(row.last_sign_in_at, actor.time_zone),
        state=state,
        state_kind=kind,
        invited=row.state == UserState.INVITED,
        active=row.state == UserState.ACTIVE,
        disabled=row.state == UserState.DISABLED,
        own=row.id == actor.user_id,
    )
