"""The states of the two pages for a forgotten password."""

import asyncio

import anyio.to_thread
import reflex as rx

from portal_app import db
from portal_app.auth import guard
from portal_app.auth.turns import in_turn
from portal_app.errors import Conflict, Denied, Invalid
from portal_app.security import resets
from portal_app.text import clean, email_fault

# Longer than any of the two answers takes, so that both take as long.
_ANSWERS_AFTER_SECONDS = 0.5


class ForgotState(rx.State):
    """Asks for a link. The answer is the same for every address, in words and in time."""

    email_error: str = ""
    error: str = ""
    busy: bool = False
    sent: bool = False

    @rx.event
    @guard.public("for people who can't sign in")
    async def load(self):
        """Prepare the page."""
        self.reset()

    @rx.event
    @guard.public("asking for a link, which goes to the address itself")
    async def submit(self, form: dict):
        """Mail the link if there is somebody to get it."""
        given = form.get("email")
        email = clean(given)[:300]
        self.email_error, self.error = email_fault(email), ""
        if self.email_error:
            return
        self.busy = True
        yield
        try:
            asking = anyio.to_thread.run_sync(resets.ask, email, guard.actor().origin)
            await asyncio.gather(asking, asyncio.sleep(_ANSWERS_AFTER_SECONDS))
            self.sent = True
        except Denied as refusal:
            self.error = refusal.sentence
        self.busy = False


class ResetState(rx.State):
    """Takes the new password. The link's token leaves the address at once and stays here."""

    ready: bool = False
    good: bool = False
    done: bool = False
    busy: bool = False
    errors: dict[str, str] = {}

    _token: str = ""

    @rx.event
    @guard.public("the link's token says whose password it is")
    async def load(self):
        """Take the token out of the address; without one, look at the one that was taken."""
        self.errors = {}
        if token := self.router.url.query_parameters.get("token", ""):
            self.reset()
            self._token = token
            # The token would else stay in the history, and go to wherever the page leads. The page loads once more.
            return rx.redirect("/reset", replace=True)
        if self._token and not self.done:
            try:
                self.good = await db.look(resets.is_good, self._token, guard.actor().origin)
            except Denied:
                return rx.redirect(guard.ACCESS_DENIED, replace=True)
        self.ready = True
        return None

    @rx.event
    @guard.public("the link's token says whose password it is")
    async def submit(self, form: dict):
        """Replace the password."""
        given = [value if isinstance(value := form.get(name), str) else "" for name in ("password", "again")]
        self.errors, self.busy = {}, True
        yield
        try:
            await in_turn(resets.finish, self._token, *given, guard.actor().origin)
            self.done, self._token = True, ""
        except Invalid as refusal:
            self.errors = refusal.fields
        except Conflict:
            self.good = False
        except Denied:
            yield rx.redirect(guard.ACCESS_DENIED, replace=True)
        self.busy = False
