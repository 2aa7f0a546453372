"""What user management does: add, change, disable, delete; what is written down and mailed."""

from dataclasses import replace

import pytest

from portal_app import db
from portal_app.accounts import repository as accounts
from portal_app.auth import one_time, passwords, sessions
from portal_app.errors import Conflict, Invalid
from portal_app.models import LinkKind, LoginSession, Role, SignInType, User, UserState
from portal_app.users import service
from portal_app.users.choice import ENOUGH, MOST_TICKS, tick, tick_all
from portal_app.users.query import UserQuery
from portal_app.users.rows import Asked, Change
from portal_app.users.rules import Refused
from tests import factories
from tests.cast import HERE, Cast, token_of
from tests.plans import plan
from tests.users.people import ACCESS, DASHBOARD, LENA, accounts_of, audit, by_email, change, link_of, mails, row

ALL_TICKED = (Change(True, words=""),)


def add(cast: Cast, **changes: object) -> User:
    return by_email(service.add(cast.actor("alice"), replace(LENA, **changes)))


def test_a_new_user_is_invited_and_cant_sign_in_yet(office: Cast) -> None:
    lena = add(office)
    assert (lena.partner_id, lena.state, lena.password_hash) == (office.partner_a.id, UserState.INVITED, None)
    assert (lena.email_key, set(lena.permissions), lena.all_accounts) == (
        "lena@people.example",
        {DASHBOARD, ACCESS},
        True,
    )
    assert len(link_of(lena.email)) == 43
    event = audit()[-1]
    assert (event.activity, event.performed_by, event.completed) == ("User management", office.alice.email, True)
    assert "Email, Custom: Access accounts, View dashboard; all accounts" in event.description


def test_a_password_that_an_administrator_chose_must_be_changed(cast: Cast) -> None:
    lena = add(cast, by_invitation=False, password="a rather odd phrase 7", retype="a rather odd phrase 7")
    assert passwords.verify(lena.password_hash, "a rather odd phrase 7")
    assert (lena.must_change_password, lena.state) == (True, UserState.INVITED)
    assert "odd phrase" not in repr(LENA) + str(mails(lena.email)) + str(audit())


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"email": ""}, "email"),
        ({"email": "no address"}, "email"),
        ({"email": " DAVE@people.example "}, "email"),
        ({"email": "alpha.ASH@customers.example"}, "email"),
        ({"name": ""}, "name"),
        ({"name": "x\x00"}, "name"),
        ({"type": "fax"}, "type"),
        ({"role": "owner"}, "role"),
        ({"by_invitation": False, "password": "short", "retype": "short"}, "password"),
        ({"by_invitation": False, "password": "a rather odd phrase 7", "retype": "another"}, "retype"),
        ({"by_invitation": False, "password": "lena@people.example", "retype": "lena@people.example"}, "password"),
    ],
)
def test_what_cant_be_taken_is_said_by_its_field_and_nothing_is_saved(cast: Cast, changes: dict, field: str) -> None:
    before = len(audit())
    with pytest.raises(Invalid) as refused:
        add(cast, **changes)
    assert list(refused.value.fields) == [field]
    assert len(audit()) == before
    assert mails(LENA.email) == []


def test_account_operations_go_with_the_last_of_what_opens_them(cast: Cast) -> None:
    assert add(cast, permissions=(ACCESS, "billing:view", "no such thing")).permissions == ["billing:view"]


def test_an_administrator_may_everything_and_the_accounts_stay_as_they_are(cast: Cast) -> None:
    change(cast.actor("alice"), cast.bob, role=Role.ADMINISTRATOR)
    assert (row(cast.bob.id).role, row(cast.bob.id).all_accounts) == (Role.ADMINISTRATOR, False)
    assert accounts_of(cast.bob.id) == {cast.bobs_account.id}
    assert "role Administrator instead of Custom" in audit()[-1].description


def test_chosen_accounts_are_all_that_exists_for_the_user(office: Cast) -> None:
    ash, birch, elm = (account.id or 0 for account in office.accounts_a)
    lena = add(office, all_accounts=False, changes=(*ALL_TICKED, Change(False, frozenset({birch}))))
    assert accounts_of(lena.id) == {ash, elm}
    actor = replace(factories.actor(lena), user_id=lena.id)
    assert sorted(db.read(accounts.ids_in_scope, actor, [ash, birch, elm])) == [ash, elm]
    change(office.actor("alice"), lena, all_accounts=True)
    assert (row(lena.id).all_accounts, accounts_of(lena.id)) == (True, set())
    change(office.actor("alice"), lena, all_accounts=False, changes=(Change(True, words="BIRCH"),))
    assert accounts_of(lena.id) == {birch}
    assert "chosen accounts instead of all; 1 account added" in audit()[-1].description


def test_the_page_of_accounts_shows_what_would_be_saved(office: Cast) -> None:
    ash, birch, elm = (account.id or 0 for account in office.accounts_a)
    changes = tick(tick_all(tick((), ash, True), "birch", True), birch, False)
    page = db.read(service.accounts_to_choose, office.actor("alice"), office.bob.id, Asked(), changes)
    assert [(line.id, line.ticked) for line in page.lines] == [(ash, True), (birch, False), (elm, False)]
    assert (page.matching, page.total, page.ticked) == (3, 3, 1)
    searched = db.read(
        service.accounts_to_choose, office.actor("alice"), office.bob.id, Asked("CUSTOMERS", 2, 2), changes
    )
    assert ([line.id for line in searched.lines], searched.matching) == ([elm], 3)


def test_changes_of_ticks_stay_few() -> None:
    changes: tuple[Change, ...] = ()
    for _ in range(50):
        changes = tick(tick(changes, 7, True), 7, False)
    assert changes == (Change(False, frozenset({7})),)
    assert tick_all(tick(changes, 8, True), "", True) == (Change(True, words=""),)
    many = (Change(True, frozenset(range(MOST_TICKS))),)
    with pytest.raises(Conflict, match=ENOUGH[:20]):
        tick(many, MOST_TICKS + 1, True)


def test_disabling_ends_sessions_and_links_and_enabling_lets_in_again(cast: Cast) -> None:
    token = token_of(cast.bob)
    db.write(one_time.create, cast.bob.id, LinkKind.RESET, service.invitations.LIFE)
    service.disable(cast.actor("alice"), cast.bob.id, cast.bob.version)
    assert not db.read(sessions.identify, token, HERE).signed_in
    assert db.read(lambda session: session.query(LoginSession).filter_by(user_id=cast.bob.id).count()) == 0
    service.enable(cast.actor("alice"), cast.bob.id, row(cast.bob.id).version)
    assert row(cast.bob.id).state == UserState.ACTIVE
    assert [letter["subject"] for _, letter in mails(cast.bob.email)] == [
        "Your access was turned off",
        "Your access is turned on again",
    ]
    assert [event.description for event in audit()[-2:]] == [
        f"Disabled {cast.bob.email}.",
        f"Enabled {cast.bob.email}.",
    ]


def test_deleting_keeps_the_audit_and_frees_the_address(cast: Cast) -> None:
    token = token_of(cast.bob)
    service.remove(cast.actor("alice"), cast.bob.id, cast.bob.version)
    assert row(cast.bob.id) is None
    assert not db.read(sessions.identify, token, HERE).signed_in
    assert f"Deleted {cast.bob.email}" in audit()[-1].description
    assert mails(cast.bob.email)[-1][1]["subject"] == "Your access was removed"
    assert add(cast, email=cast.bob.email).version != cast.bob.version


def test_what_changed_is_written_down_and_mailed_to_the_user(cast: Cast) -> None:
    change(cast.actor("alice"), cast.carol, permissions=(DASHBOARD, "billing:view"), name="Carola")
    event = audit()[-1]
    assert event.activity == "Permissions changed"
    words = "name Carola instead of Carol; now also: View dashboard; not any more: Manage payment details, Pay bills"
    assert event.description == f"Changed {cast.carol.email}: {words}"
    assert mails(cast.carol.email)[-1][1]["paragraphs"][-1] == words
    assert [user.email for user in db.read(service.find, cast.actor("alice"), "CAROLA")] == [cast.carol.email]


def test_nothing_changed_is_nothing_to_tell(cast: Cast) -> None:
    change(cast.actor("alice"), cast.carol)
    assert (audit(), mails(cast.carol.email)) == ([], [])


def test_another_way_to_sign_in_takes_the_password_and_a_new_one_is_chosen_by_mail(cast: Cast) -> None:
    token = token_of(cast.carol)
    change(cast.actor("alice"), cast.carol, type=SignInType.AZURE)
    assert (row(cast.carol.id).password_hash, row(cast.carol.id).state) == (None, UserState.ACTIVE)
    assert not db.read(sessions.identify, token, HERE).signed_in
    change(cast.actor("alice"), cast.carol, type=SignInType.EMAIL)
    assert row(cast.carol.id).state == UserState.INVITED
    assert link_of(cast.carol.email)


def test_a_wrong_address_is_put_right_until_it_is_confirmed(cast: Cast) -> None:
    lena = add(cast)
    first = link_of(lena.email)
    change(cast.actor("alice"), lena, email="Lena.Right@people.example")
    assert db.read(one_time.peek, first, LinkKind.INVITATION) is None
    assert db.read(one_time.peek, link_of("Lena.Right@people.example"), LinkKind.INVITATION) == lena.id
    with pytest.raises(Refused, match="Add a new user instead"):
        change(cast.actor("alice"), cast.bob, email="robert@people.example")


def test_the_second_of_two_editors_is_told(office: Cast) -> None:
    seen = row(office.carol.id)
    change(office.actor("alice"), office.carol, name="Carola")
    for late in (service.change, service.disable, service.remove):
        rest = (replace(LENA, email=seen.email, permissions=tuple(seen.permissions)),) if late is service.change else ()
        with pytest.raises(Conflict, match="changed this user meanwhile"):
            late(office.actor("alice"), seen.id, seen.version, *rest)
    assert row(seen.id).name == "Carola"


@pytest.mark.parametrize(
    ("query", "names"),
    [
        (UserQuery(), ["alice", "bob", "carol", "irene", "ivan", "nina"]),
        (UserQuery(descending=True, size=25), ["nina", "ivan", "irene", "carol", "bob", "alice"]),
        (UserQuery(search="ÉLODIE"), ["nina"]),
        (UserQuery(search="@people", role="administrator"), ["alice", "irene", "ivan"]),
        (UserQuery(state="invited"), ["irene"]),
        (UserQuery(type="google"), []),
        (UserQuery(sort="state"), ["alice", "bob", "carol", "nina", "ivan", "irene"]),
        (UserQuery(sort="last", descending=True), ["bob", "alice", "carol", "irene", "ivan", "nina"]),
        (UserQuery(sort="last"), ["alice", "carol", "irene", "ivan", "nina", "bob"]),
        (UserQuery(search="%"), []),
    ],
    ids=str,
)
def test_search_filters_and_order(office: Cast, query: UserQuery, names: list[str]) -> None:
    token_of(office.bob)
    change(office.actor("alice"), office.nina, name="Élodie")
    found = db.read(service.list_page, office.actor("alice"), query).rows
    assert [user.email.partition("@")[0] for user in found] == names


def test_the_list_reads_a_page_by_its_index(cast: Cast) -> None:
    sql = "SELECT id FROM portal_user WHERE partner_id = 1 ORDER BY email_key, id LIMIT 25 OFFSET 50"
    found = plan((sql, ()), few=True)
    assert "ix_portal_user_partner_id_email_key_id" in found.indexes, found
    assert not found.sorted, found


def test_an_address_says_the_whole_question() -> None:
    asked = UserQuery(search="a b", type="azure", role="custom", state="disabled", sort="last", descending=True, page=3)
    path, _, parameters = asked.address(page=3).partition("?")
    assert path == "/settings/users"
    pairs = dict(pair.split("=") for pair in parameters.replace("+", " ").split("&"))
    assert UserQuery.from_address(pairs) == asked
    assert UserQuery.from_address({"sort": "password_hash", "role": "god", "page": "-1", "size": "9999"}) == UserQuery()
