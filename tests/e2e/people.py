"""People with browsers. Each has a browser profile of their own; whatever goes wrong in it fails the test."""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Response, expect
from sqlmodel import Session, col, select

from portal_app import db
from portal_app.auth import sessions
from portal_app.auth.actor import Origin
from portal_app.demo.people import PASSWORD
from portal_app.models import Partner, User
from tests import factories

WIDE = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
# What a browser itself calls off when a page is left.
CALLED_OFF = "net::ERR_ABORTED"
# A limit, not a wait: a busy machine may take long for what it does in a moment otherwise.
PATIENCE_MS = 30_000
# To look for races: how many times slower the pages' processor is, and how late each answer comes.
SLOWED = int(os.environ.get("E2E_SLOWED", "1"))
LATE_MS = int(os.environ.get("E2E_LATE_MS", "0"))
LATE_MESSAGES = f"""{{
  const own = Object.getOwnPropertyDescriptor(WebSocket.prototype, "onmessage");
  const late = (act) => (message) => setTimeout(act, {LATE_MS}, message);
  Object.defineProperty(WebSocket.prototype, "onmessage", {{ set(act) {{ own.set.call(this, late(act)); }} }});
}}"""

ADMIN = "admin@demo.example"
BILLING = "billing@demo.example"
LIMITED = "limited@demo.example"
CUSTOMER = "customer@demo.example"
OTHER_ADMIN = "admin@other.example"
OPERATOR = "operator@demo.example"
DEMO = frozenset({ADMIN, BILLING, LIMITED, CUSTOMER, OTHER_ADMIN, OPERATOR})


@dataclass
class People:
    """Opens pages as somebody, and remembers every fault that a page had."""

    browser: Browser
    address: str
    signed_in: dict[str, str]
    faults: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)
    contexts: list[BrowserContext] = field(default_factory=list)

    def open(self, email: str = "", path: str = "/", **options: Any) -> Page:
        """A page in a new browser profile, as this person; nobody without an email."""
        page = self.profile(email, **options).new_page()
        page.goto(path)
        return page

    def profile(self, email: str = "", **options: Any) -> BrowserContext:
        """A browser profile, signed in without the page where there is a person."""
        state = {"cookies": [self._cookie(email)], "origins": []} if email else None
        given = {"viewport": WIDE, "reduced_motion": "reduce"} | options
        context = self.browser.new_context(base_url=self.address, storage_state=state, **given)
        context.set_default_timeout(PATIENCE_MS)
        context.on("page", self._watch)
        if given.get("java_script_enabled", True):
            context.on("page", _wait_when_opening)
        self.contexts.append(context)
        return context

    def expect_fault(self, pattern: str) -> None:
        """A fault whose text matches is part of what the test does."""
        self.expected.append(pattern)

    def leave(self) -> None:
        """Close all; whatever nobody expected fails the test."""
        for context in self.contexts:
            context.close()
        unexpected = [fault for fault in self.faults if not any(re.search(one, fault) for one in self.expected)]
        assert not unexpected, "\n".join(unexpected)

    def _cookie(self, email: str) -> Any:
        if email not in self.signed_in:
            self.signed_in[email] = self._sign_in(email) if email in DEMO else db.write(_session_of, email)
        host = urlsplit(self.address).hostname
        return {
            "name": sessions.COOKIE,
            "value": self.signed_in[email],
            "domain": host,
            "path": "/",
            "expires": -1,
            "httpOnly": True,
            "secure": False,
            "sameSite": "Lax",
        }

    def _sign_in(self, email: str) -> str:
        page = self.open(path="/login")
        sign_in(page, email)
        page.wait_for_url(lambda url: urlsplit(url).path != "/login/" and "login" not in url)
        cookie = next(one for one in page.context.cookies() if one["name"] == sessions.COOKIE)
        page.context.close()
        self.contexts.remove(page.context)
        return str(cookie["value"])

    def _watch(self, page: Page) -> None:
        if SLOWED > 1 or LATE_MS:
            slow_down(page)
        page.on("console", self._note_console)
        page.on("pageerror", lambda error: self.faults.append(f"page error: {error}"))
        page.on("requestfailed", self._note_failed)
        page.on("response", self._note_answer)

    def _note_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.faults.append(f"console: {message.text} {message.location}")

    def _note_failed(self, request: Request) -> None:
        if request.failure != CALLED_OFF:
            self.faults.append(f"failed: {request.url} {request.failure}")

    def _note_answer(self, response: Response) -> None:
        if response.status >= 400:
            self.faults.append(f"answer {response.status}: {response.url}")


def slow_down(page: Page) -> None:
    """Make the page's processor and its connection as slow as the environment asks for."""
    session = page.context.new_cdp_session(page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWED})
    unlimited = {"offline": False, "downloadThroughput": -1, "uploadThroughput": -1}
    session.send("Network.emulateNetworkConditions", unlimited | {"latency": LATE_MS})
    page.add_init_script(LATE_MESSAGES)


def live(page: Page) -> None:
    """Wait until the page's load has answered: before, its controls take no click, and fields may be drawn anew."""
    expect(page.locator(".unready")).to_have_count(0)


def _wait_when_opening(page: Page) -> None:
    # A link leads on without a call of these: whatever is done or looked at then waits for the next page's load.
    page.add_locator_handler(page.locator(".unready"), lambda _page: None)
    for act in ("goto", "reload", "go_back", "go_forward"):
        setattr(page, act, _then_live(page, getattr(page, act)))


def _then_live(page: Page, act: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(act)
    def acting(*given: Any, **options: Any) -> Any:
        answer = act(*given, **options)
        live(page)
        return answer

    return acting


def sign_in(page: Page, email: str, password: str = PASSWORD) -> None:
    """Fill in and send the form that is open."""
    page.get_by_label("Email", exact=True).fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()


def ready(page: Page) -> Page:
    """The dashboard once its rows stand there."""
    expect(page.get_by_role("heading", name="Total Accounts")).to_be_visible()
    return page


def _session_of(session: Session, email: str) -> str:
    user = session.exec(select(User).where(col(User.email) == email)).one()
    token = sessions.redeem(session, sessions.new_ticket(session, user.id or 0), Origin("127.0.0.1", "Chromium"))
    assert token
    return token


@dataclass(frozen=True)
class Company:
    """A partner of one test, with its administrator."""

    partner_id: int
    email: str

    def add(self, *names: str, **given: Any) -> list[int]:
        """Add accounts with these names; their ids."""
        return db.write(self._add, names, given)

    def _add(self, session: Session, names: tuple[str, ...], given: dict[str, Any]) -> list[int]:
        partner = session.get(Partner, self.partner_id)
        assert partner
        return [int(factories.account(session, partner, name=name, **given).id or 0) for name in names]


def found(session: Session) -> Company:
    """A new partner with an administrator."""
    partner = factories.partner(session)
    return Company(int(partner.id or 0), str(factories.user(session, partner).email))
