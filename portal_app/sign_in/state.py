"""The sign-in page's state. The password passes through and is never kept."""

import reflex as rx
from pydantic import BaseModel, ValidationError

from portal_app import db
from portal_app.auth import guard, service
from portal_app.auth.routes import local_path
from portal_app.auth.steps import StepKind
from portal_app.auth.turns import in_turn
from portal_app.demo.service import is_open
from portal_app.errors import Denied
from portal_app.oidc.outcomes import sentence
from portal_app.oidc.providers import ProviderLink, links_to
from portal_app.shell.navigation import home_of


class Credentials(BaseModel):
    """What the form sends."""

    email: str = ""
    password: str = ""


class SignInState(rx.State):
    """Email and password in, a one-time ticket out; the page posts the ticket for the cookie."""

    email: str = ""
    email_error: str = ""
    password_error: str = ""
    error: str = ""
    ticket: str = ""
    next_path: str = "/"
    providers: list[ProviderLink] = []
    demo: bool = False
    busy: bool = False
    ready: bool = False

    @rx.event
    @guard.public("the sign-in page is for people who are not signed in")
    async def load(self):
        """Prepare the page; who is signed in already goes on."""
        query = self.router.url.query_parameters
        self.reset()
        if guard.actor().signed_in:
            return rx.redirect(home_of(guard.actor()), replace=True)
        self.next_path = local_path(query.get("next", "/"))
        late = "That took too long. Please sign in again." if "again" in query else ""
        self.error = sentence(query.get("with", ""), query.get("ended", "")) or late
        self.providers = links_to(self.next_path)
        self.demo = await db.look(is_open)
        self.ready = True
        return None

    @rx.event
    @guard.public("signing in")
    async def submit(self, form: dict):
        """Check the credentials; on success the ticket makes the page send its form."""
        try:
            given = Credentials.model_validate(form)
        except ValidationError:
            return
        self.email, self.ticket = given.email.strip()[:300], ""
        self.email_error = "" if self.email else "Enter your email address."
        self.password_error = "" if given.password else "Enter your password."
        self.error = ""
        if self.email_error or self.password_error:
            return
        self.busy = True
        yield
        try:
            where = guard.actor().origin
            step = await in_turn(service.sign_in, self.email, given.password, where)
            self.ticket = step.token if step.kind == StepKind.DONE else ""
        except Denied as refusal:
            self.error = refusal.sentence
        self.busy = False
