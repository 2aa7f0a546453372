"""The page behind an invitation's link. Opening it spends nothing; the password passes through and is never kept."""

import reflex as rx

from portal_app import db
from portal_app.auth import guard, passwords
from portal_app.auth.turns import in_turn
from portal_app.errors import Denied, Invalid
from portal_app.users import invitations
from portal_app.users.rows import TYPES

PATH = "/invitation"
_NO_LINK = "Open the link in your invitation once more."


class InvitationState(rx.State):
    """Who is invited, or why the link is good no more."""

    loading: bool = True
    email: str = ""
    name: str = ""
    type: str = ""
    sets_password: bool = False
    refusal: str = ""
    errors: dict[str, str] = {}
    strength: int = 0
    strength_words: str = ""
    busy: bool = False
    done: bool = False

    _token: str = ""

    @rx.event
    @guard.public("who is invited can't sign in yet")
    async def load(self):
        """Keep the link's token here and take it out of the address; then say who is invited."""
        if token := self.router.url.query_parameters.get("token", ""):
            self.reset()
            self._token = token
            return rx.redirect(PATH, replace=True)
        if not self.done:
            await self._look()
        self.loading = False
        return None

    @rx.event
    @guard.public("who is invited can't sign in yet")
    async def weigh_password(self, password: str):
        """Show how strong the password is while it is typed."""
        self.strength, self.strength_words = passwords.strength(password) if password else (0, "")

    @rx.event
    @guard.public("who is invited can't sign in yet")
    async def accept(self, form: dict):
        """Confirm the address; set the password where there is none."""
        if self.busy or self.done or not self._token:
            return
        self.busy, self.errors = True, {}
        yield
        typed = [form.get(name) for name in ("password", "retype")]
        password, retype = (value if isinstance(value, str) else "" for value in typed)
        try:
            await in_turn(invitations.accept, self._token, password, retype, guard.actor().origin)
            self.done, self._token = True, ""
        except Invalid as refusal:
            self.errors = refusal.fields
        except Denied as refusal:
            self.refusal = refusal.sentence
        finally:
            self.busy = False

    async def _look(self) -> None:
        try:
            if not self._token:
                raise Denied(_NO_LINK)
            guest = await db.look(invitations.look, self._token, guard.actor().origin)
        except Denied as refusal:
            self.refusal = refusal.sentence
            return
        self.email, self.name, self.sets_password = guest.email, guest.name, guest.sets_password
        self.type, self.refusal = TYPES[guest.type], ""
