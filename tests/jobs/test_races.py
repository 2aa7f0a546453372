"""On every database: a click at the same moment as the rules, what a deletion takes along, what can't be deleted."""

from datetime import datetime, timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy import text
from sqlmodel import Session, SQLModel, col, func, select

from portal_app import db
from portal_app.accounts import trials
from portal_app.accounts.trials import Counts
from portal_app.auth.actor import Actor
from portal_app.errors import Conflict, NotFound
from portal_app.models import (
    Account,
    AccountStatus,
    AccountTotal,
    AuditEvent,
    BackupRun,
    BackupTask,
    CustomStorage,
    DeletedAccount,
    LoginSession,
    User,
    UserAccount,
    UserKind,
)
from tests import factories
from tests.jobs.lives import NOW as BEGUN
from tests.jobs.lives import trial, warn

DAY = timedelta(days=1)
ENDS = BEGUN + 14 * DAY


def hang_everything_on(session: Session, account: Account) -> None:
    task = BackupTask(account_id=account.id, key="k", name="Mail", created_at=BEGUN)
    factories.save(session, task)
    span = {"started_at": BEGUN, "finished_at": BEGUN, "received_at": BEGUN}
    factories.save(session, BackupRun(account_id=account.id, task_id=task.id, run_key="1", outcome="failed", **span))
    storage = {"kind": "aws_s3", "place": "bucket", "sealed": b"x", "checked_at": BEGUN}
    factories.save(session, CustomStorage(account_id=account.id, **storage))
    customer = factories.user(session, kind=UserKind.CUSTOMER, account_id=account.id)
    times = {"created_at": BEGUN, "used_at": BEGUN, "ends_at": BEGUN}
    factories.save(session, LoginSession(token_hash="t", user_id=customer.id, **times))


def rows(session: Session, model: type[SQLModel]) -> int:
    return session.exec(select(func.count()).select_from(model)).one()


def test_deletion_takes_everything_and_leaves_tombstone_and_audit(store: dict[str, str]) -> None:
    with db.writing() as session:
        of = factories.partner(session)
        person = factories.user(session, of)
        account = trial(session, of, BEGUN, name="Gone Ltd")
        hang_everything_on(session, account)
        factories.give_accounts(session, person, account)
        actor = factories.actor(person)
    with db.writing() as session:
        locked = trials.lock_trial(session, account.id)
        trials.delete_account(session, actor, locked, trials.DELETED_BY_USER, ENDS)
    with db.writing() as session:
        for model in (Account, BackupTask, BackupRun, CustomStorage, LoginSession, UserAccount):
            assert rows(session, model) == 0, model
        assert session.exec(select(User.id)).all() == [person.id]
        assert sum(session.exec(select(AccountTotal.accounts))) == 0
        tomb, event = session.exec(select(DeletedAccount)).one(), session.exec(select(AuditEvent)).one()
        assert (tomb.account_id, tomb.name, tomb.reason) == (account.id, "Gone Ltd", "deleted by a user")
        assert (tomb.created_at, tomb.deleted_at) == (BEGUN, ENDS)
        assert (event.activity, event.performed_by, event.account_name) == ("Trial canceled", person.email, "Gone Ltd")
        assert trial(session, of, BEGUN).id > account.id


def test_one_account_that_cannot_be_deleted_stops_nobody_else(
    store: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    late = ENDS + 8 * DAY
    with db.writing() as session:
        of = factories.partner(session)
        first, held, last = (trial(session, of, BEGUN, name=f"Held {n}") for n in range(3))
        for account in (first, held, last):
            warn(session, account, ENDS + 6 * DAY)
        session.execute(text("CREATE TABLE holds (account_id INTEGER REFERENCES account(id))"))
        session.execute(text("INSERT INTO holds VALUES (:id)"), {"id": held.id})
    assert db.write(trials.advance, late) == Counts(seen=3, deleted=2, refused=1)
    assert db.write(trials.advance, late) == Counts()
    with db.reading() as session:
        kept = session.exec(select(Account)).one()
        assert (kept.id, kept.next_step_at) == (held.id, late + timedelta(hours=1))
        assert sorted(session.exec(select(DeletedAccount.account_id))) == [first.id, last.id]
        assert sorted(session.exec(select(AuditEvent.account_id))) == [first.id, last.id]
    assert f"account {held.id}" in caplog.text
    assert "Held 1" not in caplog.text


def subscribe(actor: Actor, account_id: int, at: datetime) -> str:
    """A user's click on Subscribe, in a unit of work of its own; who won."""
    try:
        with db.writing() as session:
            trials.subscribe_account(session, actor, trials.lock_trial(session, account_id), "monthly", at)
    except (Conflict, NotFound):
        return "Portal"
    return actor.email


@pytest.mark.postgres
def test_the_sweep_leaves_an_account_that_a_user_subscribes(postgresql_store: dict[str, str]) -> None:
    with db.writing() as session:
        of = factories.partner(session)
        actor = factories.actor(factories.user(session, of))
        account_id = trial(session, of, BEGUN, "annual").id
    with db.writing() as session:
        trials.subscribe_account(session, actor, trials.lock_trial(session, account_id), "monthly", ENDS)
        session.flush()
        assert db.write(trials.advance, ENDS) == Counts()
    assert db.write(trials.advance, ENDS) == Counts()
    with db.reading() as session:
        assert session.get(Account, account_id).status == AccountStatus.MONTHLY


def test_a_user_who_waits_for_the_sweep_is_told(store: dict[str, str]) -> None:
    with db.writing() as session:
        of = factories.partner(session)
        actor = factories.actor(factories.user(session, of))
        account_id = trial(session, of, BEGUN, "annual").id
    told: list[str] = []
    with db.writing() as session:
        assert trials.advance(session, ENDS).subscribed == 1
        click = Thread(target=lambda: told.append(subscribe(actor, account_id, ENDS)))
        click.start()
    click.join(20)
    assert told == ["Portal"]
    with db.reading() as session:
        assert session.get(Account, account_id).status == AccountStatus.ANNUAL


def test_subscribe_and_sweep_at_the_same_moment_one_wins(store: dict[str, str]) -> None:
    with db.writing() as session:
        of = factories.partner(session)
        actor = factories.actor(factories.user(session, of))
        plans = (None, "annual")
        ids = [trial(session, of, BEGUN, plans[n % 2]).id for n in range(24)]
        for account in session.exec(select(Account).where(col(Account.auto_subscribe).is_(None))):
            warn(session, account, ENDS + 6 * DAY)
    start, late = Barrier(2), ENDS + 7 * DAY
    winners: dict[int, str] = {}

    def click() -> None:
        start.wait(20)
        winners.update({n: subscribe(actor, n, late) for n in ids})

    user = Thread(target=click)
    user.start()
    start.wait(20)
    while db.write(trials.advance, late, 2).seen or user.is_alive():
        pass
    user.join(20)
    with db.reading() as session:
        told = [(e.account_id, e.performed_by) for e in session.exec(select(AuditEvent))]
        assert sorted(told) == sorted(winners.items())
        for n, winner in winners.items():
            account = session.get(Account, n)
            plan = account.status if account else "gone"
            assert plan == ("monthly" if winner == actor.email else "annual" if plans[(n - ids[0]) % 2] else "gone")
