"""The state of an account's settings."""

import reflex as rx

from portal_app import db
from portal_app.account_settings import service
from portal_app.account_settings.removal_state import RemovalState
from portal_app.account_settings.rows import SettingsForm
from portal_app.accounts import service as accounts
from portal_app.auth import guard
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.errors import Conflict, PortalError
from portal_app.shell.account_state import AccountFrameState, enter_account
from portal_app.shell.state import NoticeState
from portal_app.ui import Option, option

_EITHER = (Permission.ACCOUNTS_CHANGE, Permission.ACCOUNTS_REMOVE)


class AccountSettingsState(rx.State):
    """What is saved; what is typed stays in the browser's own fields."""

    ready: bool = False
    may_change: bool = False
    may_remove: bool = False
    name: str = ""
    email: str = ""
    place: str = ""
    place_id: str = ""
    places: list[Option] = []
    code: str = ""
    errors: dict[str, str] = {}
    error: str = ""
    stale: bool = False
    busy: bool = False

    _account_id: int = 0
    _seen: SettingsForm = SettingsForm()

    @rx.event
    @guard.requires(*_EITHER)
    async def load(self):
        """Show what is saved."""
        self.reset()
        (await self.get_state(RemovalState)).reset()
        # The form is made anew: its fields take what they begin with only then.
        yield
        if found := await enter_account(self):
            actor, details = found
            self._account_id = details.id
            self.may_change, self.may_remove = (actor.may(one) for one in _EITHER)
            await self._show(actor)
            self.ready = True

    @rx.event
    @guard.requires(Permission.ACCOUNTS_CHANGE)
    async def save(self, form: dict):
        """Save; faults stand by their fields, and what was typed stays."""
        if self.busy or not self.ready:
            return
        self.busy, self.errors, self.error, self.stale = True, {}, "", False
        yield
        try:
            changed = await db.work(service.save, guard.actor(), self._account_id, self._seen, _typed(form))
        except PortalError as refusal:
            self.errors, self.error, self.stale = refusal.fields, refusal.sentence, isinstance(refusal, Conflict)
            return
        finally:
            self.busy = False
        await self._show(guard.actor())
        yield NoticeState.tell("green", "Saved." if changed else "Nothing was changed.")

    async def _show(self, actor: Actor) -> None:
        found = await db.look(service.show, actor, self._account_id)
        self._seen, self.code = found.form, found.partner_code
        self.name, self.email, self.place_id = found.form.name, found.form.email, found.form.place
        self.place, self.places = found.place, [option(one.value, one.label) for one in found.places]
        details = await db.look(accounts.account_details, actor, self._account_id)
        (await self.get_state(AccountFrameState))._show(actor, details)


def _typed(form: dict[str, str]) -> SettingsForm:
    given = {name: value[:1_000] for name, value in form.items() if isinstance(value, str)}
    return SettingsForm(**{name: given.get(name, "") for name in ("name", "email", "place")})
