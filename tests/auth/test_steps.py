"""A sign-in's further steps: each only after the one before, none to be had by asking for it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pyotp
import pytest
from sqlalchemy import select, update
from sqlmodel import Session, col

from portal_app import clock, db
from portal_app.auth import limiter, second_factor, service, sessions, steps
from portal_app.auth.steps import Method, Step, StepKind
from portal_app.errors import Conflict, Denied
from portal_app.models import AuditEvent, LoginTicket, Partner, PartnerState, PendingSignIn, User, UserState
from tests.cast import HERE, Cast, make_cast
from tests.factories import PASSWORD
from tests.stores import Environment


def code_of(secret: str, *, later: int = 0) -> str:
    return pyotp.TOTP(secret).generate_otp(second_factor._step() + later)


def _begin(session: Session, user_id: int) -> str:
    return second_factor.begin(session, session.get_one(User, user_id)).secret


def _enable(session: Session, user_id: int, code: str) -> list[str] | None:
    return second_factor.enable(session, session.get_one(User, user_id), code)


def turn_on(user_id: int) -> tuple[str, list[str]]:
    """The secret and the recovery codes of a user with a second factor, whose code of now is not spent."""
    secret = db.write(_begin, user_id)
    codes = db.write(_enable, user_id, code_of(secret, later=-1))
    assert codes
    return secret, codes


def _set(session: Session, model: Any, row_id: int | None, **values: Any) -> None:
    session.execute(update(model).where(col(model.id) == row_id).values(**values))


def _password(cast: Cast, who: str = "alice") -> Step:
    return service.sign_in(cast.people[who].email, PASSWORD, HERE)


def _no_entry() -> bool:
    with db.reading() as session:
        return session.scalars(select(LoginTicket)).all() == []


def _refused(act: Callable[[], Any], sentence: str) -> None:
    with pytest.raises(Denied) as refusal:
        act()
    assert refusal.value.sentence == sentence


def test_the_password_alone_opens_nothing_once_there_is_a_second_factor(cast: Cast) -> None:
    turn_on(cast.alice.id)
    step = _password(cast)
    assert step.kind == StepKind.CODE
    assert _no_entry()
    assert db.write(sessions.redeem, step.token, HERE) is None
    assert db.write(steps.resume, step.token, HERE) == step
    assert _no_entry()


def test_password_and_code_give_a_session(cast: Cast) -> None:
    secret, _ = turn_on(cast.alice.id)
    step = service.verify_code(_password(cast).token, f" {code_of(secret)[:3]} {code_of(secret)[3:]} ", HERE)
    assert step.kind == StepKind.DONE
    token = db.write(sessions.redeem, step.token, HERE)
    assert db.read(sessions.identify, token, HERE).user_id == cast.alice.id


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "000000\x00", "x" * 100_000, "\ud800"])
def test_a_wrong_code_gives_nothing(cast: Cast, code: str) -> None:
    turn_on(cast.alice.id)
    step = _password(cast)
    _refused(lambda: service.verify_code(step.token, code, HERE), service.WRONG_CODE)
    assert _no_entry()


@pytest.mark.parametrize("token", ["", "x", "\u2028", "y" * 10_000])
def test_a_step_that_nobody_stands_at_is_over(cast: Cast, token: str) -> None:
    secret, _ = turn_on(cast.alice.id)
    _password(cast)
    _refused(lambda: service.verify_code(token, code_of(secret), HERE), service.OVER)
    assert db.write(steps.resume, token, HERE) == steps.REFUSED


def test_one_users_step_does_not_take_anothers_code(cast: Cast) -> None:
    turn_on(cast.alice.id)
    others, _ = turn_on(cast.mallory.id)
    step = _password(cast)
    _refused(lambda: service.verify_code(step.token, code_of(others), HERE), service.WRONG_CODE)


def test_after_some_wrong_codes_the_sign_in_begins_again(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limiter, "count_attempt", lambda *_: None)
    secret, _ = turn_on(cast.alice.id)
    step = _password(cast)
    for _ in range(steps.WRONG_CODES - 1):
        _refused(lambda: service.verify_code(step.token, "000000", HERE), service.WRONG_CODE)
        assert db.write(steps.resume, step.token, HERE) == step
    _refused(lambda: service.verify_code(step.token, "000000", HERE), service.OVER)
    _refused(lambda: service.verify_code(step.token, code_of(secret), HERE), service.OVER)


def test_the_right_password_does_not_buy_more_codes(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who knows the password and may come from anywhere still gets a few codes in a quarter of an hour."""
    monkeypatch.setattr(limiter, "count_attempt", lambda *_: None)
    turn_on(cast.alice.id)
    tried = 0
    with pytest.raises(Denied, match="Too many attempts"):
        for _ in range(100):
            step = _password(cast)
            for _ in range(steps.WRONG_CODES - 1):
                with pytest.raises(Denied) as refusal:
                    service.verify_code(step.token, "000000", HERE)
                if refusal.value.sentence != service.WRONG_CODE:
                    raise refusal.value
                tried += 1
    assert tried == 10


def test_a_step_dies_after_ten_minutes(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    secret, _ = turn_on(cast.alice.id)
    step, end = _password(cast), clock.now() + steps.LIFE
    monkeypatch.setattr(clock, "now", lambda: end)
    _refused(lambda: service.verify_code(step.token, code_of(secret), HERE), service.OVER)


@pytest.mark.parametrize(
    ("model", "who", "values"),
    [
        (User, "alice", {"state": UserState.DISABLED}),
        (Partner, "partner_a", {"state": PartnerState.SUSPENDED}),
    ],
)
def test_who_is_shut_out_between_the_steps_is_out(cast: Cast, model: Any, who: str, values: dict[str, Any]) -> None:
    secret, _ = turn_on(cast.alice.id)
    step = _password(cast)
    db.write(_set, model, getattr(cast, who).id, **values)
    _refused(lambda: service.verify_code(step.token, code_of(secret), HERE), service.OVER)
    assert db.write(steps.resume, step.token, HERE) == steps.REFUSED


def test_everything_that_ends_sessions_ends_steps_too(cast: Cast) -> None:
    turn_on(cast.alice.id)
    step = _password(cast)
    db.write(sessions.end_all, cast.alice.id)
    assert db.write(steps.resume, step.token, HERE) == steps.REFUSED


@pytest.mark.parametrize("who", ["ivan", "irene", "sam"])
def test_however_they_were_shown_who_may_not_enter_is_refused(cast: Cast, who: str) -> None:
    for method in Method:
        step = db.write(steps.proceed, cast.people[who].id, HERE, method=method, second_factor_done=True)
        assert step == steps.REFUSED
    assert _no_entry()


def test_another_companys_sign_in_still_asks_for_the_code(cast: Cast) -> None:
    turn_on(cast.alice.id)
    for done, kind in ((False, StepKind.CODE), (True, StepKind.DONE)):
        step = db.write(steps.proceed, cast.alice.id, HERE, method=Method.MICROSOFT, second_factor_done=done)
        assert step.kind == kind


def test_an_expired_password_is_asked_to_be_changed_and_only_where_one_was_typed(cast: Cast) -> None:
    old = clock.now() - timedelta(days=31)
    db.write(_set, User, cast.alice.id, created_at=old)
    db.write(_set, User, cast.bob.id, created_at=old, password_set_at=clock.now())
    assert _password(cast).kind == StepKind.DONE
    db.write(_set, Partner, cast.partner_a.id, password_days=30)
    assert _password(cast).kind == StepKind.CHANGE_PASSWORD
    assert _password(cast, "bob").kind == StepKind.DONE
    step = db.write(steps.proceed, cast.alice.id, HERE, method=Method.GOOGLE, second_factor_done=False)
    assert step.kind == StepKind.DONE


def test_the_code_comes_before_the_change_of_the_password_and_before_the_enrolment(cast: Cast) -> None:
    db.write(_set, User, cast.alice.id, must_change_password=True)
    db.write(_set, Partner, cast.partner_a.id, require_two_factor=True)
    secret, _ = turn_on(cast.alice.id)
    step = _password(cast)
    assert step.kind == StepKind.CODE
    assert service.verify_code(step.token, code_of(secret), HERE).kind == StepKind.CHANGE_PASSWORD
    db.write(_set, User, cast.bob.id, must_change_password=True)
    assert _password(cast, "bob").kind == StepKind.CHANGE_PASSWORD
    assert _password(cast, "carol").kind == StepKind.ENROL
    assert _password(cast, "dave").kind == StepKind.DONE
    assert _no_entry() is False


def test_a_code_works_once_and_an_older_one_not_after_it(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limiter, "count_attempt", lambda *_: None)
    secret, _ = turn_on(cast.alice.id)
    assert service.verify_code(_password(cast).token, code_of(secret), HERE).kind == StepKind.DONE
    for later in (0, -1):
        step = _password(cast)
        _refused(
            lambda t=step.token, n=later: service.verify_code(t, code_of(secret, later=n), HERE), service.WRONG_CODE
        )
    assert service.verify_code(_password(cast).token, code_of(secret, later=1), HERE).kind == StepKind.DONE


def test_a_recovery_code_stands_in_once(cast: Cast) -> None:
    _, codes = turn_on(cast.alice.id)
    assert len(set(codes)) == second_factor.RECOVERY_CODES
    for typed in (codes[0].lower(), codes[1].replace("-", " "), codes[2].replace("-", "")):
        assert service.verify_code(_password(cast).token, typed, HERE).kind == StepKind.DONE
        step = _password(cast)
        _refused(lambda t=step.token, c=typed: service.verify_code(t, c, HERE), service.WRONG_CODE)
    assert db.read(second_factor.codes_left, cast.alice.id) == 7


def test_a_secret_that_was_only_begun_is_not_asked_for(cast: Cast) -> None:
    secret = db.write(_begin, cast.alice.id)
    assert _password(cast).kind == StepKind.DONE
    assert db.write(_enable, cast.alice.id, "000000") is None
    assert db.write(_enable, cast.alice.id, code_of(secret))
    with pytest.raises(Conflict):
        db.write(_begin, cast.alice.id)
    assert _password(cast).kind == StepKind.CODE


def test_the_secret_is_sealed_for_its_row(cast: Cast) -> None:
    secret, codes = turn_on(cast.alice.id)
    with db.reading() as session:
        sealed = session.get_one(User, cast.alice.id).totp_secret
        stored = str(session.execute(select(second_factor.RecoveryCode.code_hash)).all())
    assert sealed and secret.encode() not in sealed
    assert not any(code.replace("-", "") in stored for code in codes)
    db.write(_set, User, cast.mallory.id, totp_secret=sealed, totp_enabled_at=clock.now())
    step = _password(cast, "mallory")
    with pytest.raises(Exception, match="damaged or belongs to another record"):
        service.verify_code(step.token, code_of(secret), HERE)


def test_each_step_is_audited_and_no_secret_is_in_it(cast: Cast) -> None:
    secret, codes = turn_on(cast.alice.id)
    step = _password(cast)
    with pytest.raises(Denied):
        service.verify_code(step.token, "000000", HERE)
    service.verify_code(step.token, code_of(secret), HERE)
    with db.reading() as session:
        rows = list(session.scalars(select(AuditEvent).order_by(col(AuditEvent.id))))
    assert [(row.completed, row.description.split(".")[0]) for row in rows] == [
        (True, "Recognised by a password; a second factor is asked for"),
        (False, "Second factor refused"),
        (True, "Signed in with a password and a second factor"),
    ]
    assert {row.partner_id for row in rows} == {cast.partner_a.id}
    told = "".join(row.description for row in rows)
    assert not any(word in told for word in (secret, step.token, code_of(secret), *codes))


def test_of_fifty_with_one_code_at_once_one_comes_in(store: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has a step of their own: nothing but the code itself is shared. The same for a recovery code."""
    cast = db.write(make_cast)
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now)
    secret, codes = turn_on(cast.alice.id)
    for code in (code_of(secret), codes[0]):
        tokens = [
            db.write(steps.proceed, cast.alice.id, HERE, method=Method.PASSWORD, second_factor_done=False).token
            for _ in range(50)
        ]
        with ThreadPoolExecutor(20) as pool:
            found = list(pool.map(lambda token, code=code: db.write(steps.verify, token, code, HERE), tokens))
        assert [step.kind for step in found if step] == [StepKind.DONE]


def test_of_fifty_at_one_step_one_comes_in_and_wrong_ones_are_all_counted(cast: Cast) -> None:
    turn_on(cast.alice.id)
    step = _password(cast)
    with ThreadPoolExecutor(20) as pool:
        found = list(pool.map(lambda _: db.write(steps.verify, step.token, "000000", HERE), range(50)))
    assert len([one for one in found if one is None]) == steps.WRONG_CODES - 1
    with db.reading() as session:
        assert session.scalars(select(PendingSignIn)).all() == []
