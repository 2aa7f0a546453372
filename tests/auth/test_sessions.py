"""How long a session holds, and what ends it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlmodel import Session, col

from portal_app import clock, db
from portal_app.auth import sessions
from portal_app.auth.permissions import CUSTOMER_OPERATIONS, Permission
from portal_app.models import LoginSession, Partner, PartnerState, User, UserState
from portal_app.settings import settings
from tests.cast import HERE, Cast, token_of

Shift = Callable[[timedelta], None]


@pytest.fixture
def shift(monkeypatch: pytest.MonkeyPatch) -> Shift:
    """Moves the portal's clock forward; nothing else stands still or sleeps."""
    now = clock.now()

    def moved(by: timedelta) -> None:
        nonlocal now
        now += by
        monkeypatch.setattr(clock, "now", lambda: now)

    moved(timedelta())
    return moved


def _holds(token: str) -> bool:
    return db.read(sessions.identify, token, HERE).signed_in


def _use(token: str) -> None:
    db.write(sessions.note_use, db.read(sessions.identify, token, HERE))


def test_a_session_ends_after_a_time_without_use(cast: Cast, shift: Shift) -> None:
    token, idle = token_of(cast.alice), timedelta(minutes=settings().session_idle_minutes)
    shift(idle - timedelta(seconds=1))
    assert _holds(token)
    shift(timedelta(seconds=2))
    assert not _holds(token)


def test_use_puts_the_idle_end_off_but_never_the_absolute_one(cast: Cast, shift: Shift) -> None:
    token, step = token_of(cast.alice), timedelta(minutes=settings().session_idle_minutes - 1)
    used = timedelta()
    while used + step < timedelta(hours=settings().session_hours):
        shift(step)
        used += step
        assert _holds(token)
        _use(token)
    shift(timedelta(hours=settings().session_hours) - used)
    assert not _holds(token)


def test_an_ended_session_is_not_woken_by_noting_its_use(cast: Cast, shift: Shift) -> None:
    token = token_of(cast.alice)
    actor = db.read(sessions.identify, token, HERE)
    db.write(sessions.end, actor.session_hash)
    db.write(sessions.note_use, actor)
    assert not _holds(token)
    with db.reading() as session:
        assert session.scalars(select(LoginSession)).all() == []


def test_a_ticket_is_good_for_seconds(cast: Cast, shift: Shift) -> None:
    early, late = db.write(sessions.new_ticket, cast.alice.id), db.write(sessions.new_ticket, cast.alice.id)
    shift(sessions.TICKET_LIFE)
    assert db.write(sessions.redeem, early, HERE)
    shift(timedelta(seconds=1))
    assert db.write(sessions.redeem, late, HERE) is None
    assert db.write(sessions.redeem, late, HERE) is None


def test_a_ticket_of_who_was_disabled_meanwhile_opens_nothing(cast: Cast) -> None:
    ticket = db.write(sessions.new_ticket, cast.alice.id)
    db.write(_set, User, cast.alice.id, {"state": UserState.DISABLED})
    assert not _holds(db.write(sessions.redeem, ticket, HERE))


@pytest.mark.parametrize(
    ("model", "who", "values"),
    [
        (User, "alice", {"state": UserState.DISABLED}),
        (User, "alice", {"state": UserState.INVITED}),
        (Partner, "partner_a", {"state": PartnerState.SUSPENDED}),
    ],
)
def test_what_happens_to_the_person_ends_open_sessions_at_once(
    cast: Cast, model: type, who: str, values: dict[str, Any]
) -> None:
    token, others = token_of(cast.alice), token_of(cast.mallory)
    db.write(_set, model, getattr(cast, who).id, values)
    assert not _holds(token)
    assert _holds(others)


def test_rights_are_read_afresh(cast: Cast) -> None:
    token = token_of(cast.bob)
    db.write(_set, User, cast.bob.id, {"permissions": ["billing:view"], "all_accounts": True})
    actor = db.read(sessions.identify, token, HERE)
    assert (actor.permissions, actor.all_accounts) == ({Permission.BILLING_VIEW}, True)


def test_a_customer_and_an_operator_never_have_a_partners_rights(cast: Cast) -> None:
    """Whatever stands in the columns that are for partner users."""
    for who, granted in (("dave", CUSTOMER_OPERATIONS), ("olga", frozenset())):
        user = cast.people[who]
        db.write(_set, User, user.id, {"role": "administrator", "permissions": ["users:manage"], "all_accounts": True})
        actor = db.read(sessions.identify, token_of(user), HERE)
        assert (actor.permissions, actor.all_accounts, actor.partner_id) == (granted, False, None)


@pytest.mark.parametrize("token", [None, "", "x", "' OR 1=1 --", "x" * 100_000, "\u2028"])
def test_a_token_that_was_never_given_is_nobody(cast: Cast, token: str | None) -> None:
    token_of(cast.alice)
    actor = db.read(sessions.identify, token, HERE)
    assert (actor.signed_in, actor.permissions, actor.user_id) == (False, frozenset(), None)


def test_the_hash_of_a_token_is_no_token(cast: Cast) -> None:
    assert not _holds(sessions.digest(token_of(cast.alice)))


def test_two_sessions_of_one_person_end_apart(cast: Cast) -> None:
    first, second = token_of(cast.alice), token_of(cast.alice)
    db.write(sessions.end, sessions.digest(first))
    assert (_holds(first), _holds(second)) == (False, True)


def test_the_session_notes_where_it_began(cast: Cast, shift: Shift) -> None:
    token_of(cast.alice)
    with db.reading() as session:
        row = session.scalars(select(LoginSession)).one()
        assert (row.address, row.browser) == (HERE.address, HERE.browser)
        assert isinstance(session.get(User, cast.alice.id).last_sign_in_at, datetime)


def _set(session: Session, model: Any, row_id: int, values: dict[str, Any]) -> None:
    session.execute(update(model).where(col(model.id) == row_id).values(**values))


def test_all_of_a_person_ends_but_the_one_kept(cast: Cast) -> None:
    kept, other, bobs = token_of(cast.alice), token_of(cast.alice), token_of(cast.bob)
    ticket = db.write(sessions.new_ticket, cast.alice.id)
    db.write(sessions.end_all, cast.alice.id, keep_hash=sessions.digest(kept))
    assert (_holds(kept), _holds(other), _holds(bobs)) == (True, False, True)
    assert db.write(sessions.redeem, ticket, HERE) is None
    db.write(sessions.end_all, cast.alice.id)
    assert not _holds(kept)
