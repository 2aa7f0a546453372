"""The state of + Add New Account. Passwords and credentials pass through and are never kept."""

from typing import Any, TypedDict

import anyio.to_thread
import reflex as rx
from pydantic import ValidationError

from portal_app import db
from portal_app.accounts import adding, storage_credentials
from portal_app.accounts.plans import KINDS, joined, split
from portal_app.auth import guard, passwords
from portal_app.auth.permissions import Permission
from portal_app.errors import Invalid
from portal_app.shell.state import enter, tell_on_next_page
from portal_app.text import clean


class Place(TypedDict):
    """One entry of Data Center Location."""

    value: str
    label: str
    hint: str


class NewAccountState(rx.State):
    """The form's choices and faults; what is typed stays in the browser's own fields."""

    partner_code: str = ""
    places: list[Place] = []
    place: str = ""
    kind: str = "trial"
    plan: str = "monthly"
    password_mode: str = "typed"
    errors: dict[str, str] = {}
    error: str = ""
    strength: int = 0
    strength_words: str = ""
    busy: bool = False
    ready: bool = False

    _added: bool = False

    @rx.event
    @guard.requires(Permission.ACCOUNTS_ADD)
    async def load(self):
        """An empty form with the partner's defaults."""
        actor = await enter(self)
        self.reset()
        begin = await db.look(adding.start, actor)
        self.partner_code, self.place = begin.partner_code, begin.place
        self.places = [Place(value=p.value, label=p.label, hint="") for p in begin.places]
        self.kind, self.plan = split(begin.subscription)
        self.ready = True

    @rx.event
    @guard.requires(Permission.ACCOUNTS_ADD)
    async def choose_place(self, value: str):
        """Another location; custom storages ask for their credentials."""
        self.place = str(value)[:40]
        self.errors = {
            name: text for name, text in self.errors.items() if name in {"name", "email", "password", "retype"}
        }

    @rx.event
    @guard.requires(Permission.ACCOUNTS_ADD)
    async def choose_kind(self, value: str):
        """How the account begins."""
        self.kind = value if value in dict(KINDS) else "trial"

    @rx.event
    @guard.requires(Permission.ACCOUNTS_ADD)
    async def choose_plan(self, value: str):
        """Monthly or annual."""
        self.plan = "annual" if value == "annual" else "monthly"

    @rx.event
    @guard.requires(Permission.ACCOUNTS_ADD)
    async def choose_password_mode(self, value: str):
        """A password from the partner, or an invitation in which the customer chooses it."""
        self.password_mode = "mail" if value == "mail" else "typed"

    @rx.event
    @guard.requires(Permission.ACCOUNTS_ADD)
    async def weigh_password(self, password: str):
        """Show how strong the password is while it is typed."""
        self.strength, self.strength_words = passwords.strength(str(password)) if password else (0, "")

    @rx.event
    @guard.requires(Permission.ACCOUNTS_ADD)
    async def add(self, form: dict):
        """Check and save; faults stand by their fields, and what was typed stays."""
        if self.busy or self._added:
            return
        self.busy, self.errors, self.error = True, {}, ""
        yield
        try:
            filled = self._filled(form)
            await anyio.to_thread.run_sync(adding.add, guard.actor(), filled)
        except Invalid as refusal:
            self.errors, self.error = refusal.fields, refusal.sentence
            return
        finally:
            self.busy = False
        self._added = True
        invited = " An invitation is on its way to the customer." if filled.by_mail else ""
        await tell_on_next_page(self, f"{clean(filled.name)} was added.{invited}")
        yield rx.redirect("/")

    def _filled(self, form: dict[str, Any]) -> adding.NewAccount:
        typed = {key: value for key, value in form.items() if isinstance(value, str)}
        storage = storage_credentials.from_form(typed)
        try:
            return adding.NewAccount(
                name=typed.get("name", ""),
                email=typed.get("email", ""),
                password=typed.get("password", ""),
                retype=typed.get("retype", ""),
                by_mail=self.password_mode == "mail",
                place=self.place,
                subscription=joined(self.kind, self.plan),
                storage=storage,
            )
        except ValidationError:
            raise Invalid("A field holds far too much text. Please shorten it.") from None
