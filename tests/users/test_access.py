"""Who may not: nobody grants what they lack, touches themselves, an administrator, or another partner's people."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from portal_app import db
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.errors import NotFound, PortalError
from portal_app.models import Role, User
from portal_app.users import rules, service
from portal_app.users.query import UserQuery
from portal_app.users.rows import Asked, Change
from portal_app.users.rules import Refused
from tests import factories
from tests.cast import Cast
from tests.users.people import (
    ACCESS,
    DASHBOARD,
    LENA,
    MANAGES,
    accounts_of,
    as_is,
    audit,
    by_email,
    change,
    manager,
    row,
)

OUTSIDERS = ("bob", "carol", "nina", "dave", "olga")
Act = Callable[[Actor, User], object]
ACTS: dict[str, Act] = {
    "change": lambda actor, user: service.change(actor, user.id or 0, user.version, as_is(user, name="Other")),
    "disable": lambda actor, user: service.disable(actor, user.id or 0, user.version),
    "enable": lambda actor, user: service.enable(actor, user.id or 0, user.version),
    "remove": lambda actor, user: service.remove(actor, user.id or 0, user.version),
    "resend": lambda actor, user: service.resend(actor, user.id or 0),
}
LOOKS: dict[str, Act] = {
    "page": lambda actor, _: db.read(service.list_page, actor, UserQuery()),
    "find": lambda actor, _: db.read(service.find, actor, "people"),
    "details": lambda actor, user: db.read(service.details, actor, user.id),
    "accounts": lambda actor, user: db.read(service.accounts_to_choose, actor, user.id, Asked(), ()),
}
OF_ONE = {"details": LOOKS["details"], "accounts": LOOKS["accounts"]} | ACTS


def custom(cast: Cast, *accounts: object, also: tuple[str, ...] = ()) -> User:
    return db.write(manager, cast.partner_a, *accounts, also=also)


@pytest.mark.parametrize("who", OUTSIDERS)
@pytest.mark.parametrize("act", LOOKS | ACTS)
def test_who_may_not_manage_users_neither_sees_nor_changes_any(cast: Cast, who: str, act: str) -> None:
    with pytest.raises(PortalError) as refused:
        (LOOKS | ACTS)[act](cast.actor(who), cast.irene)
    assert refused.value.sentence == Permission.USERS_MANAGE.refusal
    assert row(cast.irene.id) == cast.irene


@pytest.mark.parametrize("who", OUTSIDERS)
def test_who_may_not_manage_users_adds_none(cast: Cast, who: str) -> None:
    with pytest.raises(Refused):
        service.add(cast.actor(who), LENA)


@pytest.mark.parametrize("act", OF_ONE)
@pytest.mark.parametrize("whom", ["mallory", "dave", "olga", "unknown", "beyond"])
def test_anybody_elses_person_is_as_if_there_were_none(cast: Cast, act: str, whom: str) -> None:
    """Another partner's, a customer's, an operator, an id that nobody has: one answer."""
    ids = {"unknown": 99_999, "beyond": 1 << 40}
    target = cast.people.get(whom) or cast.irene.model_copy(update={"id": ids[whom]})
    with pytest.raises(NotFound, match=r"^There is no such user\.$"):
        OF_ONE[act](cast.actor("alice"), target)
    if whom in cast.people:
        assert row(target.id) == target


def test_the_list_and_the_search_hold_the_partners_own_people_only(cast: Cast) -> None:
    own = {"alice", "bob", "carol", "nina", "ivan", "irene"}
    page = db.read(service.list_page, cast.actor("alice"), UserQuery(size=100))
    assert {one.email.partition("@")[0] for one in page.rows} == own
    assert (page.matching, page.total) == (6, 6)
    assert [u.email for u in db.read(service.find, cast.actor("alice"), "mallory")] == []
    assert [u.email for u in db.read(service.find, cast.actor("alice"), "dave")] == []


@pytest.mark.parametrize("act", ["change", "disable", "enable", "remove", "resend"])
def test_an_administrator_is_only_changed_by_an_administrator(cast: Cast, act: str) -> None:
    actor = factories.actor(custom(cast))
    with pytest.raises(Refused, match="Only an administrator"):
        ACTS[act](actor, cast.alice)
    assert row(cast.alice.id) == cast.alice
    assert (audit()[-1].completed, audit()[-1].performed_by) == (False, actor.email)
    assert cast.alice.email in audit()[-1].description


def test_nobody_makes_an_administrator_without_being_one(cast: Cast) -> None:
    everything = tuple(p.value for p in Permission)
    me = custom(cast, also=everything)
    for refused in (
        lambda: service.add(
            factories.actor(me), LENA.__class__(email="x@x.example", name="X", role=Role.ADMINISTRATOR)
        ),
        lambda: change(factories.actor(me), cast.bob, role=Role.ADMINISTRATOR),
    ):
        with pytest.raises(Refused, match=r"can't give anybody more"):
            refused()
    assert row(cast.bob.id).role == Role.CUSTOM


def test_nobody_grants_a_permission_that_they_lack(cast: Cast) -> None:
    me = custom(cast)
    with pytest.raises(Refused, match=r"can't give anybody more"):
        service.add(factories.actor(me), LENA)
    with pytest.raises(Refused, match=r"can't give anybody more"):
        change(factories.actor(me), cast.carol, permissions=(DASHBOARD, ACCESS))
    assert [event.completed for event in audit()] == [False, False]


def test_what_a_manager_lacks_stays_as_it_is_with_others(cast: Cast) -> None:
    """Carol may see and pay bills; a manager who may not gives her the dashboard and takes nothing away."""
    me = custom(cast)
    change(factories.actor(me), cast.carol, permissions=(DASHBOARD,))
    assert set(row(cast.carol.id).permissions) == {DASHBOARD, *cast.carol.permissions}


@pytest.mark.parametrize("act", ["disable", "enable", "remove", "resend"])
def test_nobody_acts_on_themselves(cast: Cast, act: str) -> None:
    with pytest.raises(Refused, match="your own access"):
        ACTS[act](cast.actor("alice"), cast.alice)


@pytest.mark.parametrize(
    "changes",
    [
        {"role": Role.CUSTOM},
        {"email": "other@people.example"},
        {"type": "google"},
        {"all_accounts": False},
        {"changes": (Change(ticked=False, words=""),)},
    ],
    ids=str,
)
def test_nobody_changes_their_own_access_but_their_name_they_may(cast: Cast, changes: dict) -> None:
    with pytest.raises(Refused, match="your own access"):
        change(cast.actor("alice"), cast.alice, **changes)
    change(cast.actor("alice"), cast.alice, name="Alice Liddell")
    after = row(cast.alice.id)
    assert (after.name, after.role, after.all_accounts) == ("Alice Liddell", Role.ADMINISTRATOR, True)


def test_a_custom_manager_gives_themselves_nothing(cast: Cast) -> None:
    me = custom(cast, cast.accounts_a[0])
    for changes in ({"permissions": (MANAGES, DASHBOARD, ACCESS)}, {"all_accounts": True}):
        with pytest.raises(Refused, match="your own access"):
            change(factories.actor(me), me, **changes)


def test_accounts_outside_the_managers_own_are_neither_seen_given_nor_taken(cast: Cast) -> None:
    ash, birch, elm = (account.id or 0 for account in cast.accounts_a)
    me = custom(cast, cast.accounts_a[0], cast.accounts_a[1], also=(ACCESS,))
    db.write(factories.give_accounts, cast.bob, cast.accounts_a[2])
    seen = db.read(service.accounts_to_choose, factories.actor(me), cast.bob.id, Asked(), ())
    assert ([line.id for line in seen.lines], seen.total, seen.ticked) == ([ash, birch], 2, 1)
    theirs = cast.accounts_b[0].id or 0
    change(
        factories.actor(me), cast.bob, changes=(Change(True, frozenset({birch, theirs})), Change(False, words="ash"))
    )
    assert accounts_of(cast.bob.id) == {birch, elm}
    change(factories.actor(me), cast.bob, changes=(Change(False, words=""),))
    assert accounts_of(cast.bob.id) == {elm}
    change(factories.actor(me), cast.bob, changes=(Change(True, words=""),))
    assert accounts_of(cast.bob.id) == {ash, birch, elm}


def test_who_sees_some_accounts_gives_nobody_all_and_takes_them_from_nobody(cast: Cast) -> None:
    me = factories.actor(custom(cast, cast.accounts_a[0], also=(ACCESS,)))
    with pytest.raises(Refused) as refused:
        service.add(me, LENA)
    assert refused.value.sentence == rules.ACCOUNTS_BEYOND
    with pytest.raises(Refused) as refused:
        change(me, cast.carol, all_accounts=False)
    assert refused.value.sentence == rules.OTHERS_ACCOUNTS
    assert row(cast.carol.id).all_accounts


def test_an_administrator_with_chosen_accounts_gives_no_others(cast: Cast) -> None:
    db.write(factories.give_accounts, cast.alice, cast.accounts_a[0])
    with pytest.raises(Refused):
        service.add(cast.actor("alice"), LENA)
    wanted = replace(LENA, role=Role.ADMINISTRATOR, all_accounts=False, changes=(Change(True, words=""),))
    service.add(cast.actor("alice"), wanted)
    assert accounts_of(by_email(LENA.email).id) == {cast.accounts_a[0].id}


def test_nobody_sends_a_stronger_users_invitation_to_themselves(cast: Cast) -> None:
    """The address and the way to sign in of who may do more are not the manager's to set."""
    strong = db.write(
        lambda session: factories.user(
            session, cast.partner_a, role=Role.CUSTOM, permissions=["billing:view"], state="invited", password_hash=None
        )
    )
    me = factories.actor(custom(cast))
    for changes in ({"email": "mine@people.example"}, {"type": "google"}):
        with pytest.raises(Refused) as refused:
            change(me, strong, **changes)
        assert refused.value.sentence == rules.IDENTITY_BEYOND
    change(cast.actor("alice"), strong, email="right@people.example")
    assert row(strong.id).email == "right@people.example"


def test_the_editor_says_what_stays_as_it_is(cast: Cast) -> None:
    me = factories.actor(custom(cast, cast.accounts_a[0]))
    assert db.read(service.details, me, cast.alice.id).locked == rules.ONLY_ADMINISTRATORS
    assert db.read(service.details, me, cast.carol.id).fixed >= {"email", "type", "accounts"}
    assert db.read(service.details, cast.actor("alice"), cast.irene.id).fixed == frozenset()
    assert db.read(service.details, cast.actor("alice"), cast.bob.id).fixed == {"email"}


@pytest.mark.parametrize("state", ["disabled", "invited"])
def test_rights_are_read_afresh_within_the_change(cast: Cast, state: str) -> None:
    """The guard read them a moment ago; meanwhile a colleague changed them."""
    actor = cast.actor("alice")
    db.write(lambda session: setattr(session.get(User, cast.alice.id), "state", state))
    with pytest.raises(Refused):
        service.add(actor, LENA)
