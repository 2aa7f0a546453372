"""Who is not let in, and that nobody can tell why."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlmodel import Session

from portal_app import db
from portal_app.models import ExternalIdentity, Partner, PartnerState, ProviderSignIn, SignInType, User, UserState
from portal_app.settings import reset_settings
from tests.cast import Cast
from tests.oidc.conftest import OWN, Browser, audit, ended, identities
from tests.oidc.fake import Fake

VERIFIED = {"email_verified": True}


@pytest.mark.parametrize(
    "headers",
    [{}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "none"}],
    ids=str,
)
def test_only_a_page_of_the_portal_sends_anybody_away(browser: Browser, headers: dict[str, str]) -> None:
    answer = browser.get("/auth/oidc/google/start", headers)
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert not browser.cookies


@pytest.mark.parametrize("key", ["github", "Google", "google%2F..", "%00"])
@pytest.mark.parametrize("step", ["start", "callback"])
def test_a_provider_that_is_not_there_leads_back(browser: Browser, key: str, step: str) -> None:
    answer = browser.get(f"/auth/oidc/{key}/{step}", OWN)
    assert answer.status_code in (303, 404)
    assert answer.headers.get("location", "/login") == "/login"


def test_a_provider_without_settings_is_not_there(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PORTAL_GOOGLE_CLIENT_ID")
    reset_settings()
    assert browser.get("/auth/oidc/google/start", OWN).headers["location"] == "/login"


@pytest.mark.parametrize(
    "who", ["nobody", "disabled", "invited", "suspended", "email_type", "azure_type", "unverified"]
)
def test_whoever_may_not_come_gets_one_answer(
    browser: Browser, google: Fake, cast: Cast, give_type: Callable[..., User], who: str
) -> None:
    people: dict[str, tuple[User, SignInType]] = {
        "disabled": (cast.ivan, SignInType.GOOGLE),
        "invited": (cast.irene, SignInType.GOOGLE),
        "suspended": (cast.sam, SignInType.GOOGLE),
        "email_type": (cast.alice, SignInType.EMAIL),
        "azure_type": (cast.alice, SignInType.AZURE),
        "unverified": (cast.alice, SignInType.GOOGLE),
    }
    email = give_type(*people[who]).email if who in people else "nobody@nowhere.example"
    answer = browser.sign_in("google", google, email=email, email_verified=who != "unverified")
    assert answer.headers["location"] == "/login?with=google&ended=refused"
    assert not browser.who.signed_in
    assert identities() == []
    assert [completed for _who, completed, _words in audit()] == [False]


@pytest.mark.parametrize("state", [UserState.DISABLED, UserState.INVITED])
def test_who_was_let_in_once_is_not_when_the_user_is_disabled(
    browser: Browser, google: Fake, alice: User, give_type: Callable[..., User], state: UserState
) -> None:
    browser.sign_in("google", google, email=alice.email, **VERIFIED)
    assert browser.who.user_id == alice.id
    give_type(alice, SignInType.GOOGLE, state=state)
    assert ended(Browser().sign_in("google", google, email=alice.email, **VERIFIED)) == "refused"


def test_nor_when_the_partner_is_suspended(browser: Browser, google: Fake, alice: User) -> None:
    browser.sign_in("google", google, email=alice.email, **VERIFIED)

    def suspend(session: Session) -> None:
        session.get_one(Partner, alice.partner_id).state = PartnerState.SUSPENDED

    db.write(suspend)
    assert ended(Browser().sign_in("google", google, email=alice.email, **VERIFIED)) == "refused"


def test_another_subject_with_the_same_address_is_refused_and_told_in_the_audit(
    browser: Browser, google: Fake, alice: User
) -> None:
    browser.sign_in("google", google, email=alice.email, **VERIFIED)
    other = Browser()
    assert ended(other.sign_in("google", google, sub="subject-2", email=alice.email, **VERIFIED)) == "refused"
    assert not other.who.signed_in
    assert [row.subject for row in identities()] == ["subject-1"]
    who, completed, words = audit()[-1]
    assert (who, completed) == (alice.email, False)
    assert "another Google account" in words


def test_a_subject_is_known_only_from_its_own_issuer(
    browser: Browser, google: Fake, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def bind_elsewhere(session: Session) -> None:
        row = {"user_id": alice.id, "provider": "google", "subject": "subject-1", "email_key": alice.email_key}
        session.add(ExternalIdentity(issuer="http://127.0.0.1:9/", bound_at=alice.created_at, **row))

    db.write(bind_elsewhere)
    assert ended(browser.sign_in("google", google, **VERIFIED)) == "refused"


def test_who_gets_a_users_place_is_not_who_had_it(
    browser: Browser, google: Fake, alice: User, give_type: Callable[..., User]
) -> None:
    """The row goes to a new colleague with a new address: the old one's account at Google opens it no more."""
    browser.sign_in("google", google, email=alice.email, **VERIFIED)
    give_type(alice, SignInType.GOOGLE, email="new@people.example", email_key="new@people.example")
    assert ended(Browser().sign_in("google", google, email=alice.email, **VERIFIED)) == "refused"
    new = Browser()
    new.sign_in("google", google, sub="subject-2", email="new@people.example", **VERIFIED)
    assert new.who.user_id == alice.id
    assert [row.subject for row in identities()] == ["subject-2"]


def test_a_user_of_another_type_is_not_let_in_by_an_old_binding(
    browser: Browser, google: Fake, alice: User, give_type: Callable[..., User]
) -> None:
    browser.sign_in("google", google, email=alice.email, **VERIFIED)
    give_type(alice, SignInType.AZURE)
    assert ended(Browser().sign_in("google", google, email=alice.email, **VERIFIED)) == "refused"


def test_guessing_is_limited(browser: Browser, google: Fake, cast: Cast) -> None:
    answers = [ended(browser.sign_in("google", google, email="x@y.example", **VERIFIED)) for _ in range(7)]
    assert answers == ["refused"] * 5 + ["often"] * 2


def test_leaving_is_limited(browser: Browser) -> None:
    last: Any = None
    for _ in range(61):
        last = browser.get("/auth/oidc/google/start", OWN)
    assert last.headers["location"] == "/login?with=google&ended=often"
    with db.reading() as session:
        assert session.query(ProviderSignIn).count() == 60
