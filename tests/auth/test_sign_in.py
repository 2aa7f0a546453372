"""Signing in: who may, what the answers tell, and what is written down."""

import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlmodel import Session, col

from portal_app import db
from portal_app.auth import limiter, passwords, service, sessions
from portal_app.auth.actor import Origin
from portal_app.errors import Denied
from portal_app.models import AuditEvent, LoginSession, LoginTicket, User
from tests.cast import HERE, Cast
from tests.factories import PASSWORD
from tests.tables import stored

NO_ENTRY = ["ivan", "irene", "sam"]


def _audit(session: Session) -> list[AuditEvent]:
    return list(session.scalars(select(AuditEvent).order_by(col(AuditEvent.id))))


# Operators have a second step (tests/operator/test_people.py).
@pytest.mark.parametrize("who", ["alice", "bob", "carol", "nina", "dave", "mallory"])
def test_the_right_password_gives_a_ticket_and_the_ticket_a_session(cast: Cast, who: str) -> None:
    user = cast.people[who]
    ticket = service.sign_in(f"  {user.email.upper()} ", PASSWORD, HERE).token
    token = db.write(sessions.redeem, ticket, HERE)
    actor = db.read(sessions.identify, token, HERE)
    assert (actor.user_id, actor.kind, actor.partner_id) == (user.id, user.kind, user.partner_id)
    assert actor.permissions == cast.actor(who).permissions


@pytest.mark.parametrize("who", NO_ENTRY)
def test_disabled_invited_and_suspended_people_get_no_ticket_with_the_right_password(cast: Cast, who: str) -> None:
    with pytest.raises(Denied) as refusal:
        service.sign_in(cast.people[who].email, PASSWORD, HERE)
    assert refusal.value.sentence == service.REFUSED
    with db.reading() as session:
        assert session.scalars(select(LoginTicket)).all() == []
        assert [row.completed for row in _audit(session)] == [False]


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("alice@people.example", "wrong"),
        ("alice@people.example", ""),
        ("alice@people.example", PASSWORD + " "),
        ("alice@people.example", PASSWORD.upper()),
        ("alice@people.example", PASSWORD + "x" * 100_000),
        ("alice@people.example", "\ud800"),
        ("alice@people.example", "\x00"),
        ("nobody@people.example", PASSWORD),
        ("irene@people.example", ""),
        ("", PASSWORD),
        ("alice@people.example' OR 1=1 --", PASSWORD),
        ("a" * 100_000, PASSWORD),
        ("alice@people.example\nx", PASSWORD),
    ],
)
def test_every_refusal_has_one_sentence(cast: Cast, email: str, password: str) -> None:
    with pytest.raises(Denied) as refusal:
        service.sign_in(email, password, HERE)
    assert refusal.value.sentence == service.REFUSED


def test_the_unknown_address_costs_as_many_hashes_as_the_known_one(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted rather than timed, so that it can't flake; the test below times it widely."""
    counts = {}
    verify = passwords._hasher.verify
    for email in (cast.alice.email, "nobody@people.example", cast.irene.email, cast.ivan.email):
        calls: list[str] = []
        spy = type("Spy", (), {"verify": lambda _self, h, p, calls=calls: calls.append(h) or verify(h, p)})()
        monkeypatch.setattr(passwords, "_hasher", spy)
        monkeypatch.setattr(passwords, "_nobodys_hash", lambda: cast.alice.password_hash)
        with pytest.raises(Denied):
            service.sign_in(email, "wrong", HERE)
        counts[email] = len(calls)
    assert set(counts.values()) == {1}


def test_the_unknown_address_takes_about_as_long(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limiter, "count_attempt", lambda *_: None)
    emails = {"known": cast.alice.email, "unknown": "nobody@people.example", "invited": cast.irene.email}
    took: dict[str, list[float]] = {name: [] for name in emails}
    for _ in range(9):
        for name, email in emails.items():
            start = time.perf_counter()
            with pytest.raises(Denied):
                service.sign_in(email, "wrong", HERE)
            took[name].append(time.perf_counter() - start)
    # A hash takes 20 ms and more, the rest of a sign-in 2: without it the ratio would be 5 and more.
    medians = [statistics.median(times) for times in took.values()]
    assert max(medians) < 3 * min(medians)


def test_success_and_failure_are_audited_with_browser_and_address(cast: Cast) -> None:
    with pytest.raises(Denied):
        service.sign_in(cast.alice.email, "wrong", Origin("198.51.100.4", "Safari on macOS"))
    service.sign_in(cast.alice.email, PASSWORD, HERE)
    with pytest.raises(Denied):
        service.sign_in("nobody@people.example", PASSWORD, HERE)
    service.sign_in(cast.dave.email, PASSWORD, HERE)
    with db.reading() as session:
        failed, done, unknown, customers = _audit(session)
    assert (failed.completed, failed.address, failed.browser) == (False, "198.51.100.4", "Safari on macOS")
    assert "Safari on macOS from 198.51.100.4" in failed.description
    assert (done.completed, done.address, done.activity) == (True, HERE.address, "Sign-in")
    assert (done.performed_by, done.partner_id) == (cast.alice.email, cast.partner_a.id)
    assert (unknown.partner_id, unknown.performed_by, unknown.completed) == (None, "unknown address", False)
    assert customers.partner_id == cast.partner_a.id


def test_a_ticket_is_good_once_however_many_bring_it_at_once(cast: Cast) -> None:
    ticket = service.sign_in(cast.alice.email, PASSWORD, HERE).token
    with ThreadPoolExecutor(20) as pool:
        tokens = list(pool.map(lambda _: db.write(sessions.redeem, ticket, HERE), range(20)))
    assert len([token for token in tokens if token]) == 1
    with db.reading() as session:
        assert len(session.scalars(select(LoginSession)).all()) == 1


def test_signing_out_ends_the_session_and_is_audited(cast: Cast) -> None:
    token = _session_of(cast.alice)
    other = _session_of(cast.alice)
    actor = db.read(sessions.identify, token, HERE)
    db.write(service.sign_out, actor)
    assert not db.read(sessions.identify, token, HERE).signed_in
    assert db.read(sessions.identify, other, HERE).signed_in
    with db.reading() as session:
        assert [row.description[:10] for row in _audit(session)] == ["Signed out"]
    db.write(service.sign_out, db.read(sessions.identify, token, HERE))


def test_only_hashes_are_stored(cast: Cast, data_dir: Path) -> None:
    ticket = service.sign_in(cast.alice.email, PASSWORD, HERE).token
    kept = service.sign_in(cast.alice.email, PASSWORD, HERE).token
    token = db.write(sessions.redeem, ticket, HERE)
    with db.reading() as session:
        row = session.scalars(select(LoginSession)).one()
        assert row.token_hash == sessions.digest(token)
        assert session.scalars(select(LoginTicket)).one().ticket_hash == sessions.digest(f"{kept}.{HERE.mark}")
        assert session.get(User, cast.alice.id).password_hash.startswith("$argon2id$")
    files = stored() + b"".join(file.read_bytes() for file in data_dir.iterdir() if file.is_file())
    for secret in (ticket, kept, token, PASSWORD):
        assert secret.encode() not in files
    assert cast.alice.email.encode() in files


def _session_of(user: User) -> str:
    token = db.write(sessions.redeem, db.write(sessions.new_ticket, user.id), HERE)
    assert token
    return token
