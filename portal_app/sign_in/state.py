"""The sign-in page's state. Passwords and codes pass through and are never kept; the step's secret stays here."""

import reflex as rx

from portal_app import db, qr
from portal_app.auth import guard, passkey_sign_in, service, steps
from portal_app.auth.routes import local_path
from portal_app.auth.service import Over
from portal_app.auth.steps import Step, StepKind
from portal_app.auth.turns import in_turn
from portal_app.demo.service import is_open
from portal_app.errors import Denied, Invalid
from portal_app.oidc.outcomes import sentence
from portal_app.oidc.providers import ProviderLink, links_to
from portal_app.shell.navigation import home_of

_BEGIN = "begin"
NO_PASSKEY = "The browser gave no passkey. Try again, or sign in another way."
_SOME = "signing in: the step's own secret says whose it is"


class SignInState(rx.State):
    """Email and password in, further steps where needed, then a ticket, which the page posts for the cookie."""

    # One of StepKind's, "begin" before them, "codes" after a set-up: the recovery codes are shown.
    stage: str = _BEGIN
    email: str = ""
    errors: dict[str, str] = {}
    error: str = ""
    ticket: str = ""
    next_path: str = "/"
    providers: list[ProviderLink] = []
    demo: bool = False
    busy: bool = False
    ready: bool = False
    by_recovery_code: bool = False
    # Shown to the person who sets up a second factor, and gone with the step.
    secret: str = ""
    qr: str = ""
    qr_side: int = 0
    codes: list[str] = []
    codes_text: str = ""
    # What the browser answers with a passkey; empty while it is not asked.
    passkey_options: str = ""

    _token: str = ""

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
        await self._take_up()
        self.demo = await db.look(is_open)
        self.ready = True
        return None

    @rx.event
    @guard.public("signing in")
    async def submit(self, form: dict):
        """Check email and password."""
        email, password = _text(form, "email").strip()[:300], _text(form, "password")
        self.email, self.ticket, self.error = email, "", ""
        self.errors = _filled(email="" if email else "Enter your email address.")
        self.errors |= _filled(password="" if password else "Enter your password.")
        if self.errors:
            return
        self.busy = True
        yield
        try:
            self._stand_at(await in_turn(service.sign_in, email, password, guard.actor().origin))
        except Denied as refusal:
            self.error = refusal.sentence
        await self._prepare()
        self.busy = False

    @rx.event
    @guard.public(_SOME)
    async def verify(self, form: dict):
        """Check the second factor's code, or a recovery code."""
        code = _text(form, "code").strip()
        self.errors, self.error = _filled(code="" if code else "Enter the code."), ""
        if self.errors:
            return
        self.busy = True
        yield
        try:
            self._stand_at(await in_turn(service.verify_code, self._token, code, guard.actor().origin))
        except Over as over:
            self._begin_again(over.sentence)
        except Denied as refusal:
            self.errors = {"code": refusal.sentence}
        await self._prepare()
        self.busy = False

    @rx.event
    @guard.public("signing in: makes a question that only a passkey answers")
    async def ask_passkey(self):
        """Let the browser ask for a passkey: for the whole sign-in, or in the place of the code."""
        self.errors, self.error = {}, ""
        try:
            self.passkey_options = await db.work(passkey_sign_in.ask, self._token)
        except Over as over:
            self._begin_again(over.sentence)

    @rx.event
    @guard.public(_SOME)
    async def take_passkey(self, form: dict):
        """Check the passkey's answer."""
        self.passkey_options, answer, token = "", _text(form, "answer"), self._token
        if not answer:
            self.error = NO_PASSKEY
            return
        try:
            act = (passkey_sign_in.verify, token) if token else (passkey_sign_in.sign_in,)
            self._stand_at(await in_turn(*act, answer, guard.actor().origin))
        except Over as over:
            self._begin_again(over.sentence)
        except Denied as refusal:
            self.error = refusal.sentence

    @rx.event
    @guard.public("shows the other field in the caller's own tab")
    async def other_code(self):
        """From the app's code to a recovery code, and back."""
        self.by_recovery_code, self.errors, self.error = not self.by_recovery_code, {}, ""

    @rx.event
    @guard.public(_SOME)
    async def change(self, form: dict):
        """Replace a password that expired, or that somebody else has set."""
        given = _text(form, "password"), _text(form, "again")
        self.errors, self.error, self.busy = {}, "", True
        yield
        try:
            self._stand_at(await in_turn(service.change_expired, self._token, *given, guard.actor().origin))
        except Over as over:
            self._begin_again(over.sentence)
        except Invalid as refusal:
            self.errors = refusal.fields
        await self._prepare()
        self.busy = False

    @rx.event
    @guard.public(_SOME)
    async def enable(self, form: dict):
        """Finish the set-up of the second factor; the recovery codes are shown once."""
        self.errors, self.error = {}, ""
        try:
            codes = await in_turn(service.finish_enrolment, self._token, _text(form, "code"), guard.actor().origin)
        except Over as over:
            self._begin_again(over.sentence)
        except Denied as refusal:
            self.errors = {"code": refusal.sentence}
        else:
            self.secret, self.qr, self.qr_side = "", "", 0
            self.codes, self.codes_text, self.stage = codes, "\n".join(codes), "codes"

    @rx.event
    @guard.public(_SOME)
    async def go_on(self):
        """From the recovery codes to whatever comes next."""
        step = await db.work(steps.resume, self._token, guard.actor().origin)
        self.codes, self.codes_text = [], ""
        if step.kind == StepKind.REFUSED:
            self._begin_again(service.OVER)
        else:
            self._stand_at(step)
            await self._prepare()

    @rx.event
    @guard.public("goes back to the first step in the caller's own tab")
    async def start_over(self):
        """Sign in as somebody else."""
        self._begin_again("")

    def _stand_at(self, step: Step) -> None:
        """Show what is asked for next; a ticket makes the page send its form."""
        if step.kind == StepKind.DONE:
            self.ticket, self._token = step.token, ""
        else:
            self.stage, self._token = step.kind.value, step.token
            self.errors, self.error, self.by_recovery_code = {}, "", False

    async def _take_up(self) -> None:
        """Go on where a sign-in stands that another company's page began; its cookie brings the step's token."""
        token = steps.token_in(self.router.headers.cookie)
        step = await db.look(steps.standing, token) if token else steps.REFUSED
        if step.kind not in (StepKind.REFUSED, StepKind.DONE):
            self._stand_at(step)
            await self._prepare()

    async def _prepare(self) -> None:
        """What the step shows beside its form."""
        if self.stage != StepKind.ENROL or self.secret or self.ticket:
            return
        found = await db.work(steps.enrol, self._token)
        if found is None:
            self._begin_again(service.OVER)
        else:
            self.secret, (self.qr, self.qr_side) = found.secret, qr.path_of(found.uri)

    def _begin_again(self, sentence: str) -> None:
        kept = {name: getattr(self, name) for name in ("email", "next_path", "demo", "providers")}
        self.reset()
        for name, value in kept.items():
            setattr(self, name, value)
        self.ready, self.error = True, sentence


def _text(form: dict, name: str) -> str:
    value = form.get(name, "")
    return value if isinstance(value, str) else ""


def _filled(**faults: str) -> dict[str, str]:
    return {field: sentence for field, sentence in faults.items() if sentence}
