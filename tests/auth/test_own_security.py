"""A person's own password, second factor and sessions; the rules for all users; forgotten passwords."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pyotp
import pytest
from sqlalchemy import func, select, update
from sqlmodel import Session, col

from portal_app import clock, crypto, db
from portal_app.auth import limiter, second_factor, service, sessions
from portal_app.auth.actor import NOBODY, Actor
from portal_app.auth.steps import StepKind
from portal_app.errors import Conflict, Denied, Invalid, NotFound
from portal_app.mail.letter import unpack
from portal_app.mail.service import place_of
from portal_app.models import AuditEvent, LoginSession, OutboxMail, Partner, User
from portal_app.security import resets, two_factor
from portal_app.security import service as security
from tests.cast import HERE, Cast, token_of
from tests.factories import PASSWORD

NEW = "four quite ordinary elephants"


@pytest.fixture(autouse=True)
def _any_number_of_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limiter, "_take", lambda *_: None)


def _actor(user: User) -> Actor:
    return db.read(sessions.identify, token_of(user), HERE)


def _faults(act: Callable[[], Any]) -> dict[str, str]:
    with pytest.raises(Invalid) as refusal:
        act()
    return refusal.value.fields


def _code(secret: str, later: int = 0) -> str:
    return pyotp.TOTP(secret).generate_otp(second_factor._step() + later)


def _turned_on(actor: Actor) -> tuple[str, list[str]]:
    secret = db.write(two_factor.begin, actor).secret
    return secret, two_factor.enable(actor, _code(secret, -1))


def _opens(password: str, email: str) -> bool:
    try:
        return service.sign_in(email, password, HERE).kind != StepKind.REFUSED
    except Denied:
        return False


def _mails(session: Session) -> list[tuple[str, str]]:
    return [(row.recipient, row.subject) for row in session.scalars(select(OutboxMail).order_by(col(OutboxMail.id)))]


def _link(session: Session) -> str:
    mail = session.scalars(select(OutboxMail).order_by(col(OutboxMail.id).desc())).first()
    assert mail
    letter = unpack(crypto.unseal(mail.sealed, binding=place_of(mail)))
    assert letter.action
    return letter.action[1].partition("token=")[2]


@pytest.mark.parametrize("act", [security.overview, security.revoke_others, two_factor.begin, two_factor.new_codes])
def test_nobody_has_anything(cast: Cast, act: Callable[..., Any]) -> None:
    with pytest.raises(Denied):
        db.write(act, NOBODY)


@pytest.mark.parametrize("who", ["alice", "nina", "dave", "olga"])
def test_everybody_changes_their_own_password_and_other_browsers_are_out(cast: Cast, who: str) -> None:
    user = cast.people[who]
    other, actor = token_of(user), _actor(user)
    security.change_password(actor, PASSWORD, NEW, NEW)
    assert (_opens(PASSWORD, user.email), _opens(NEW, user.email)) == (False, True)
    assert not db.read(sessions.identify, other, HERE).signed_in
    with db.reading() as session:
        assert session.get(LoginSession, actor.session_hash)
        assert _mails(session) == [(user.email, "Your password was changed")]


@pytest.mark.parametrize(
    ("current", "new", "again", "field"),
    [
        ("", NEW, NEW, "current"),
        ("wrong", NEW, NEW, "current"),
        (PASSWORD, "short", "short", "password"),
        (PASSWORD, "password1234", "password1234", "password"),
        (PASSWORD, "alice@people.example", "alice@people.example", "password"),
        (PASSWORD, NEW, NEW + " ", "again"),
        (PASSWORD, PASSWORD, PASSWORD, "password"),
        (PASSWORD, "x" * 129, "x" * 129, "password"),
    ],
)
def test_a_fault_stands_by_its_field_and_changes_nothing(
    cast: Cast, current: str, new: str, again: str, field: str
) -> None:
    actor = _actor(cast.alice)
    assert _faults(lambda: security.change_password(actor, current, new, again)).keys() == {field}
    assert _opens(PASSWORD, cast.alice.email)


def test_turning_it_on_and_off(cast: Cast) -> None:
    other, actor = token_of(cast.alice), _actor(cast.alice)
    secret = db.write(two_factor.begin, actor).secret
    assert _faults(lambda: two_factor.enable(actor, "000000")) == {"code": service.WRONG_CODE}
    codes = two_factor.enable(actor, _code(secret, -1))
    assert len(codes) == 10
    assert not db.read(sessions.identify, other, HERE).signed_in
    with pytest.raises(Conflict):
        db.write(two_factor.begin, actor)
    assert _faults(lambda: two_factor.turn_off(actor, "wrong", _code(secret))).keys() == {"password"}
    assert _faults(lambda: two_factor.turn_off(actor, PASSWORD, "000000")).keys() == {"code"}
    assert _faults(lambda: two_factor.turn_off(actor, "", "")).keys() == {"password", "code"}
    two_factor.turn_off(actor, PASSWORD, _code(secret))
    assert service.sign_in(cast.alice.email, PASSWORD, HERE).kind == StepKind.DONE
    with db.reading() as session:
        assert [subject.split()[-1] for _, subject in _mails(session)] == ["on", "off"]
        assert session.get_one(User, cast.alice.id).totp_secret is None


def test_what_the_company_requires_cannot_be_turned_off(cast: Cast) -> None:
    actor = _actor(cast.bob)
    secret, _ = _turned_on(actor)
    db.write(security.save_policy, _actor(cast.alice), "", require_two_factor=True)
    with pytest.raises(Conflict, match="is required"):
        two_factor.turn_off(actor, PASSWORD, _code(secret))


def test_new_recovery_codes_void_the_old_ones(cast: Cast) -> None:
    actor = _actor(cast.alice)
    _, old = _turned_on(actor)
    new = db.write(two_factor.new_codes, actor)
    step = service.sign_in(cast.alice.email, PASSWORD, HERE)
    with pytest.raises(Denied):
        service.verify_code(step.token, old[0], HERE)
    assert service.verify_code(step.token, new[0], HERE).kind == StepKind.DONE


def test_one_ends_ones_own_sessions_and_nobody_elses(cast: Cast) -> None:
    actor, mallory = _actor(cast.alice), _actor(cast.mallory)
    other = token_of(cast.alice)
    rows = db.read(security.overview, actor).sessions
    assert sorted(row.is_this for row in rows) == [False, True]
    for key in (mallory.session_hash[:16], mallory.session_hash, "", "x"):
        with pytest.raises(NotFound):
            db.write(security.revoke, actor, key)
    db.write(security.revoke, actor, next(row.key for row in rows if not row.is_this))
    assert not db.read(sessions.identify, other, HERE).signed_in
    token_of(cast.alice)
    assert db.write(security.revoke_others, actor) == 1
    with db.reading() as session:
        assert session.get(LoginSession, actor.session_hash)
        assert session.get(LoginSession, mallory.session_hash)


@pytest.mark.parametrize("who", ["bob", "carol", "nina", "dave", "olga"])
def test_the_rules_for_all_are_not_for_everybody(cast: Cast, who: str) -> None:
    actor = _actor(cast.people[who])
    assert db.read(security.overview, actor).policy is None
    with pytest.raises(Denied):
        db.write(security.save_policy, actor, "30", require_two_factor=True)


@pytest.mark.parametrize("days", ["0", "-1", "731", "1.5", "x", "٣", "9" * 400, "1e2"])
def test_odd_numbers_of_days_are_refused(cast: Cast, days: str) -> None:
    actor = _actor(cast.alice)
    assert _faults(lambda: db.write(security.save_policy, actor, days, require_two_factor=True)).keys() == {"days"}
    with db.reading() as session:
        assert not session.get_one(Partner, cast.partner_a.id).require_two_factor


def test_the_rules_are_of_ones_own_partner_and_audited(cast: Cast) -> None:
    actor = _actor(cast.alice)
    assert db.write(security.save_policy, actor, " 30 ", require_two_factor=True) == 0
    assert db.write(security.save_policy, actor, "30", require_two_factor=True) is None
    with db.reading() as session:
        assert session.get_one(Partner, cast.partner_b.id).password_days is None
        (row,) = session.scalars(select(AuditEvent)).all()
        assert row.description == "Password expiration after 30 days; two-factor authentication required"


def _set_long_ago(session: Session, user: User) -> None:
    session.execute(
        update(User).where(col(User.id) == user.id).values(password_set_at=clock.now() - timedelta(days=40))
    )


@pytest.mark.parametrize(("days", "required"), [("30", False), ("", True)])
def test_new_rules_sign_out_who_does_not_meet_them(cast: Cast, days: str, required: bool) -> None:
    """Bob and Carol have an old password and no second factor; Nina and Alice, who rules, are as the rules ask."""
    alice, mallory, dave = _actor(cast.alice), _actor(cast.mallory), _actor(cast.dave)
    nina = _actor(cast.nina)
    _turned_on(nina)
    for user in (cast.bob, cast.carol, cast.alice, cast.mallory, cast.dave):
        db.write(_set_long_ago, user)
    for user in (cast.bob, cast.bob, cast.carol):
        assert _actor(user).signed_in
    assert db.write(security.save_policy, alice, days, require_two_factor=required) == 2
    with db.reading() as session:
        kept = {row.token_hash for row in session.scalars(select(LoginSession))}
    assert kept == {actor.session_hash for actor in (alice, mallory, dave, nina)}
    assert service.sign_in(cast.bob.email, PASSWORD, HERE).kind != StepKind.DONE


@pytest.mark.parametrize("who", ["ivan", "irene", "sam", "unknown"])
def test_who_may_not_enter_gets_no_link_and_the_same_answer(cast: Cast, who: str) -> None:
    resets.ask(cast.people[who].email if who in cast.people else "nobody@people.example", HERE)
    with db.reading() as session:
        assert session.scalar(select(func.count()).select_from(OutboxMail)) == 0


def test_a_reset_ends_all_sessions_and_leaves_the_second_factor_on(cast: Cast) -> None:
    actor = _actor(cast.alice)
    _turned_on(actor)
    resets.ask(f" {cast.alice.email.upper()} ", HERE)
    token = db.read(_link)
    assert _faults(lambda: resets.finish(token, "short", "short", HERE)).keys() == {"password"}
    resets.finish(token, NEW, NEW, HERE)
    assert service.sign_in(cast.alice.email, NEW, HERE).kind == StepKind.CODE
    with db.reading() as session:
        assert session.get(LoginSession, actor.session_hash) is None
    with pytest.raises(Conflict):
        resets.finish(token, NEW + "!", NEW + "!", HERE)


def test_a_link_is_good_for_an_hour_and_the_newest_only(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    resets.ask(cast.alice.email, HERE)
    first = db.read(_link)
    resets.ask(cast.alice.email, HERE)
    second = db.read(_link)
    assert (db.read(resets.is_good, first, HERE), db.read(resets.is_good, second, HERE)) == (False, True)
    end = clock.now() + resets.LIFE
    monkeypatch.setattr(clock, "now", lambda: end)
    with pytest.raises(Conflict):
        resets.finish(second, NEW, NEW, HERE)


def test_a_link_of_who_was_disabled_meanwhile_opens_nothing(cast: Cast) -> None:
    resets.ask(cast.alice.email, HERE)
    token = db.read(_link)
    with db.writing() as session:
        session.execute(update(User).where(col(User.id) == cast.alice.id).values(state="disabled"))
    with pytest.raises(Conflict):
        resets.finish(token, NEW, NEW, HERE)


def test_of_many_resets_with_one_link_one_wins(cast: Cast) -> None:
    resets.ask(cast.alice.email, HERE)
    token = db.read(_link)

    def reset(number: int) -> int | None:
        try:
            resets.finish(token, f"{NEW} {number}", f"{NEW} {number}", HERE)
        except Conflict:
            return None
        return number

    with ThreadPoolExecutor(8) as pool:
        won = [number for number in pool.map(reset, range(8)) if number is not None]
    assert len(won) == 1
    assert _opens(f"{NEW} {won[0]}", cast.alice.email)
