"""The provider's own people: who may change them, what can't be done, and how they sign in."""

import threading
from typing import Any

import pyotp
import pytest
from sqlmodel import Session, select

from portal_app import clock, db
from portal_app.auth import sessions, steps
from portal_app.auth.actor import Actor, ActorKind, Origin
from portal_app.auth.steps import Method, StepKind
from portal_app.errors import Conflict, Denied, Invalid, NotFound
from portal_app.models import LoginSession, Passkey, User, UserKind, UserState
from portal_app.operator import people
from portal_app.operator.query import OperatorQuery
from portal_app.security import passkeys, two_factor
from portal_app.settings import reset_settings, settings
from portal_app.users import invitations
from tests import factories
from tests.cast import HERE, Cast, token_of
from tests.operator.conftest import audited, now, written
from tests.users.people import link_of

PASSWORD = "a rather odd phrase 7"


def second_operator() -> User:
    return db.write(factories.user, kind=UserKind.OPERATOR, email="oskar@people.example", name="Oskar", role="custom")


@pytest.fixture
def oskar(cast: Cast) -> User:
    return second_operator()


@pytest.mark.parametrize("who", ["alice", "bob", "carol", "nina", "dave", "mallory"])
def test_only_operators_see_and_change_them(cast: Cast, oskar: User, who: str) -> None:
    actor = cast.actor(who)
    with pytest.raises(Denied):
        db.read(people.list_page, actor, OperatorQuery())
    with pytest.raises(Denied):
        db.write(people.invite, actor, "x@people.example", "X")
    with pytest.raises(Denied):
        db.write(people.resend, actor, oskar.id)
    for act in people.ACTS.values():
        with pytest.raises(Denied):
            db.write(act, actor, oskar.id, oskar.version)


def test_one_is_invited_by_mail(cast: Cast, olga: Actor) -> None:
    assert db.write(people.invite, olga, " Otto@People.example ", "Otto") == "Otto@People.example"
    assert audited("Operator added: Otto@People.example") == {None}
    first = link_of("Otto@People.example")
    otto = db.read(lambda s: s.exec(select(User).where(User.name == "Otto")).one())
    db.write(people.resend, olga, otto.id)
    with pytest.raises(Denied):
        db.read(invitations.look, first, HERE)
    invitations.accept(link_of("Otto@People.example"), PASSWORD, PASSWORD, HERE)
    assert (now(otto).state, now(otto).kind) == (UserState.ACTIVE, "operator")
    assert audited("Otto@People.example confirmed the address") == {None}
    with pytest.raises(Conflict) as taken:
        db.write(people.invite, olga, "otto@people.example", "Otto")
    assert list(taken.value.fields) == ["email"]
    with pytest.raises(Invalid) as faulty:
        db.write(people.invite, olga, "otto", "")
    assert sorted(faulty.value.fields) == ["email", "name"]


def test_disabled_signed_out_enabled_and_deleted(cast: Cast, olga: Actor, oskar: User) -> None:
    token = token_of(oskar)
    db.write(people.disable, olga, oskar.id, oskar.version)
    assert db.read(sessions.identify, token, HERE).kind == ActorKind.NOBODY
    with pytest.raises(Conflict):
        db.write(people.remove, olga, oskar.id, oskar.version)
    db.write(people.enable, olga, oskar.id, now(oskar).version)
    db.write(people.remove, olga, oskar.id, now(oskar).version)
    assert now(oskar) is None
    for words in ("Disabled oskar@", "Enabled oskar@", "Deleted oskar@"):
        assert audited(words) == {None}
    assert written("user management") == {"oskar@people.example"}


def test_never_oneself_nor_the_last_one_nor_somebody_elses_user(cast: Cast, olga: Actor, oskar: User) -> None:
    for act in (people.disable, people.remove):
        with pytest.raises(Conflict, match="your own access"):
            db.write(act, olga, cast.olga.id, cast.olga.version)
        with pytest.raises(NotFound):
            db.write(act, olga, cast.alice.id, cast.alice.version)
    db.write(people.disable, factories.actor(oskar), cast.olga.id, cast.olga.version)
    with pytest.raises(Conflict, match="Your own access was turned off"):
        db.write(people.disable, olga, oskar.id, oskar.version)
    assert now(oskar).state == UserState.ACTIVE


def test_two_who_disable_each_other_at_once_leave_one(office: Cast) -> None:
    olga, oskar = office.actor("olga"), second_operator()
    start, answers = threading.Barrier(2), []

    def disable(me: Actor, other: User) -> None:
        start.wait()
        try:
            db.write(people.disable, me, other.id, other.version)
            answers.append("done")
        except Conflict:
            answers.append("refused")

    pairs = ((olga, oskar), (factories.actor(oskar), office.olga))
    threads = [threading.Thread(target=disable, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == ["done", "refused"]


def test_the_list_shows_the_second_factor(office: Cast) -> None:
    olga, oskar = office.actor("olga"), second_operator()
    db.write(_passkey, oskar.id)
    found = db.read(people.list_page, olga, OperatorQuery(sort="two_factor", descending=True))
    assert [(row.email, row.passkey, row.two_factor) for row in found.rows] == [
        ("oskar@people.example", True, False),
        ("olga@people.example", False, False),
    ]
    assert db.read(people.list_page, olga, OperatorQuery(search="osk", state="active")).matching == 1


def _passkey(session: Session, user_id: int) -> Passkey:
    key = {"credential_id": f"c{user_id}", "public_key": b"k", "name": "Key", "created_at": clock.now()}
    return factories.save(session, Passkey(user_id=user_id, user_handle=f"h{user_id}", **key))


def _step(user: User, **given: Any) -> StepKind:
    asked = {"method": Method.PASSWORD, "second_factor_done": False} | given
    return db.write(steps.proceed, user.id, HERE, **asked).kind


@pytest.mark.parametrize(("demo", "kind"), [("", StepKind.ENROL), ("0", StepKind.ENROL), ("1", StepKind.DONE)])
def test_outside_the_demo_a_sign_in_leads_through_setting_up_a_second_factor(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, demo: str, kind: StepKind
) -> None:
    if demo:
        monkeypatch.setenv("PORTAL_DEMO", demo)
        reset_settings()
    assert _step(cast.olga) == kind
    assert _step(cast.olga, method=Method.MICROSOFT) == kind
    assert _step(cast.olga, method=Method.PASSKEY, second_factor_done=True) == StepKind.DONE
    assert _step(cast.alice) == StepKind.DONE


def test_who_has_a_passkey_cant_set_up_an_app_with_the_password_alone(cast: Cast) -> None:
    db.write(_passkey, cast.olga.id)
    assert _step(cast.olga) == StepKind.CODE


def test_the_only_second_factor_stays(cast: Cast, olga: Actor) -> None:
    key = db.write(_passkey, cast.olga.id)
    with pytest.raises(Conflict):
        db.write(passkeys.remove, olga, key.id)
    secret = db.write(two_factor.begin, olga).secret
    two_factor.enable(olga, pyotp.TOTP(secret).now())
    with pytest.raises(Conflict, match="required"):
        two_factor.turn_off(olga, factories.PASSWORD, "000000")
    db.write(passkeys.remove, olga, key.id)


def test_an_operators_session_ends_after_a_working_day(cast: Cast) -> None:
    hours = {}
    for user in (cast.olga, cast.alice):
        found = sessions.digest(token_of(user))
        login = db.read(lambda s, found=found: s.get_one(LoginSession, found))
        hours[user.kind] = round((login.ends_at - login.created_at).total_seconds() / 3600)
    assert hours == {"operator": 8, "partner": 12}


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("10.1.2.3", ActorKind.OPERATOR),
        ("::ffff:10.1.2.3", ActorKind.OPERATOR),
        ("2001:db8::7", ActorKind.OPERATOR),
        ("192.0.2.7", ActorKind.ELSEWHERE),
        ("2001:db9::7", ActorKind.ELSEWHERE),
        ("", ActorKind.ELSEWHERE),
    ],
)
def test_operators_come_only_from_the_addresses_that_are_named(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, address: str, kind: ActorKind
) -> None:
    token, alices = token_of(cast.olga), token_of(cast.alice)
    monkeypatch.setenv("PORTAL_OPERATOR_ADDRESSES", "10.1.0.0/16, 2001:db8::/32")
    reset_settings()
    assert db.read(sessions.identify, token, Origin(address)).kind == kind
    assert db.read(sessions.identify, alices, Origin(address)).kind == ActorKind.PARTNER


def test_a_wrong_address_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTAL_OPERATOR_ADDRESSES", "the office")
    reset_settings()
    with pytest.raises(SystemExit, match="PORTAL_OPERATOR_ADDRESSES"):
        settings()
