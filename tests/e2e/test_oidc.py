"""Signing in with Google and Microsoft through the real page, with a provider that is not of our making."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlmodel import Session, col, select

from portal_app import clock, db
from portal_app.models import SignInType, User
from tests import stores
from tests.e2e.people import LIMITED, People, ready
from tests.e2e.servers import Portal
from tests.oidc import real
from tests.oidc.real import Real
from tests.stores import Template


@pytest.fixture(scope="module")
def provider() -> Iterator[Real]:
    with real.running() as server:
        yield server


@pytest.fixture
def google_portal(pages: None, demo_of_now: Template, tmp_path: Path, provider: Real) -> Iterator[Portal]:
    folder = tmp_path / "own"
    folder.mkdir()
    server = Portal(demo_of_now.copy(folder))
    client, secret = provider.register(f"{server.address}/auth/oidc/google/callback")
    names = {"PUBLIC_URL": server.address, "GOOGLE_ISSUER": provider.address}
    names |= {"GOOGLE_CLIENT_ID": client, "GOOGLE_CLIENT_SECRET": secret}
    server.settings = {f"PORTAL_{name}": value for name, value in names.items()}
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
def page(browser: Browser, google_portal: Portal, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    stores.enter(google_portal.store, monkeypatch)
    db.write(_sign_in_with_google)
    visitors = People(browser, google_portal.address, {})
    # The provider's own page wants a style sheet from elsewhere, and has no icon.
    visitors.expect_fault("cdn.jsdelivr.net|favicon.ico")
    yield visitors.open(path="/login")
    visitors.leave()


def _user(session: Session) -> User:
    return session.exec(select(User).where(col(User.email) == LIMITED)).one()


def _sign_in_with_google(session: Session) -> None:
    user = _user(session)
    user.sign_in_type, user.password_hash = SignInType.GOOGLE, None


def _turn_on_second_factor(session: Session) -> None:
    _user(session).totp_enabled_at = clock.now()


def _go(page: Page, subject: str) -> None:
    page.get_by_role("link", name="Sign in with Google").click()
    page.locator("input[name=sub]").fill(subject)
    page.locator("button, input[type=submit]").first.click()


def test_there_and_back(page: Page, provider: Real) -> None:
    provider.person("limited", email=LIMITED, email_verified=True)
    provider.person("stranger", email="stranger@nowhere.example", email_verified=True)
    expect(page.get_by_role("link", name="Sign in with Microsoft")).to_have_count(0)
    _go(page, "stranger")
    expect(page.get_by_role("alert").filter(has_text="This Google account can't sign in here.")).to_be_visible()
    _go(page, "limited")
    ready(page)
    expect(page.get_by_role("banner")).to_contain_text(LIMITED)
    page.get_by_role("button", name="Log Out").click()
    db.write(_turn_on_second_factor)
    expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_enabled()
    _go(page, "limited")
    expect(page.get_by_role("heading", name="Two-factor authentication")).to_be_visible()
    assert "token" not in page.url
