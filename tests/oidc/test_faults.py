"""What a provider, or somebody between, may send: nothing of it lets anybody in."""

import json
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from joserfc.jwk import OctKey

from portal_app import clock, db
from portal_app.models import ProviderSignIn, User
from portal_app.oidc import exchange
from portal_app.oidc.service import LIFE
from portal_app.settings import reset_settings
from tests.oidc import fake
from tests.oidc.conftest import Browser, ended, identities
from tests.oidc.fake import SECRET, Fake

VERIFIED = {"email_verified": True}
Break = Callable[[Fake], Any]
# As of the collection: the run takes some of the time between.
NOW, A_DAY = int(time.time()), 86_400


def _says(**claims: Any) -> Break:
    return lambda provider: provider.claims.update(claims)


def _answers(path: str, status: int, body: bytes) -> Break:
    return lambda provider: provider.instead.update({path: (status, body)})


def _signs(key: Any, **header: Any) -> Break:
    def change(provider: Fake) -> None:
        provider.signs_with = key
        provider.header = {"alg": "RS256", "kid": "one"} | header

    return change


def _describes(**facts: Any) -> Break:
    return lambda provider: provider.facts.update(facts)


BROKEN: dict[str, Break] = {
    "signed by another key of the same name": _signs(fake.key("two")),
    "signed by an unknown key": _signs(fake.key("two"), kid="two"),
    "signed by nobody": _signs(OctKey.import_key("x" * 32), alg="none"),
    "signed with the client's secret": _signs(OctKey.import_key(SECRET), alg="HS256"),
    "another nonce": _says(nonce="other"),
    "no nonce": _says(nonce=None),
    "empty nonce": _says(nonce=""),
    "for another client": _says(aud="other"),
    "for nobody": _says(aud=None),
    "for two without saying for whom": _says(aud=[fake.CLIENT, "other"]),
    "for us, used by another": _says(aud=[fake.CLIENT, "other"], azp="other"),
    "from another issuer": _says(iss="https://accounts.google.com"),
    "from an issuer that begins alike": _says(iss="http://127.0.0.1"),
    "from nobody": _says(iss=None),
    "expired": _says(exp=NOW - 120),
    "without an end": _says(exp=None),
    "without a beginning": _says(iat=None),
    "issued in the future": _says(iat=NOW + A_DAY),
    "not valid yet": _says(nbf=NOW + A_DAY),
    "with a time that is none": _says(exp="tomorrow"),
    "about nobody": _says(sub=None),
    "about an empty name": _says(sub=""),
    "about a number": _says(sub=7),
    "about a name that is too long": _says(sub="x" * 256),
    "about a name with strange characters": _says(sub="s\u00fcbject"),
    "of another access token": _says(at_hash="AAAAAAAAAAAAAAAAAAAAAA"),
    "no token at all": _answers("/token", 200, b'{"access_token": "a", "token_type": "Bearer"}'),
    "a token that is none": _answers("/token", 200, b'{"access_token": "a", "id_token": "a.b.c"}'),
    "a token that is a number": _answers("/token", 200, b'{"access_token": "a", "id_token": 7}'),
    "the code is refused": _answers("/token", 400, b'{"error": "invalid_grant", "error_description": "x"}'),
    "the token's place is broken": _answers("/token", 500, b"oh"),
    "the token's place sends garbage": _answers("/token", 200, b"\xff\xfe<html>"),
    "the token's place sends a list": _answers("/token", 200, b"[1]"),
    "the token's place sends elsewhere": _answers("/token", 307, b"http://127.0.0.1:9/token"),
    "the keys are garbage": _answers("/jwks", 200, b'{"keys": [1]}'),
    "the keys are missing": _answers("/jwks", 200, b"{}"),
    "the keys are gone": _answers("/jwks", 404, b"{}"),
    "too many keys": _answers("/jwks", 200, b'{"keys": []}' + b" " * exchange.LARGEST),
    "the description is another's": _describes(issuer="https://accounts.google.com"),
    "the description is gone": _answers("/.well-known", 404, b"{}"),
    "the description is deep garbage": _answers("/.well-known", 200, b"[" * 100_000),
    "the description is text": _answers("/.well-known", 200, b'"x"'),
    "the description lacks a place": _describes(token_endpoint=None),
    "a place is not safe": _describes(token_endpoint="http://evil.example/token"),
    "a place is no address": _describes(jwks_uri="http://["),
    "no algorithm but a shared secret's": _describes(id_token_signing_alg_values_supported=["HS256", "none"]),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_what_is_wrong_lets_nobody_in(browser: Browser, google: Fake, alice: User, fault: str) -> None:
    asked = browser.leave("google", google)
    exchange.forget()
    google.claims = {"email": alice.email, "email_verified": True}
    BROKEN[fault](google)
    answer = browser.come_back("google", state=asked["state"], code="the-code")
    assert ended(answer) == "down"
    assert not browser.who.signed_in
    assert identities() == []


def test_without_a_fault_the_same_lets_in(browser: Browser, google: Fake, alice: User) -> None:
    asked = browser.leave("google", google)
    exchange.forget()
    google.claims = {"email": alice.email, "email_verified": True}
    browser.come_back("google", state=asked["state"], code="the-code")
    assert browser.who.user_id == alice.id


@pytest.mark.parametrize("claims", [{"exp": -20}, {"iat": 30}, {"aud": [fake.CLIENT]}, {"azp": fake.CLIENT}], ids=str)
def test_clocks_may_differ_a_little(browser: Browser, google: Fake, alice: User, claims: dict[str, Any]) -> None:
    now = int(time.time())
    moved = {name: now + value if name in {"exp", "iat"} else value for name, value in claims.items()}
    browser.sign_in("google", google, email=alice.email, email_verified=True, **moved)
    assert browser.who.user_id == alice.id


@pytest.mark.parametrize("body", [b"", b"<html>", json.dumps({"issuer": 1}).encode()])
def test_a_broken_description_is_told_before_anybody_leaves(browser: Browser, google: Fake, body: bytes) -> None:
    google.instead["/.well-known"] = (200, body)
    answer = browser.get("/auth/oidc/google/start", {"Sec-Fetch-Site": "same-origin"})
    assert ended(answer) == "down"


@pytest.mark.parametrize("path", ["/.well-known", "/jwks", "/token"])
def test_a_silent_provider_is_not_waited_for(
    browser: Browser, google: Fake, alice: User, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    asked = browser.leave("google", google)
    exchange.forget()
    monkeypatch.setattr(exchange, "ANSWER", 0.2)
    google.slow, google.slow_path = threading.Event(), path
    assert ended(browser.come_back("google", state=asked["state"], code="the-code")) == "down"


def test_many_slow_answers_are_not_waited_for_either(
    browser: Browser, google: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "PATIENCE", 0.2)
    google.slow, google.slow_path = threading.Event(), "/"
    answer = browser.get("/auth/oidc/google/start", {"Sec-Fetch-Site": "same-origin"})
    assert ended(answer) == "down"


def test_a_provider_that_is_not_there(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    with fake.running() as gone:
        monkeypatch.setenv("PORTAL_GOOGLE_ISSUER", gone.address)
    reset_settings()
    answer = browser.get("/auth/oidc/google/start", {"Sec-Fetch-Site": "same-origin"})
    assert ended(answer) == "down"


def test_a_new_key_is_found_at_once_and_looked_for_once_a_minute(
    browser: Browser, google: Fake, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser.leave("google", google)
    google.shows, google.signs_with = [fake.key("one"), fake.key("two")], fake.key("two")
    google.header = {"alg": "RS256", "kid": "two"}
    assert ended(browser.sign_in("google", google, email=alice.email, **VERIFIED)) == "down"
    monkeypatch.setattr(exchange, "READ_AGAIN", 0.0)
    browser.sign_in("google", google, email=alice.email, **VERIFIED)
    assert browser.who.user_id == alice.id


def test_a_way_back_is_good_once(browser: Browser, google: Fake, alice: User) -> None:
    asked = browser.leave("google", google)
    kept = dict(browser.cookies)
    google.claims = {"email": alice.email, "email_verified": True}
    browser.come_back("google", state=asked["state"], code="the-code")
    assert browser.who.user_id == alice.id
    again = Browser()
    again.cookies.update(kept)
    assert ended(again.come_back("google", state=asked["state"], code="the-code")) == "late"


def test_a_way_back_is_good_for_the_browser_that_left(browser: Browser, google: Fake, alice: User) -> None:
    """Nobody can be signed in as somebody else by a link."""
    asked = browser.leave("google", google)
    google.claims = {"email": alice.email, "email_verified": True}
    stranger, with_own = Browser(), Browser()
    with_own.leave("google", google)
    for other in (stranger, with_own):
        assert ended(other.come_back("google", state=asked["state"], code="the-code")) == "late"
        assert not other.who.signed_in


def test_a_way_back_is_good_for_ten_minutes(browser: Browser, google: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = browser.leave("google", google)
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + LIFE + timedelta(seconds=1))
    assert ended(browser.come_back("google", state=asked["state"], code="the-code")) == "late"
    Browser().leave("google", google)
    with db.reading() as session:
        assert session.query(ProviderSignIn).count() == 1


@pytest.mark.parametrize(
    "given", [{}, {"state": ""}, {"state": "x" * 9_000}, {"state": "\x00"}, {"code": "y"}], ids=str
)
def test_a_way_back_without_a_way_out(browser: Browser, google: Fake, given: dict[str, str]) -> None:
    browser.leave("google", google)
    assert ended(browser.come_back("google", **given)) == "late"


def test_what_began_at_one_provider_does_not_end_at_another(
    browser: Browser, google: Fake, microsoft: Fake, bob: User
) -> None:
    asked = browser.leave("google", google)
    assert ended(browser.come_back("microsoft", state=asked["state"], code="the-code")) == "late"
    assert "/token" not in [path for path, _form in microsoft.asked]


def test_an_answer_that_names_another_issuer_is_not_followed(browser: Browser, google: Fake) -> None:
    asked = browser.leave("google", google)
    answer = browser.come_back("google", state=asked["state"], code="the-code", iss="https://evil.example")
    assert ended(answer) == "down"
    assert "/token" not in [path for path, _form in google.asked]


def test_an_answer_that_names_its_issuer_is(browser: Browser, google: Fake, alice: User) -> None:
    asked = browser.leave("google", google)
    google.claims = {"email": alice.email, "email_verified": True}
    browser.come_back("google", state=asked["state"], code="the-code", iss=google.issuer)
    assert browser.who.user_id == alice.id


@pytest.mark.parametrize(
    ("error", "outcome"), [("access_denied", "cancelled"), ("server_error", "down"), ("<script>", "down")]
)
def test_what_the_provider_says_went_wrong_is_not_repeated(
    browser: Browser, google: Fake, error: str, outcome: str
) -> None:
    asked = browser.leave("google", google)
    answer = browser.come_back("google", state=asked["state"], error=error, error_description="<b>Call 555</b>")
    assert answer.headers["location"] == f"/login?with=google&ended={outcome}"


@pytest.mark.parametrize("email", ["", "a@b", "x" * 300 + "@y.example", "a@\x00.example", ["a"], None])
def test_an_address_that_is_none_matches_nobody(browser: Browser, google: Fake, alice: User, email: Any) -> None:
    assert ended(browser.sign_in("google", google, email=email, **VERIFIED)) == "refused"
