"""Passkeys: who may not, then what is right, then what somebody has made up."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session, select

from portal_app import clock, db
from portal_app.auth import passkey_sign_in, sessions, steps
from portal_app.auth.actor import Actor
from portal_app.auth.passkey_sign_in import ask, ask_to_confirm, confirm, sign_in, verify
from portal_app.auth.service import Over
from portal_app.auth.steps import Method, StepKind
from portal_app.errors import Conflict, Denied, Invalid, NotFound, PortalError
from portal_app.models import AuditEvent, LoginSession, OutboxMail, Partner, Passkey, SignInType, User, UserState
from portal_app.security import passkeys
from tests.auth.authenticator import PRESENT, Authenticator
from tests.cast import HERE, Cast, token_of

__all__ = ["Cast"]


def actor_of(user: User) -> Actor:
    return db.read(sessions.identify, token_of(user), HERE)


@pytest.fixture
def alice(cast: Cast) -> Actor:
    return actor_of(cast.alice)


@pytest.fixture
def device(alice: Actor) -> Authenticator:
    """Alice's, with a passkey of hers."""
    return add(alice, Authenticator())


def add(actor: Actor, device: Authenticator, name: str = "Laptop") -> Authenticator:
    passkeys.add(actor, name, device.make(db.write(passkeys.begin, actor)))
    return device


def change(user_id: int | None, **given: Any) -> None:
    def do(session: Session) -> None:
        for name, value in given.items():
            setattr(session.get_one(User, user_id), name, value)

    db.write(do)


def keys() -> list[Passkey]:
    with db.reading() as session:
        return list(session.exec(select(Passkey).order_by(Passkey.id)).all())


def last_audit() -> tuple[str, bool, str]:
    with db.reading() as session:
        row = session.exec(select(AuditEvent).order_by(AuditEvent.id.desc())).first()
        assert row
        return row.performed_by, row.completed, row.description


def test_nobody_adds_without_being_signed_in(cast: Cast) -> None:
    for act in (passkeys.begin, passkeys.listed):
        with pytest.raises(Denied):
            db.write(act, Actor())


def test_who_signs_in_elsewhere_adds_none(alice: Actor) -> None:
    change(alice.user_id, sign_in_type=SignInType.GOOGLE)
    with pytest.raises(Conflict):
        db.write(passkeys.begin, alice)


def test_somebody_elses_does_not_exist(cast: Cast, alice: Actor, device: Authenticator) -> None:
    (key,) = keys()
    mallory = actor_of(cast.mallory)
    assert db.read(passkeys.listed, mallory) == []
    for act in (
        lambda: db.write(passkeys.remove, mallory, key.id),
        lambda: db.write(passkeys.rename, mallory, key.id, "x"),
    ):
        with pytest.raises(NotFound, match="no such passkey"):
            act()
    with pytest.raises(NotFound, match="no such passkey"):
        db.write(passkeys.remove, mallory, 999)
    assert len(keys()) == 1


@pytest.mark.parametrize("state", [UserState.DISABLED, UserState.INVITED])
def test_who_may_not_sign_in_does_not_by_passkey(alice: Actor, device: Authenticator, state: UserState) -> None:
    change(alice.user_id, state=state)
    with pytest.raises(Denied):
        sign_in(device.answer(db.write(ask, "")), HERE)


def test_nor_who_signs_in_elsewhere_by_now(alice: Actor, device: Authenticator) -> None:
    change(alice.user_id, sign_in_type=SignInType.AZURE)
    with pytest.raises(Denied):
        sign_in(device.answer(db.write(ask, "")), HERE)


def test_an_added_one_is_listed_told_and_ends_other_sessions(cast: Cast, alice: Actor) -> None:
    other = actor_of(cast.alice)
    add(alice, Authenticator(), " My  laptop ")
    (row,) = db.read(passkeys.listed, alice)
    assert (row.name, row.used_at) == ("My laptop", None)
    with db.reading() as session:
        assert [one.token_hash for one in session.exec(select(LoginSession)).all()] == [alice.session_hash]
        assert session.exec(select(OutboxMail)).one().recipient == alice.email
    assert other.session_hash != alice.session_hash
    assert last_audit()[:2] == (alice.email, True)
    assert "“My laptop” was added" in last_audit()[2]


def test_the_options_keep_the_address_out_of_the_handle_and_know_the_device(
    alice: Actor, device: Authenticator
) -> None:
    options = json.loads(db.write(passkeys.begin, alice))
    assert options["rp"]["id"] == "localhost"
    assert options["authenticatorSelection"] == {
        "residentKey": "required",
        "requireResidentKey": True,
        "userVerification": "required",
    }
    assert [one["id"] for one in options["excludeCredentials"]] == [keys()[0].credential_id]
    assert options["user"]["id"] == device.handle == keys()[0].user_handle
    assert len(device.handle) == 43


@pytest.mark.parametrize("name", ["", " ", "x" * 121, "a\x00b"])
def test_a_name_that_is_none(alice: Actor, name: str) -> None:
    with pytest.raises(Invalid):
        passkeys.add(alice, name, "{}")


def test_rename_and_remove(alice: Actor, device: Authenticator) -> None:
    db.write(passkeys.rename, alice, keys()[0].id, "Phone")
    assert keys()[0].name == "Phone"
    db.write(passkeys.remove, alice, keys()[0].id)
    assert keys() == []
    with pytest.raises(Denied):
        sign_in(device.answer(db.write(ask, "")), HERE)


def test_it_is_the_whole_sign_in_with_both_factors(alice: Actor, device: Authenticator) -> None:
    def strict(session: Session) -> None:
        session.get_one(Partner, alice.partner_id).require_two_factor = True
        session.get_one(User, alice.user_id).totp_enabled_at = clock.now()

    db.write(strict)
    step = sign_in(device.answer(db.write(ask, "")), HERE)
    assert step.kind == StepKind.DONE
    token = db.write(sessions.redeem, step.token, HERE)
    assert db.read(sessions.identify, token, HERE).user_id == alice.user_id
    assert last_audit()[2].startswith("Signed in with a passkey. ")
    assert keys()[0].used_at is not None
    assert keys()[0].sign_count == 1


def waiting(user_id: int | None) -> str:
    """A sign-in by password that waits for the second factor."""
    change(user_id, totp_enabled_at=clock.now())
    step = db.write(steps.proceed, user_id, HERE, method=Method.PASSWORD, second_factor_done=False)
    assert step.kind == StepKind.CODE
    return step.token


def test_it_stands_in_for_the_code(alice: Actor, device: Authenticator) -> None:
    token = waiting(alice.user_id)
    assert verify(token, device.answer(db.write(ask, token)), HERE).kind == StepKind.DONE
    with pytest.raises(Over):
        db.write(ask, token)


def test_but_not_somebody_elses(cast: Cast, device: Authenticator) -> None:
    theirs = waiting(cast.mallory.id)
    options = db.write(ask, theirs)
    assert json.loads(options)["allowCredentials"] == []
    with pytest.raises(Denied):
        verify(theirs, device.answer(options), HERE)
    assert db.write(steps.resume, theirs, HERE).kind == StepKind.CODE


def test_it_confirms_who_is_there(alice: Actor, device: Authenticator) -> None:
    def forget(session: Session) -> None:
        session.get_one(LoginSession, alice.session_hash).confirmed_at = None

    db.write(forget)
    confirm(alice, device.answer(db.write(ask_to_confirm, alice)))
    with db.reading() as session:
        assert session.get_one(LoginSession, alice.session_hash).confirmed_at is not None


def test_a_question_of_another_session_or_use_confirms_nobody(cast: Cast, alice: Actor, device: Authenticator) -> None:
    mallory = actor_of(cast.mallory)
    for options, actor in (
        (db.write(ask_to_confirm, alice), replace(alice, session_hash="other")),
        (db.write(ask_to_confirm, mallory), mallory),
        (db.write(ask_to_confirm, mallory), alice),
        (db.write(ask, ""), alice),
    ):
        with pytest.raises(Denied):
            confirm(actor, device.answer(options))


def test_an_answer_is_good_once_even_at_the_same_moment(device: Authenticator) -> None:
    answer = device.answer(db.write(ask, ""))

    def attempt(_number: int) -> bool:
        try:
            return sign_in(answer, HERE).kind == StepKind.DONE
        except PortalError:
            return False

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(attempt, range(4))) == [False, False, False, True]


def test_a_question_is_good_for_five_minutes(device: Authenticator, monkeypatch: pytest.MonkeyPatch) -> None:
    options, now = db.write(ask, ""), clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(minutes=5, seconds=1))
    with pytest.raises(Denied):
        sign_in(device.answer(options), HERE)


def test_a_counter_that_goes_back_is_a_copy(device: Authenticator) -> None:
    device.count = 10
    sign_in(device.answer(db.write(ask, "")), HERE)
    device.count = 4
    with pytest.raises(Denied):
        sign_in(device.answer(db.write(ask, "")), HERE)
    assert last_audit()[1] is False
    assert keys()[0].sign_count == 11


def _set(**given: Any) -> Callable[[Authenticator], None]:
    return lambda device: [setattr(device, name, value) for name, value in given.items()] and None


BROKEN = {
    "another origin": _set(origin="https://evil.example"),
    "another port": _set(origin="http://localhost:3001"),
    "another place": _set(rp_id="evil.example"),
    "nobody was verified": _set(flags=PRESENT),
    "nobody was there": _set(flags=0),
    "another key": lambda device: setattr(device, "key", Authenticator().key),
    "another passkey": lambda device: setattr(device, "credential", b"x" * 32),
    "another person": lambda device: setattr(device, "handle", "AAAA"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_wrong_answer_lets_nobody_in(device: Authenticator, fault: str) -> None:
    BROKEN[fault](device)
    with pytest.raises(Denied):
        sign_in(device.answer(db.write(ask, "")), HERE)


@pytest.mark.parametrize("fault", ["another origin", "another place", "nobody was verified", "nobody was there"])
def test_nor_is_it_added(alice: Actor, fault: str) -> None:
    device = Authenticator()
    BROKEN[fault](device)
    with pytest.raises(Denied):
        add(alice, device)
    assert keys() == []
    assert last_audit()[:2] == (alice.email, False)


@pytest.mark.parametrize(
    "answer", ["", "x", "[]", "{}", "null", "7", '{"id": 7}', "[" * 20_000, "{" + " " * 40_000 + "}"]
)
def test_garbage_is_refused(alice: Actor, device: Authenticator, answer: str) -> None:
    for act in (
        lambda: sign_in(answer, HERE),
        lambda: passkeys.add(alice, "x", answer),
        lambda: confirm(alice, answer),
    ):
        with pytest.raises(Denied):
            act()


def test_without_the_persons_name_nobody_signs_in(device: Authenticator) -> None:
    with pytest.raises(Denied):
        sign_in(device.answer(db.write(ask, ""), userHandle=None), HERE)


def test_a_passkey_is_one_persons(cast: Cast, alice: Actor, device: Authenticator) -> None:
    mallory = actor_of(cast.mallory)
    with pytest.raises(Denied):
        add(mallory, device)
    assert [key.user_id for key in keys()] == [alice.user_id]


def test_an_answer_of_another_session_adds_nothing(cast: Cast, alice: Actor) -> None:
    answer = Authenticator().make(db.write(passkeys.begin, alice))
    with pytest.raises(Denied):
        passkeys.add(actor_of(cast.mallory), "Mine", answer)
    with pytest.raises(Denied):
        passkeys.add(replace(alice, session_hash="other"), "Mine", answer)
    passkeys.add(alice, "Mine", answer)
    with pytest.raises(Denied):
        passkeys.add(alice, "Again", answer)


def test_there_is_an_end_to_it(alice: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passkeys, "MOST", 1)
    add(alice, Authenticator())
    with pytest.raises(Conflict, match="Remove one"):
        add(alice, Authenticator())


def test_guessing_is_limited(device: Authenticator) -> None:
    sentences = []
    for _ in range(7):
        with pytest.raises(Denied) as refused:
            sign_in("{}", HERE)
        sentences.append(refused.value.sentence)
    assert sentences[:5] == [passkey_sign_in.REFUSED] * 5
    assert sentences[-1].startswith("Too many attempts")
