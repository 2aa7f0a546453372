"""Generated accounts: the fast way ends exactly as the triggers would have it, and a crash leaves nothing."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlmodel import Session, col, func, select

from portal_app import clock, db, text
from portal_app.accounts import trials
from portal_app.backups import repository
from portal_app.backups.entities import repository as entities_of
from portal_app.demo import bulk, generator
from portal_app.errors import Invalid, NotFound
from portal_app.models import (
    TRIALS,
    Account,
    AccountTotal,
    BackupEntity,
    BackupRun,
    BackupStatus,
    BackupTask,
    BillingStatus,
    Partner,
    PartnerChange,
    PartnerDay,
    User,
)
from tests import factories, stores
from tests.stores import Template
from tests.tables import contents

NOW = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)
ACCOUNTS = 400


@pytest.fixture(autouse=True)
def at_a_fixed_moment(database: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(clock, "now", lambda: NOW)
    yield
    db.reset_engine()


@pytest.fixture(params=["with triggers", "in bulk"])
def either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(bulk, "WORTH_IT", 1 if request.param == "in bulk" else 10**9)
    return request.param


def _all(session: Session, model: type) -> list:
    return list(session.exec(select(model)).all())


def _shape() -> list[tuple]:
    """Tables, indexes, triggers and functions, as they were made."""
    of_sqlite = "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_stat%' ORDER BY type, name"
    of_postgresql = (
        "SELECT 'index', indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' UNION ALL "
        "SELECT 'trigger', tgname, pg_get_triggerdef(oid) || tgenabled::text FROM pg_trigger WHERE NOT tgisinternal"
        " UNION ALL "
        "SELECT 'constraint', conname, pg_get_constraintdef(oid) FROM pg_constraint ORDER BY 1, 2, 3"
    )
    with db.reading() as session:
        connection = session.connection()
        query = of_sqlite if connection.dialect.name == "sqlite" else of_postgresql
        return [tuple(row) for row in connection.exec_driver_sql(query)]


def _check_search(session: Session) -> None:
    # With rank 1, FTS5 compares its index with the rows of the table and raises when they differ.
    # PostgreSQL's index is of the rows themselves.
    check = "INSERT INTO account_search (account_search, rank) VALUES ('integrity-check', 1)"
    if session.get_bind().dialect.name == "sqlite":
        session.connection().exec_driver_sql(check)


def _check_totals(session: Session) -> None:
    keys = (Account.partner_id, Account.status, Account.backup_status, Account.billing_status)
    sums = (func.count(), func.sum(Account.amount_minor), func.sum(Account.size_bytes))
    wanted = {tuple(row) for row in session.exec(select(*keys, *sums).group_by(*keys)).all()}
    kept = {
        (
            row.partner_id,
            row.status,
            row.backup_status,
            row.billing_status,
            row.accounts,
            row.amount_minor,
            row.size_bytes,
        )
        for row in _all(session, AccountTotal)
        if row.accounts
    }
    assert kept == wanted


@pytest.mark.usefixtures("either_way")
def test_totals_search_and_shape_are_as_before() -> None:
    before = _shape()
    with db.writing() as session:
        other = factories.account(session, factories.partner(session, is_demo=True))
    made = generator.generate(ACCOUNTS)
    assert (made.added, made.total) == (ACCOUNTS, ACCOUNTS)
    assert _shape() == before
    with db.writing() as session:
        _check_totals(session)
        _check_search(session)
        # And they go on being kept.
        session.delete(session.get(Account, other.id))
        first = session.exec(select(Account).where(Account.partner_id != other.partner_id)).first()
        first.name_key, first.size_bytes = "renamed", 1
        session.add(first)
        session.flush()
        _check_totals(session)
        _check_search(session)


def test_both_ways_make_the_same_rows(migrated: Template, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    for worth in (1, 10**9):
        stores.enter(migrated.copy(data_dir), monkeypatch)
        monkeypatch.setattr(bulk, "WORTH_IT", worth)
        generator.generate(ACCOUNTS)
        with db.reading() as session:
            made.append([account.model_dump() for account in _all(session, Account)])
    assert made[0] == made[1]
    assert len(made[0]) == ACCOUNTS


@pytest.mark.usefixtures("either_way")
def test_a_crash_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    generator.generate(50)
    before, shape = contents(), _shape()
    monkeypatch.setattr(generator, "_write_days", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        generator.generate(ACCOUNTS)
    db.reset_engine()
    assert _shape() == shape
    assert contents() == before


@pytest.mark.usefixtures("either_way")
def test_open_pages_are_told() -> None:
    generator.generate(20)
    with db.reading() as session:
        before = session.exec(select(PartnerChange.number)).one()
    generator.generate(40)
    with db.reading() as session:
        assert session.exec(select(PartnerChange.number)).one() > before


def test_more_are_added_to_those_there() -> None:
    generator.generate(30)
    with db.reading() as session:
        before = {account.id: account.name for account in _all(session, Account)}
    made = generator.generate(80)
    assert (made.added, made.total) == (50, 80)
    assert (generator.generate(10).added, generator.generate(80).added) == (0, 0)
    with db.reading() as session:
        after = {account.id: account.name for account in _all(session, Account)}
    assert after.items() > before.items()
    assert len(after) == 80


def test_the_rows_obey_the_rules() -> None:
    generator.generate(2000)
    with db.reading() as session:
        accounts = _all(session, Account)
        people = session.exec(select(User.email, Partner.code).join(Partner)).all()
        days = _all(session, PartnerDay)
        stored = repository.stored_bytes(session, accounts[0].partner_id)
    assert people == [("bench@demo.example", "BENCH001")]
    for account in accounts:
        assert (account.name_key, account.email_key) == (text.fold(account.name), text.normal_email(account.email))
        assert account.created_at < NOW
        assert (
            (account.backup_status == BackupStatus.NONE) == (account.last_backup_at is None) == (not account.size_bytes)
        )
        assert (account.billing_status in (BillingStatus.DUE, BillingStatus.OVERDUE)) == (account.amount_minor > 0)
        if account.status in TRIALS:
            step = trials.decide(account.trial_ends_at, None, None, NOW)
            assert (account.status, account.next_step_at) == (step.status, step.next_at)
            assert account.billing_status == BillingStatus.NONE
    shares = {status: sum(a.status == status for a in accounts) / 20 for status in generator.STATUSES}
    assert all(abs(shares[status] - wanted) < 4 for status, wanted in generator.STATUSES.items())
    assert len(days) == 365
    assert days[-1].stored_bytes == stored


def test_runs_end_as_the_accounts_say() -> None:
    generator.generate(20)
    generator.generate(120, runs=3)
    with db.reading() as session:
        accounts = {account.id: account for account in _all(session, Account)}
        tasks = _all(session, BackupTask)
        runs = session.exec(select(BackupRun).order_by(col(BackupRun.finished_at))).all()
        backed = [a for a in list(accounts.values())[20:] if a.backup_status != BackupStatus.NONE]
        assert {task.account_id for task in tasks} == {account.id for account in backed}
        for account in backed:
            summary = repository.summary_of(session, account.id)
            assert (account.backup_status, account.size_bytes) == (summary.status, summary.size_bytes)
            assert account.last_backup_at == summary.last_backup_at
    assert len(runs) == 3 * len(tasks) > 200
    assert all(run.finished_at <= NOW for run in runs)
    last = {run.task_id: run for run in runs}
    assert all((last[t.id].outcome, last[t.id].finished_at) == (t.last_outcome, t.last_finished_at) for t in tasks)


def test_the_planner_is_told() -> None:
    generator.generate(100)
    of_sqlite = "SELECT count(*) FROM sqlite_stat1 WHERE tbl = 'account'"
    of_postgresql = "SELECT count(*) FROM pg_stats WHERE tablename = 'account'"
    with db.reading() as session:
        connection = session.connection()
        query = of_sqlite if connection.dialect.name == "sqlite" else of_postgresql
        assert connection.exec_driver_sql(query).scalar_one() > 5


@pytest.mark.parametrize(("given", "field"), [({"accounts": -1}, "accounts"), ({"accounts": 10**9}, "accounts")])
def test_numbers_out_of_range(given: dict, field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        generator.generate(**given)
    assert list(refusal.value.fields) == [field]


def test_runs_out_of_range() -> None:
    with pytest.raises(Invalid) as refusal:
        generator.generate(1, runs=-1)
    assert list(refusal.value.fields) == ["runs"]


def test_an_unknown_partner() -> None:
    with pytest.raises(NotFound, match="NOBODY1"):
        generator.generate(5, partner_code="NOBODY1")
    with db.reading() as session:
        assert not _all(session, Partner)


def test_each_task_has_as_many_entities_as_asked_for() -> None:
    generator.generate(40, runs=1, entities=60)
    with db.reading() as session:
        tasks = _all(session, BackupTask)
        entities = _all(session, BackupEntity)
        for task in tasks:
            assert (task.entities, task.billed_entities) == entities_of.counted(session, task.id) == (60, 53)
    assert len(entities) == 60 * len(tasks) > 60 * 30
    assert {one.standing for one in entities} == {"active", "inactive"}
    for one in entities:
        assert one.name_key == text.fold(one.name)
        assert (one.outcome == "failed") == bool(one.error) == (one.last_backup_at is None)
    assert generator.generate(40, entities=60).added == 0
    with db.reading() as session:
        assert len(_all(session, BackupEntity)) == len(entities)
    with pytest.raises(Invalid):
        generator.generate(40, entities=10_001)
