"""Questions that go straight to SQLite: the same answers as by the long way, from the same transaction."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import bindparam, event, func, select
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from portal_app import db
from portal_app.auth import sessions
from portal_app.auth.actor import Origin
from portal_app.models import LoginSession, Partner
from portal_app.question import Question
from tests import factories

pytestmark = pytest.mark.usefixtures("database")
PARTNER = Partner.__table__.c
OF_CODE = Question(select(PARTNER.id, PARTNER.name, PARTNER.ip_restricted).where(PARTNER.code == bindparam("code")))


def test_it_answers_what_the_long_way_answers() -> None:
    def signed_in(session: Session) -> str:
        user = factories.user(session, factories.partner(session))
        return sessions.redeem(session, sessions.new_ticket(session, user.id or 0), Origin()) or ""

    token = db.write(signed_in)
    straight = db.read(sessions.identify, token, Origin())
    seen: list[str] = []
    event.listen(db.engine(), "before_cursor_execute", lambda *given: seen.append(given[2]))
    assert db.read(sessions.identify, token, Origin()) == straight
    # Who listens hears the question too; the answer above came without.
    assert len(seen) == 1
    assert straight.signed_in
    assert straight.used_at is not None
    assert timedelta(0) <= datetime.now(UTC) - straight.used_at < timedelta(minutes=1)


def test_it_sees_what_its_own_transaction_has_written_and_nobody_else_does() -> None:
    def write(session: Session) -> None:
        partner = factories.partner(session)
        session.flush()
        values = {"code": partner.code}
        assert OF_CODE.first(session, values).name == partner.name
        assert OF_CODE.first(session, values).ip_restricted is False
        with db.reading() as other:
            assert OF_CODE.first(other, values) is None

    db.write(write)


@pytest.mark.sqlite(reason="PostgreSQL is asked through SQLAlchemy")
def test_alone_it_begins_no_transaction() -> None:
    with db.reading() as session:
        assert OF_CODE.first(session, {"code": "none"}, alone=True) is None
        assert not session.in_transaction()
        assert OF_CODE.first(session, {"code": "none"}) is None
        assert session.in_transaction()


def test_what_is_asked_after_questions_is_of_their_moment() -> None:
    db.write(factories.partner)
    with db.reading() as session:
        assert OF_CODE.first(session, {"code": "none"}) is None
        count = db.read(_partners)
        db.write(factories.partner)
        assert db.read(_partners) == count + 1
        # Still the moment of the question, though only now the session is set up.
        assert _partners(session) == count
        assert OF_CODE.first(session, {"code": "none"}) is None


def test_a_view_gives_its_connection_back_however_it_was_used() -> None:
    pool = db.engine().pool
    for ask in (lambda session: None, _partners, lambda session: OF_CODE.first(session, {"code": "none"})):
        db.read(ask)
        assert pool.checkedout() == 0  # type: ignore[attr-defined]
    with db.reading() as session:
        OF_CODE.first(session, {"code": "none"})
        _partners(session)
    assert pool.checkedout() == 0  # type: ignore[attr-defined]
    with db.reading() as session, pytest.raises(AttributeError):
        session.no_such_thing  # noqa: B018


def _partners(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Partner)) or 0


@pytest.mark.sqlite(reason="PostgreSQL is asked through SQLAlchemy")
def test_a_fault_is_the_database_s_own_and_tells_no_values() -> None:
    login = LoginSession.__table__.c
    broken = Question(select(login.user_id).where(login.token_hash == bindparam("hash")))
    db.write(lambda session: session.connection().exec_driver_sql("ALTER TABLE login_session RENAME TO gone"))
    with pytest.raises(OperationalError) as told:
        db.read(lambda session: broken.first(session, {"hash": "not-to-be-told"}))
    assert "not-to-be-told" not in str(told.value)
