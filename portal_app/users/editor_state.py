"""The editor of a user. What is typed stays in the browser's own fields; what is ticked is kept as changes."""

from dataclasses import asdict
from typing import Any, TypedDict

import reflex as rx

from portal_app import db
from portal_app.auth import guard, passwords
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import ACCOUNT_OPERATIONS, IN_ORDER, OPENS_ACCOUNT_OPERATIONS, Permission
from portal_app.auth.turns import in_turn
from portal_app.errors import Conflict, PortalError
from portal_app.models import Role, SignInType
from portal_app.oidc.providers import configured
from portal_app.paging import LONGEST_SEARCH, pages_of
from portal_app.shell.state import enter, tell_on_next_page
from portal_app.users import service
from portal_app.users.choice import Changes, tick, tick_all
from portal_app.users.forms import Wanted
from portal_app.users.query import PATH
from portal_app.users.rows import TYPES, AccountChoice, Asked, UserDetails

PAGE_SIZE = 25
# What opens the others stands first.
_GROUPS = {
    "portal": [one for one in IN_ORDER if one not in ACCOUNT_OPERATIONS],
    "account": [one for one in IN_ORDER if one in ACCOUNT_OPERATIONS],
}


class Operation(TypedDict):
    """A permission as a tick box."""

    key: str
    label: str
    ticked: bool
    fixed: bool


class AccountTick(TypedDict):
    """An account as a tick box."""

    id: int
    name: str
    email: str
    ticked: bool


class UserEditorState(rx.State):
    """A new user, or one that is there."""

    ready: bool = False
    missing: bool = False
    is_new: bool = True
    user_email: str = ""
    user_name: str = ""
    type: str = SignInType.EMAIL
    type_words: str = TYPES[SignInType.EMAIL]
    type_works: bool = True
    password_mode: str = "invite"
    role: str = Role.CUSTOM
    portal_operations: list[Operation] = []
    account_operations: list[Operation] = []
    may_make_administrator: bool = False
    all_accounts: bool = True
    locked: str = ""
    email_fixed: bool = False
    type_fixed: bool = False
    access_fixed: bool = False
    accounts_fixed: bool = False

    accounts: list[AccountTick] = []
    search: str = ""
    page: int = 1
    pages: int = 1
    matching: int = 0
    total: int = 0
    chosen: int = 0
    choice_error: str = ""

    errors: dict[str, str] = {}
    error: str = ""
    stale: bool = False
    busy: bool = False
    strength: int = 0
    strength_words: str = ""

    _user_id: int = 0
    _version: int = 0
    _granted: list[str] = []
    _changes: Changes = ()
    _saved: bool = False

    @rx.event
    @guard.requires(Permission.USERS_MANAGE)
    async def load(self):
        """The form of a new user, or of the one in the address."""
        actor = await enter(self)
        self.reset()
        # The form is made anew: its fields take what they begin with only then.
        yield
        wanted = self.router.url.path.rstrip("/").rpartition("/")[2]
        self.is_new = wanted == "new"
        try:
            found = await self._found(actor, wanted)
        except PortalError:
            self.missing = True
            return
        self._fill(actor, found)
        await self._show_accounts(actor)
        self.ready = True

    @rx.event
    @guard.requires(Permission.USERS_MANAGE)
    async def choose_type(self, value: str):
        """Another way to sign in."""
        if value in TYPES and not self.type_fixed:
            self._choose_type(value)

    @rx.event
    @guard.requires(Permission.USERS_MANAGE)
    async def choose_password_mode(self, value: str):
        """By invitation, or a first password from the administrator."""
        self.password_mode = "typed" if value == "typed" else "invite"

    @rx.event
    @guard.requires(Permission.USERS_MANAGE)
    async def weigh_password(self, password: str):
        """Show how strong the password is while it is typed."""
        self.strength, self.strength_words = passwords.strength(password) if password else (0, "")

    @rx.event
    @guard.requires(Permission.USERS_MANAGE)
    async def choose_role(self, value: str):
        """Administrator ticks every operation; what was ticked for Custom is kept."""
        if not self.access_fixed and (value == Role.CUSTOM or self.may_make_administrator):
            self.role = Role.ADMINISTRATOR if value == Role.ADMINISTRATOR else Role.CUSTOM
            self._show_operations(guard.actor())

    @rx.event
    @guard.requires(Permission.USERS_MANAGE)
    async def tick_operation(self, key: str, ticked: bool):
        """Tick or untick an operation."""
        shown = [*self.portal_operations, *self.account_operations]
        if any(one["key"] == key and not one["fixed"] for one in shown):
            rest = [other for other in self._granted if other != key]
            self._granted = [*rest, key] if ticked else rest
            if not OPENS_ACCOUNT_OPERATIONS & set(self._granted):
                self._granted = [other for other in self._granted if other not in ACCOUNT_OPERATIONS]
        self._show_operations(guard.actor())

    @rx.event
    @guard.requires(Permission.USERS_MANAGE)
    async def choose_all_accounts(self, value: str):
        """All accounts, future ones included; or those of a list."""
        if not self.accounts_fixed:
            self.all_accounts = value == "all"
            await self._show_accounts(guard.actor())

    @rx.event
    @guard.requires(Permission.USERS_MANAGE)
    async def search_accounts(self, text: str):
        """Look for accounts while the user types."""
        self.search, self.page = text[:LONGEST_SEARCH], 1
        await self._show_accounts(guard.actor())

    @rx.event
    @guard.requires(Permission.USERS_MANAGE)
    async def turn_page(self, by: int):
        """Another page of accounts."""
        self.page = min(max(1, self.page + by), self.pages)
        await self._show_accounts(guard.actor())

    @rx.event
    @guard.requires(Permission.USERS_MANAGE)
    async def tick_account(self, account_id: int, ticked: bool):
        """Tick or untick one account of the page."""
        if not self.accounts_fixed and any(line["id"] == account_id for line in self.accounts):
            self._change(lambda: tick(self._changes, account_id, ticked))
            await self._show_accounts(guard.actor())

    @rx.event
    @guard.requires(Permission.USERS_MANAGE)
    async def tick_matching(self, ticked: bool):
        """Tick or untick all accounts that match the search, on every page."""
        if not self.accounts_fixed:
            self._change(lambda: tick_all(self._changes, self.search.strip(), ticked))
            await self._show_accounts(guard.actor())

    @rx.event
    @guard.requires(Permission.USERS_MANAGE, fresh=True)
    async def save(self, form: dict):
        """Check and save; faults stand by their fields, and what was typed stays."""
        if self.busy or self._saved or not self.ready:
            return
        self.busy, self.errors, self.error, self.stale = True, {}, "", False
        yield
        try:
            email = await self._save(self._filled(form))
        except PortalError as refusal:
            self.errors, self.error = refusal.fields, refusal.sentence
            self.stale = isinstance(refusal, Conflict)
            return
        finally:
            self.busy = False
        self._saved = True
        done = f"{email} was added. An invitation is on its way." if self.is_new else f"{email} was saved."
        await tell_on_next_page(self, done)
        yield rx.redirect(PATH)

    async def _found(self, actor: Actor, wanted: str) -> UserDetails:
        if wanted == "new":
            return UserDetails(all_accounts=actor.all_accounts)
        number = int(wanted) if wanted.isascii() and wanted.isdecimal() and len(wanted) < 12 else 0
        return await db.look(service.details, actor, number)

    def _fill(self, actor: Actor, found: UserDetails) -> None:
        self._user_id, self._version, self._granted = found.id, found.version, list(found.permissions)
        self.user_email, self.user_name, self.role = found.email, found.name, found.role
        self._choose_type(found.type)
        self.type_words, self.all_accounts, self.locked = TYPES[found.type], found.all_accounts, found.locked
        self.email_fixed, self.type_fixed = "email" in found.fixed, "type" in found.fixed
        self.access_fixed, self.accounts_fixed = "access" in found.fixed, "accounts" in found.fixed
        self.may_make_administrator = actor.permissions == frozenset(Permission)
        self._show_operations(actor)

    def _choose_type(self, kind: str) -> None:
        self.type = kind
        self.type_works = kind == SignInType.EMAIL or kind in {one.sign_in_type for one in configured()}

    def _show_operations(self, actor: Actor) -> None:
        every, granted = self.role == Role.ADMINISTRATOR, set(self._granted)
        opened = bool(OPENS_ACCOUNT_OPERATIONS & granted)
        shown = {
            name: [
                Operation(
                    key=one.value,
                    label=one.label,
                    ticked=every or one in granted,
                    fixed=every or self.access_fixed or not actor.may(one) or (name == "account" and not opened),
                )
                for one in group
            ]
            for name, group in _GROUPS.items()
        }
        self.portal_operations, self.account_operations = shown["portal"], shown["account"]

    def _change(self, make: Any) -> None:
        self.choice_error = ""
        try:
            self._changes = make()
        except Conflict as refusal:
            self.choice_error = refusal.sentence

    async def _show_accounts(self, actor: Actor) -> None:
        if self.all_accounts:
            self.accounts = []
            return
        found = await self._choice(actor)
        self.pages = pages_of(found.matching, PAGE_SIZE)
        if self.page > self.pages:
            self.page = self.pages
            found = await self._choice(actor)
        self.accounts = [AccountTick(**asdict(line)) for line in found.lines]
        self.matching, self.total, self.chosen = found.matching, found.total, found.ticked

    async def _choice(self, actor: Actor) -> AccountChoice:
        asked = Asked(self.search.strip(), self.page, PAGE_SIZE)
        return await db.look(service.accounts_to_choose, actor, self._user_id, asked, self._changes)

    async def _save(self, wanted: Wanted) -> str:
        actor = guard.actor()
        if self.is_new:
            return await in_turn(service.add, actor, wanted)
        return await in_turn(service.change, actor, self._user_id, self._version, wanted)

    def _filled(self, form: dict[str, Any]) -> Wanted:
        typed = {key: value[:1_000] for key, value in form.items() if isinstance(value, str)}
        return Wanted(
            email=self.user_email if self.email_fixed else typed.get("email", ""),
            name=typed.get("name", ""),
            type=self.type,
            by_invitation=self.password_mode != "typed",
            password=typed.get("password", ""),
            retype=typed.get("retype", ""),
            role=self.role,
            permissions=tuple(self._granted),
            all_accounts=self.all_accounts,
            changes=() if self.all_accounts or self.accounts_fixed else self._changes,
        )
