"""Signing in at a provider, from the button to the session."""

import logging
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from sqlmodel import Session

from portal_app import clock, db
from portal_app.auth import steps
from portal_app.auth.steps import StepKind
from portal_app.models import Partner, SignInType, User
from portal_app.oidc import exchange
from tests.auth.test_cookie import INSIDE, OUTSIDE
from tests.cast import HERE, Cast
from tests.oidc.conftest import OWN, PUBLIC, Browser, audit, ended, identities
from tests.oidc.fake import CLIENT, Fake

VERIFIED = {"email_verified": True}


def test_the_first_sign_in_binds_the_account_and_opens_a_session(browser: Browser, google: Fake, alice: User) -> None:
    answer = browser.sign_in("google", google, email=f" {alice.email.upper()} ".strip(), **VERIFIED)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert browser.who.user_id == alice.id
    (bound,) = identities()
    assert (bound.user_id, bound.issuer, bound.subject) == (alice.id, google.issuer, "subject-1")
    who, completed, words = audit()[-1]
    assert (who, completed) == (alice.email, True)
    assert words == f"Signed in with Google. {steps.where(HERE).replace(HERE.browser, 'python-httpx/0.28.1')}"


def test_afterwards_only_the_subject_counts(browser: Browser, google: Fake, alice: User) -> None:
    browser.sign_in("google", google, email=alice.email, **VERIFIED)
    for claims in ({}, {"email": "married@people.example", "email_verified": True}, {"email": 7}):
        again = Browser()
        again.sign_in("google", google, **claims)
        assert again.who.user_id == alice.id


def test_what_is_asked_of_the_provider(browser: Browser, google: Fake) -> None:
    asked = browser.leave("google", google)
    assert asked["redirect_uri"] == f"{PUBLIC}/auth/oidc/google/callback"
    assert (asked["response_type"], asked["client_id"], asked["scope"]) == ("code", CLIENT, "openid email profile")
    assert asked["code_challenge_method"] == "S256"
    assert len(asked["state"]) >= 43
    assert len({asked["state"], asked["nonce"], asked["code_challenge"], *browser.cookies.values()}) == 4
    other = Browser().leave("google", google)
    assert all(asked[name] != other[name] for name in ("state", "nonce", "code_challenge"))


def test_the_cookie_is_short_lived_and_out_of_reach_of_scripts(browser: Browser, google: Fake) -> None:
    answer = browser.get("/auth/oidc/google/start", OWN)
    name, *flags = [part.strip().lower() for part in answer.headers["set-cookie"].split(";")]
    assert name.startswith("portal_provider=")
    assert {"httponly", "samesite=lax", "path=/", "max-age=600"} <= set(flags)
    assert answer.headers["cache-control"] == "no-store"
    back = browser.come_back("google", state="x", code="y")
    assert "Max-Age=0" in back.headers["set-cookie"]


@pytest.mark.parametrize("path", INSIDE)
def test_it_goes_on_to_the_page_that_was_asked_for(browser: Browser, google: Fake, alice: User, path: str) -> None:
    answer = browser.sign_in("google", google, path, email=alice.email, **VERIFIED)
    assert answer.headers["location"] == path


@pytest.mark.parametrize("path", [*OUTSIDE, "/" + "x" * 3_000], ids=repr)
def test_it_never_goes_on_elsewhere(browser: Browser, google: Fake, alice: User, path: str) -> None:
    answer = browser.sign_in("google", google, path, email=alice.email, **VERIFIED)
    assert answer.headers["location"] == "/"


def test_who_has_a_second_factor_is_asked_for_it(browser: Browser, google: Fake, alice: User) -> None:
    def turn_on(session: Session) -> None:
        session.get_one(User, alice.id).totp_enabled_at = clock.now()

    db.write(turn_on)
    answer = browser.sign_in("google", google, "/accounts/7", email=alice.email, **VERIFIED)
    assert ended(answer) == ""
    assert answer.headers["location"] == "/login?next=%2Faccounts%2F7"
    token = browser.cookies[steps.COOKIE]
    assert token not in answer.headers["location"]
    assert db.write(steps.resume, token, HERE).kind == StepKind.CODE
    assert not browser.who.signed_in


def test_who_must_have_one_has_to_set_it_up(browser: Browser, google: Fake, alice: User) -> None:
    def require(session: Session) -> None:
        session.get_one(Partner, alice.partner_id).require_two_factor = True

    db.write(require)
    browser.sign_in("google", google, email=alice.email, **VERIFIED)
    assert not browser.who.signed_in
    assert db.write(steps.resume, browser.cookies[steps.COOKIE], HERE).kind == StepKind.ENROL


def test_the_age_of_a_password_means_nothing(browser: Browser, google: Fake, alice: User) -> None:
    def age(session: Session) -> None:
        session.get_one(Partner, alice.partner_id).password_days = 1
        session.get_one(User, alice.id).must_change_password = True

    db.write(age)
    browser.sign_in("google", google, email=alice.email, **VERIFIED)
    assert browser.who.user_id == alice.id


def test_a_customers_user_signs_in_too(
    browser: Browser, google: Fake, cast: Cast, give_type: Callable[..., User]
) -> None:
    give_type(cast.dave, SignInType.GOOGLE)
    browser.sign_in("google", google, email=cast.dave.email, **VERIFIED)
    assert browser.who.user_id == cast.dave.id


def test_the_description_is_read_once_an_hour(
    browser: Browser, google: Fake, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        browser.sign_in("google", google, email=alice.email, **VERIFIED)
    assert [path for path, _form in google.asked if path != "/token"] == ["/.well-known/openid-configuration", "/jwks"]
    monkeypatch.setattr(exchange, "KEPT", -1.0)
    Browser().leave("google", google)
    assert len([path for path, _form in google.asked if path == "/jwks"]) == 2


def test_nothing_secret_is_logged_or_audited(
    browser: Browser, google: Fake, alice: User, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    asked = browser.leave("google", google)
    secret = browser.cookies["portal_provider"]
    google.claims = {"email": alice.email, "email_verified": True, "nonce": "wrong"}
    browser.come_back("google", state=asked["state"], code="the-code")
    # httpx is the test's browser; the portal's own client is another.
    told = [record.getMessage() for record in caplog.records if record.name != "httpx"] + [str(audit())]
    assert "sign-in with google failed: InvalidClaimError invalid_claim" in told
    for hidden in (secret, asked["state"], "the-code", google.token(), "portal-client-secret"):
        assert hidden not in str(told)
    assert urlsplit(asked["redirect_uri"]).path == "/auth/oidc/google/callback"
