"""Both providers configured as fakes, and a browser that goes there and comes back."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from sqlmodel import Session, select
from starlette.applications import Starlette

from portal_app import db
from portal_app.auth import limiter, sessions
from portal_app.auth.actor import Actor, Origin
from portal_app.models import AuditEvent, ExternalIdentity, SignInType, User
from portal_app.oidc import exchange, routes
from portal_app.settings import reset_settings
from portal_app.shell import http
from tests.cast import HERE, Cast, cast
from tests.oidc import fake
from tests.oidc.fake import Fake

__all__ = ["cast"]
OWN = {"Sec-Fetch-Site": "same-origin"}
PUBLIC = "http://portal.example"


@pytest.fixture(autouse=True)
def _nothing_known_yet() -> Iterator[None]:
    limiter.reset_limits()
    exchange.forget()
    yield
    limiter.reset_limits()
    exchange.forget()


@pytest.fixture
def google() -> Iterator[Fake]:
    with fake.running() as provider:
        yield provider


@pytest.fixture
def microsoft() -> Iterator[Fake]:
    """Microsoft as it speaks for many tenants."""
    with fake.running("/{tenantid}/v2.0") as provider:
        yield provider


@pytest.fixture(autouse=True)
def configured(google: Fake, microsoft: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "PUBLIC_URL": PUBLIC,
        "GOOGLE_CLIENT_ID": fake.CLIENT,
        "GOOGLE_CLIENT_SECRET": fake.SECRET,
        "GOOGLE_ISSUER": google.address,
        "MICROSOFT_CLIENT_ID": fake.CLIENT,
        "MICROSOFT_CLIENT_SECRET": fake.SECRET,
        "MICROSOFT_ISSUER": f"{microsoft.address}/organizations/v2.0",
    }.items():
        monkeypatch.setenv(f"PORTAL_{name}", value)
    reset_settings()


@dataclass
class Browser:
    """Keeps its cookies, follows nothing by itself."""

    peer: str = HERE.address
    cookies: httpx.Cookies = field(default_factory=httpx.Cookies)

    def get(self, path: str, headers: dict[str, str] | None = None, **given: Any) -> httpx.Response:
        async def run() -> httpx.Response:
            app = http.outermost(Starlette(routes=[*routes.routes]))
            transport = httpx.ASGITransport(app, client=(self.peer, 50_000))
            async with httpx.AsyncClient(transport=transport, base_url=PUBLIC, cookies=self.cookies) as client:
                answer = await client.get(path, headers=headers or {}, **given)
                self.cookies = client.cookies
                return answer

        return asyncio.run(run())

    def leave(self, key: str, provider: Fake, path: str = "") -> dict[str, str]:
        """Press the button; the fake remembers what was asked. What goes to the provider."""
        answer = self.get(f"/auth/oidc/{key}/start", OWN, params={"next": path} if path else None)
        assert answer.status_code == 303, answer.text
        target = urlsplit(answer.headers["location"])
        assert f"{target.scheme}://{target.netloc}{target.path}" == f"{provider.address}/authorize", answer.headers
        asked = dict(parse_qsl(target.query))
        provider.nonce, provider.challenge = asked["nonce"], asked["code_challenge"]
        return asked

    def come_back(self, key: str, **given: str) -> httpx.Response:
        return self.get(f"/auth/oidc/{key}/callback", {"Sec-Fetch-Site": "cross-site"}, params=given)

    def sign_in(self, key: str, provider: Fake, path: str = "", **claims: Any) -> httpx.Response:
        """All of it, as the person whom the claims describe."""
        provider.claims = claims
        return self.come_back(key, state=self.leave(key, provider, path)["state"], code="the-code")

    @property
    def who(self) -> Actor:
        return db.read(sessions.identify, self.cookies.get(sessions.COOKIE), Origin(self.peer))


@pytest.fixture
def browser(database: Any) -> Browser:
    return Browser()


@pytest.fixture
def give_type(database: Any) -> Callable[..., User]:
    """Change how somebody signs in."""

    def give(user: User, kind: SignInType, **given: Any) -> User:
        def change(session: Session) -> User:
            row = session.get_one(User, user.id)
            for name, value in {"sign_in_type": kind, "password_hash": None, **given}.items():
                setattr(row, name, value)
            session.add(row)
            return row

        return db.write(change)

    return give


@pytest.fixture
def alice(cast: Cast, give_type: Callable[..., User]) -> User:
    """An administrator who signs in with Google."""
    return give_type(cast.alice, SignInType.GOOGLE)


@pytest.fixture
def bob(cast: Cast, give_type: Callable[..., User]) -> User:
    """Somebody who signs in with Microsoft."""
    return give_type(cast.bob, SignInType.AZURE)


def audit() -> list[tuple[str, bool, str]]:
    """Who, completed or not, and the words."""
    with db.reading() as session:
        rows = session.exec(select(AuditEvent).order_by(AuditEvent.id)).all()
        return [(row.performed_by, row.completed, row.description) for row in rows]


def identities() -> list[ExternalIdentity]:
    with db.reading() as session:
        return list(session.exec(select(ExternalIdentity)).all())


def ended(answer: httpx.Response) -> str:
    """How a sign-in ended, as the sign-in page is told; fails when somebody was let in."""
    assert answer.status_code == 303
    target = urlsplit(answer.headers["location"])
    assert target.path == "/login", answer.headers
    assert sessions.COOKIE not in str(answer.headers.get_list("set-cookie"))
    return dict(parse_qsl(target.query)).get("ended", "")
