"""The whole sign-in with a provider that is not of our making."""

from collections.abc import Iterator

import httpx
import pytest

from portal_app.models import User
from portal_app.oidc import exchange
from portal_app.settings import reset_settings
from tests.oidc import real
from tests.oidc.conftest import OWN, PUBLIC, Browser, ended
from tests.oidc.real import Real


@pytest.fixture(scope="module")
def server() -> Iterator[Real]:
    with real.running() as provider:
        yield provider


@pytest.fixture
def provider(server: Real, configured: None, monkeypatch: pytest.MonkeyPatch) -> Real:
    client, secret = server.register(f"{PUBLIC}/auth/oidc/google/callback")
    for name, value in {"ISSUER": server.address, "CLIENT_ID": client, "CLIENT_SECRET": secret}.items():
        monkeypatch.setenv(f"PORTAL_GOOGLE_{name}", value)
    reset_settings()
    return server


def _sign_in_there(browser: Browser, subject: str) -> httpx.Response:
    """Press the button here, sign in there, come back."""
    away = browser.get("/auth/oidc/google/start", OWN).headers["location"]
    back = httpx.post(away, data={"sub": subject}).headers["location"]
    assert back.startswith(f"{PUBLIC}/auth/oidc/google/callback?")
    return browser.get(back.removeprefix(PUBLIC), {"Sec-Fetch-Site": "cross-site"})


def test_a_person_signs_in(browser: Browser, provider: Real, alice: User) -> None:
    provider.person("alice", email=alice.email, email_verified=True)
    answer = _sign_in_there(browser, "alice")
    assert answer.headers["location"] == "/"
    assert browser.who.user_id == alice.id


def test_a_person_whose_address_is_not_verified_does_not(browser: Browser, provider: Real, alice: User) -> None:
    provider.person("mallory", email=alice.email, email_verified=False)
    assert ended(_sign_in_there(browser, "mallory")) == "refused"


def test_a_person_who_does_not_want_to_comes_back(browser: Browser, provider: Real) -> None:
    away = browser.get("/auth/oidc/google/start", OWN).headers["location"]
    back = httpx.post(away, data={"action": "deny"}).headers["location"]
    # This provider forgets the state when somebody says no.
    assert ended(browser.get(back.removeprefix(PUBLIC))) == "late"


def test_a_wrong_secret_is_told_to_the_log(
    browser: Browser, provider: Real, alice: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    provider.person("alice", email=alice.email, email_verified=True)
    monkeypatch.setenv("PORTAL_GOOGLE_CLIENT_SECRET", "another")
    reset_settings()
    assert ended(_sign_in_there(browser, "alice")) == "down"
    assert "OAuthError invalid_client" in caplog.text


def test_it_compares_the_redirect_uri(browser: Browser, provider: Real, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTAL_PUBLIC_URL", "http://other.example")
    reset_settings()
    away = browser.get("/auth/oidc/google/start", OWN).headers["location"]
    assert httpx.get(away).status_code == 400


def test_a_token_of_the_provider_for_another_sign_in_is_refused(
    browser: Browser, provider: Real, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.person("alice", email=alice.email, email_verified=True)
    monkeypatch.setattr(exchange, "nonce_of", lambda _secret: f"other-{browser.who.user_id}-{len(browser.cookies)}")
    assert ended(_sign_in_there(browser, "alice")) == "down"
