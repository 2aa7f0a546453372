"""The demo's figures agree with each other, and show every state that the portal knows."""

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import Session, col, func, select

from portal_app import clock, db, text
from portal_app.accounts import repository as accounts
from portal_app.accounts import trials
from portal_app.auth import passwords
from portal_app.auth.permissions import Permission, effective
from portal_app.backups import repository
from portal_app.demo import people
from portal_app.demo.accounts import states
from portal_app.models import (
    TRIALS,
    Account,
    AccountTotal,
    AuditEvent,
    BackupRun,
    BackupStatus,
    BackupTask,
    BillingStatus,
    DataCenter,
    Outcome,
    Partner,
    PartnerDay,
    TrialNotice,
    User,
    UserAccount,
)
from tests import stores
from tests.demo.conftest import NOW, make_demo
from tests.stores import Template
from tests.tables import Contents, tables


def _of(session: Session, code: str) -> list[Account]:
    query = select(Account).join(Partner, col(Partner.id) == Account.partner_id).where(Partner.code == code)
    return list(session.exec(query.order_by(col(Account.id))).all())


# Salts differ, and with them the hashes of one password; versions begin anywhere; what is sealed is sealed anew each
# time, and the folder is the deployment's own.
_OTHERWISE = {
    "portal_user": {"password_hash": "", "version": 0},
    "backup_task": {"source_sealed": None, "source_place": ""},
}


def _rows() -> Contents:
    with db.reading() as session:
        connection = session.connection()
        found = {name: connection.exec_driver_sql(f"SELECT * FROM {name}").mappings() for name in tables(connection)}  # noqa: S608
        return {
            name: sorted((tuple((dict(row) | _OTHERWISE.get(name, {})).values()) for row in rows), key=repr)
            for name, rows in found.items()
        }


def _rows_of_another(template: Template, folder: Path, now: datetime) -> Contents:
    """What a demo of this moment holds, made beside the test's."""
    with pytest.MonkeyPatch.context() as patch:
        stores.enter(make_demo(template, folder, now), patch)
        return _rows()


def test_two_demos_of_one_moment_are_equal(demo: Path, migrated: Template, tmp_path: Path) -> None:
    mine = _rows()
    other = _rows_of_another(migrated, tmp_path, NOW)
    assert mine.keys() == other.keys()
    assert len(mine["backup_run"]) > 20_000
    for name, rows in mine.items():
        assert rows == other[name], name


def test_only_the_dates_of_two_demos_differ(demo: Path, migrated: Template, tmp_path: Path) -> None:
    mine = _rows()["account"]
    later = _rows_of_another(migrated, tmp_path, NOW + timedelta(days=100))["account"]
    # partner, name, keys, email, statuses: all but amounts (months have other days), sizes and dates.
    assert [row[:9] for row in mine] == [row[:9] for row in later]
    assert mine != later


@pytest.mark.usefixtures("demo")
def test_every_state_that_can_occur_is_there() -> None:
    with db.reading() as session:
        found = Counter((a.status, a.backup_status, a.billing_status) for a in _of(session, "DDEVR001"))
        others = _of(session, "RESEL001")
    assert sum(found.values()) == 60
    assert found == Counter(states())
    assert len(found) == 3 * 4 + 2 * 4 * 4
    assert len(others) == 12


@pytest.mark.usefixtures("demo")
def test_names_try_the_pages_and_can_all_be_taken() -> None:
    with db.reading() as session:
        accounts = _of(session, "DDEVR001")
    names = " ".join(account.name for account in accounts)
    assert max(len(account.name) for account in accounts) == 60
    assert all(piece in names for piece in ("م", "ü", "🍳", "株", "<", "=", "'"))
    for account in accounts:
        assert not text.name_fault(account.name, "a name")
        assert not text.email_fault(account.email)
        assert (account.name_key, account.email_key) == (text.fold(account.name), text.normal_email(account.email))


@pytest.mark.usefixtures("demo")
def test_sizes_have_all_lengths_and_amounts_are_believable() -> None:
    with db.reading() as session:
        accounts = _of(session, "DDEVR001")
    assert 100_000 < max(account.amount_minor for account in accounts) < 2_000_000
    assert min(account.size_bytes for account in accounts) == 0
    assert max(account.size_bytes for account in accounts) > 10**12
    for account in accounts:
        assert (account.amount_minor > 0) == (account.billing_status in (BillingStatus.DUE, BillingStatus.OVERDUE))


@pytest.mark.usefixtures("demo")
def test_an_account_says_what_its_tasks_come_to() -> None:
    with db.reading() as session:
        for account in session.exec(select(Account)).all():
            summary = repository.summary_of(session, account.id)
            assert account.backup_status == summary.status, account.name
            assert account.size_bytes == summary.size_bytes
            assert account.last_backup_at == summary.last_backup_at
            tasks = session.exec(select(BackupTask).where(BackupTask.account_id == account.id)).all()
            assert 1 <= len(tasks) <= 6
            assert (account.backup_status == BackupStatus.NONE) == all(task.last_outcome is None for task in tasks)


MOMENTS = (
    NOW,
    datetime(2028, 2, 29, 0, 5, tzinfo=UTC),
    datetime(2027, 1, 1, 2, 30, tzinfo=UTC),
)


@pytest.mark.parametrize("now", MOMENTS)
def test_runs_tasks_days_and_totals_agree(
    now: datetime, migrated: Template, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stores.enter(make_demo(migrated, data_dir, now), monkeypatch)
    monkeypatch.setattr(clock, "now", lambda: now)
    with db.reading() as session:
        for partner in session.exec(select(Partner)).all():
            accounts = {account.id: account for account in _of(session, partner.code)}
            tasks = session.exec(select(BackupTask).where(col(BackupTask.account_id).in_(accounts))).all()
            runs = _runs(session, accounts)
            _check_runs(now, accounts, runs)
            _check_tasks(tasks, runs)
            _check_days(session, partner, runs)
            _check_totals(session, partner)
        _check_trials(session, now)


def _runs(session: Session, accounts: dict) -> dict[int, list[BackupRun]]:
    found = defaultdict(list)
    query = select(BackupRun).where(col(BackupRun.account_id).in_(accounts)).order_by(col(BackupRun.finished_at))
    for run in session.exec(query).all():
        found[run.task_id].append(run)
    return found


def _check_runs(now: datetime, accounts: dict, runs: dict[int, list[BackupRun]]) -> None:
    for rows in runs.values():
        account = accounts[rows[0].account_id]
        assert account.created_at <= rows[0].started_at
        assert rows[0].started_at >= now - timedelta(days=366)
        assert rows[-1].finished_at <= now
        assert [run.size_bytes for run in rows] == sorted(run.size_bytes for run in rows)
        for run, before in zip(rows, [0, *(run.size_bytes for run in rows)], strict=False):
            assert run.account_id == account.id
            assert run.added_bytes == run.size_bytes - before
            assert run.outcome != Outcome.FAILED or run.added_bytes == 0
            assert (run.entities_failed > 0) == (run.outcome != Outcome.SUCCESSFUL) == bool(run.message)
    longest = max(len(rows) for rows in runs.values())
    assert 364 <= longest <= 366


def _check_tasks(tasks, runs: dict[int, list[BackupRun]]) -> None:
    for task in tasks:
        last = runs[task.id][-1] if task.id in runs else None
        assert task.last_outcome == (last.outcome if last else None)
        assert task.last_finished_at == (last.finished_at if last else None)
        assert task.size_bytes == (last.size_bytes if last else 0)


def _check_days(session: Session, partner: Partner, runs: dict[int, list[BackupRun]]) -> None:
    days = session.exec(
        select(PartnerDay).where(PartnerDay.partner_id == partner.id).order_by(col(PartnerDay.day))
    ).all()
    assert [day.day for day in days] == [days[0].day + timedelta(n) for n in range(len(days))]
    counts = Counter((run.finished_at.date(), run.outcome) for rows in runs.values() for run in rows)
    sizes: dict[int, int] = {}
    by_day = defaultdict(list)
    for rows in runs.values():
        for run in rows:
            by_day[run.finished_at.date()].append(run)
    for day in days:
        assert (day.successful, day.partial, day.failed) == tuple(counts[day.day, outcome] for outcome in Outcome)
        sizes |= {run.task_id: run.size_bytes for run in by_day[day.day]}
        assert day.stored_bytes == sum(sizes.values())
    assert days[-1].stored_bytes == repository.stored_bytes(session, partner.id)
    assert sum(day.successful + day.partial + day.failed for day in days) == sum(map(len, runs.values()))


def _check_totals(session: Session, partner: Partner) -> None:
    keys = (Account.status, Account.backup_status, Account.billing_status)
    sums = (func.count(), func.sum(Account.amount_minor), func.sum(Account.size_bytes))
    wanted = session.exec(select(*keys, *sums).where(Account.partner_id == partner.id).group_by(*keys)).all()
    kept = session.exec(
        select(AccountTotal).where(AccountTotal.partner_id == partner.id, AccountTotal.accounts > 0)
    ).all()
    found = {
        (row.status, row.backup_status, row.billing_status, row.accounts, row.amount_minor, row.size_bytes)
        for row in kept
    }
    assert found == {tuple(row) for row in wanted}


def _check_trials(session: Session, now: datetime) -> None:
    notices = {(notice.account_id, notice.kind): notice.made_at for notice in session.exec(select(TrialNotice)).all()}
    assert notices
    assert all(at <= now for at in notices.values())
    for account in session.exec(select(Account).where(col(Account.status).in_(TRIALS))).all():
        warned_at = notices.get((account.id, trials.Notice.DELETION))
        step = trials.decide(account.trial_ends_at, account.auto_subscribe, warned_at, now)
        assert account.trial_ends_at == account.created_at + timedelta(days=14)
        assert (account.status, account.next_step_at) == (step.status, step.next_at)
        assert account.next_step_at > now
        assert step.notice is None or (account.id, step.notice) in notices
    assert not trials.is_due(session, now)


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("bäckerei mü", "Bäckerei Müßiggang & Söhne"),
        ("مكتبة", "مكتبة النور للنشر والتوزيع"),
        ("@halcyon-ro", "Halcyon Robotics"),
    ],
)
def test_the_search_index_finds(words: str, name: str) -> None:
    with db.reading() as session:
        assert session.exec(select(Account.name).where(accounts.holds(session, words))).all() == [name]


@pytest.mark.usefixtures("demo")
def test_the_six_people_are_who_the_sign_in_page_says() -> None:
    with db.reading() as session:
        users = {user.email: user for user in session.exec(select(User)).all()}
        partners = {partner.id: partner.code for partner in session.exec(select(Partner)).all()}
        limited = session.exec(select(UserAccount.account_id)).all()
        accounts = {account.id: account for account in _of(session, "DDEVR001")}
    assert set(users) == {person.email for person in people.PEOPLE}
    assert all(passwords.verify(user.password_hash, "demo-portal-2026") for user in list(users.values())[:1])
    assert len({user.password_hash for user in users.values()}) == 1
    found = {email: (user.kind, partners.get(user.partner_id)) for email, user in users.items()}
    assert found == {
        "admin@demo.example": ("partner", "DDEVR001"),
        "billing@demo.example": ("partner", "DDEVR001"),
        "limited@demo.example": ("partner", "DDEVR001"),
        "customer@demo.example": ("customer", None),
        "admin@other.example": ("partner", "RESEL001"),
        "operator@demo.example": ("operator", None),
    }
    assert effective(users["admin@demo.example"].role, []) == frozenset(Permission)
    limits = users["limited@demo.example"]
    assert effective(limits.role, limits.permissions) == {Permission.DASHBOARD_VIEW, Permission.ACCOUNTS_ACCESS}
    assert not limits.all_accounts
    assert len(limited) == 3
    assert len({accounts[one].backup_status for one in limited}) >= 2
    bills = users["billing@demo.example"]
    assert effective(bills.role, bills.permissions) == {
        Permission.BILLING_VIEW,
        Permission.BILLS_PAY,
        Permission.PAYMENT_MANAGE,
    }
    assert users["customer@demo.example"].account_id in accounts


@pytest.mark.usefixtures("demo")
def test_places_and_audit_are_there() -> None:
    with db.reading() as session:
        places = session.exec(select(DataCenter).order_by(col(DataCenter.position))).all()
        events = session.exec(select(AuditEvent).order_by(col(AuditEvent.id))).all()
    assert [place.name for place in places][::9] == ["Australia (Sydney)", "US East (Virginia)"]
    assert len(places) == 10
    assert len(events) > 60
    assert [event.made_at for event in events][-1] <= NOW
    assert {event.completed for event in events} == {True, False}
