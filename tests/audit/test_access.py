"""Who may read the audit, and which rows exist for them."""

import pytest

from portal_app import db
from portal_app.audit import reading
from portal_app.audit.query import AuditQuery
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.errors import Denied
from tests import factories
from tests.audit.conftest import Send
from tests.cast import Cast, cookie_of
from tests.security.pipeline import Pipeline, name_of, play

FILE = "/security-audit/export.csv"


def seen(actor: Actor, **asked: str) -> list[tuple[str, str]]:
    page = db.read(reading.page, actor, AuditQuery(**asked))
    assert page.matching == len(page.rows)
    return [(row.account_name, row.performed_by) for row in page.rows]


def bob_with_the_permission(cast: Cast) -> Actor:
    return factories.actor(cast.bob, permissions=cast.actor("bob").permissions | {Permission.AUDIT_VIEW})


@pytest.mark.parametrize("who", ["bob", "carol", "nina", "dave"])
def test_without_the_permission_there_is_nothing(audited: Cast, who: str) -> None:
    with pytest.raises(Denied):
        seen(audited.actor(who))
    with pytest.raises(Denied):
        db.write(reading.begin_export, audited.actor(who), AuditQuery())


@pytest.mark.parametrize(
    ("who", "allowed"),
    [(who, who in ("alice", "mallory")) for who in ("alice", "mallory", "bob", "carol", "nina", "dave", "olga")],
)
def test_who_may_open_the_page(audited: Cast, who: str, allowed: bool) -> None:
    async def scene(made: Pipeline) -> bool:
        tab = made.tab(cookie_of(audited.people[who]), "/security-audit")
        return all([(await tab.send(name_of(f"audit_state.{one}"))).ran for one in ("load", "answer")])

    assert play(scene) is allowed


def test_an_operator_reads_the_providers_own_rows_unless_a_partner_is_named(audited: Cast) -> None:
    assert seen(audited.actor("olga")) == []
    assert len(seen(audited.actor("olga"), partner="ALPHA001")) == 5


def test_each_partner_reads_its_own_rows_its_customers_among_them(audited: Cast) -> None:
    ours, theirs = seen(audited.actor("alice")), seen(audited.actor("mallory"))
    assert len(ours) == 5 and ("Alpha Ash", audited.dave.email) in ours
    assert [name for name, _ in theirs] == ["Beta Pine", "Beta Oak"]


def test_who_sees_chosen_accounts_sees_their_rows_and_those_without_an_account(audited: Cast) -> None:
    assert seen(bob_with_the_permission(audited)) == [
        ("Alpha Ash", audited.dave.email),
        ("", audited.carol.email),
        ("Alpha Ash", audited.alice.email),
    ]


def test_words_find_no_row_of_an_account_that_does_not_exist_for_the_actor(audited: Cast) -> None:
    bob = bob_with_the_permission(audited)
    assert seen(bob, account="Elm") == seen(bob, account="Beta") == []
    assert len(seen(bob, account="alpha")) == 2
    assert seen(audited.actor("alice"), user="mallory") == seen(audited.actor("alice"), account="Oak") == []


def test_nobody_without_a_cookie_or_the_permission_gets_the_file(audited: Cast, send: Send) -> None:
    cookies = ["", "portal_session=forged", *(cookie_of(audited.people[who]) for who in ("bob", "dave", "olga"))]
    for cookie in cookies:
        answer = send("GET", FILE, headers={"Cookie": cookie} if cookie else {})
        assert (answer.status_code, answer.headers["location"]) == (303, "/security-audit")
        assert "Alpha" not in answer.text


def test_a_page_of_another_site_gets_no_file_started(audited: Cast, send: Send) -> None:
    for site in ("cross-site", "same-site"):
        headers = {"Cookie": cookie_of(audited.alice), "Sec-Fetch-Site": site}
        assert send("GET", FILE, headers=headers).status_code == 303
    assert len(seen(audited.actor("alice"))) == 5


def test_the_file_is_read_and_never_posted(audited: Cast, send: Send) -> None:
    assert send("POST", FILE, headers={"Cookie": cookie_of(audited.alice)}).status_code in (404, 405)


def test_the_file_holds_the_actors_own_rows_only(audited: Cast, send: Send) -> None:
    told = send("GET", FILE, headers={"Cookie": cookie_of(audited.mallory)}).text
    assert told.count("Beta ") == 2 and "Alpha" not in told and "alice" not in told
