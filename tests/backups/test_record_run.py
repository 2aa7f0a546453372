"""Recording a run: who may, what it changes, and that it counts once."""

import random
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session, col, select

from portal_app import clock, db
from portal_app.auth.actor import NOBODY, system
from portal_app.auth.permissions import Permission
from portal_app.backups import repository
from portal_app.backups.rows import RecordedRun
from portal_app.backups.service import record_run
from portal_app.errors import Conflict, Denied, Invalid, NotFound
from portal_app.models import Account, AccountTotal, BackupRun, BackupTask, Partner, PartnerChange, PartnerDay
from tests import factories
from tests.backups.conftest import Cast, at_once, engine_of, report, without


def record(cast: Cast, **given: Any) -> RecordedRun:
    return db.write(record_run, cast.engine, report(cast, **given))


def account_of(cast: Cast) -> Account:
    return db.read(lambda session: session.get(Account, cast.account))


def rows(model: type) -> list[Any]:
    return db.read(lambda session: list(session.exec(select(model)).all()))


# Access


def test_without_the_permission_nothing_is_recorded(cast: Cast) -> None:
    with pytest.raises(Denied):
        db.write(record_run, without(cast.alice, Permission.BACKUPS_RUN), report(cast))
    with pytest.raises(Denied):
        db.write(record_run, NOBODY, report(cast))
    with pytest.raises(Denied):
        db.write(record_run, cast.customer, report(cast))
    assert rows(BackupTask) == rows(BackupRun) == []


def test_a_strangers_account_answers_like_an_unknown_one(cast: Cast) -> None:
    def refusal(account: int | str) -> str:
        with pytest.raises(NotFound) as found:
            record(cast, account=account)
        return found.value.sentence

    strangers_email = db.read(lambda session: session.get(Account, cast.charlies_account)).email
    told = {refusal(cast.charlies_account), refusal(999_999), refusal(strangers_email), refusal("no@such.example")}
    assert len(told) == 1
    assert rows(BackupTask) == []


def test_a_person_with_chosen_accounts_reports_only_for_these(cast: Cast) -> None:
    assert db.write(record_run, cast.bob, report(cast)).created
    with pytest.raises(NotFound):
        db.write(record_run, cast.bob, report(cast, account=cast.other_account))


def test_the_portal_itself_may(cast: Cast) -> None:
    assert db.write(record_run, system(cast.partner_id), report(cast)).created
    with pytest.raises(NotFound):
        db.write(record_run, system(cast.partner_id), report(cast, account=cast.charlies_account))


# What a run changes


def test_a_first_run_makes_the_task_and_fills_the_account(cast_anywhere: Cast) -> None:
    finished = clock.now()
    done = record(cast_anywhere, finished=finished, service="imap", name="Mail of the office")
    task = rows(BackupTask)[0]
    assert (task.key, task.name, task.service) == ("files", "Mail of the office", "imap")
    assert (task.size_bytes, task.entities, task.last_outcome) == (1000, 7, "successful")
    account = account_of(cast_anywhere)
    assert (account.backup_status, account.size_bytes, account.last_backup_at) == ("successful", 1000, finished)
    assert (done.created, done.account_id, done.task_id) == (True, account.id, task.id)


def test_a_task_is_named_by_its_key_unless_told(cast: Cast) -> None:
    record(cast)
    record(cast, run="run-2", name="Later name", service="box")
    assert [(task.name, task.service) for task in rows(BackupTask)] == [("files", "generic")]


def test_the_account_is_found_by_its_email_in_any_case(cast: Cast) -> None:
    assert record(cast, account=f"  {cast.email.upper()} ").account_id == cast.account
    assert record(cast, account=str(cast.account), run="run-2").account_id == cast.account


@pytest.mark.parametrize(
    ("outcomes", "status"),
    [
        (["successful"], "successful"),
        (["partial"], "partial"),
        (["failed"], "failed"),
        (["successful", "successful"], "successful"),
        (["failed", "failed"], "failed"),
        (["successful", "failed"], "partial"),
        (["successful", "partial"], "partial"),
        (["failed", "partial"], "partial"),
    ],
)
def test_the_accounts_state_comes_from_its_tasks_latest_runs(cast: Cast, outcomes: list[str], status: str) -> None:
    assert account_of(cast).backup_status == "none"
    for number, outcome in enumerate(outcomes):
        record(cast, task=f"task-{number}", outcome="partial", minutes=-60)
        record(cast, task=f"task-{number}", outcome=outcome, run="run-2")
    assert account_of(cast).backup_status == status


def test_an_accounts_size_is_the_sum_of_its_tasks(cast_anywhere: Cast) -> None:
    record(cast_anywhere, size_bytes=5)
    record(cast_anywhere, task="mail", size_bytes=70)
    record(cast_anywhere, task="mail", size_bytes=60, run="run-2")
    assert account_of(cast_anywhere).size_bytes == 65
    assert sum(row.size_bytes for row in rows(AccountTotal)) == 65


@pytest.mark.parametrize("later", [{"size_bytes": None, "entities": None}, {"outcome": "failed", "size_bytes": 0}])
def test_a_run_that_tells_no_size_leaves_the_known_one(cast: Cast, later: dict[str, Any]) -> None:
    record(cast, minutes=-5)
    record(cast, run="run-2", **later)
    assert account_of(cast).size_bytes == 1000
    assert rows(BackupTask)[0].entities == 7


def test_an_older_run_that_arrives_late_overwrites_nothing(cast: Cast) -> None:
    newest = clock.now()
    record(cast, finished=newest)
    record(cast, run="run-0", outcome="failed", size_bytes=1, minutes=-60)
    account, task = account_of(cast), rows(BackupTask)[0]
    assert (account.backup_status, account.size_bytes, account.last_backup_at) == ("successful", 1000, newest)
    assert (task.last_outcome, task.last_finished_at, task.entities) == ("successful", newest, 7)
    assert sum(day.failed for day in rows(PartnerDay)) == 1


def test_every_order_of_the_same_reports_ends_the_same(cast: Cast) -> None:
    # The daily figures are the partner's: each order goes to a task of its own account.
    made = random.Random(41)
    outcomes = ["successful", "failed", "partial", "failed", "successful"]
    ends = []
    for account in (cast.account, cast.other_account):
        order = list(enumerate(outcomes))
        made.shuffle(order)
        for number, outcome in order:
            record(cast, account=account, run=f"r{number}", outcome=outcome, minutes=number - 100, size_bytes=number)
        found = db.read(lambda session, id=account: session.get(Account, id))
        ends.append((found.backup_status, found.size_bytes))
    assert ends == [("successful", 4)] * 2


def test_open_pages_hear_of_every_run_even_one_that_changes_no_figure(cast: Cast) -> None:
    def number() -> int:
        return db.read(lambda session: session.get(PartnerChange, cast.partner_id)).number

    record(cast, minutes=-60)
    before = number()
    record(cast, run="run-0", minutes=-120)
    assert number() > before


# Days


def test_a_run_counts_on_the_utc_day_on_which_it_ended(cast_anywhere: Cast) -> None:
    midnight = clock.now().replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=3)
    record(cast_anywhere, finished=midnight - timedelta(microseconds=1), outcome="failed")
    record(cast_anywhere, finished=midnight, run="run-2")
    counted = {day.day: (day.successful, day.failed) for day in rows(PartnerDay)}
    assert counted[midnight.date() - timedelta(days=1)] == (0, 1)
    assert counted[midnight.date()] == (1, 0)


def test_todays_stored_bytes_are_the_partners_total(cast_anywhere: Cast) -> None:
    record(cast_anywhere, size_bytes=5)
    record(cast_anywhere, account=cast_anywhere.other_account, size_bytes=70, run="run-2")
    today = db.read(lambda session: session.get(PartnerDay, (cast_anywhere.partner_id, clock.today())))
    assert (today.stored_bytes, today.successful) == (75, 2)


def test_a_late_report_makes_no_dip_in_the_stored_bytes(cast: Cast) -> None:
    old = clock.today() - timedelta(days=10)
    db.write(lambda session: session.add(PartnerDay(partner_id=cast.partner_id, day=old, stored_bytes=900)))
    record(cast, finished=clock.now() - timedelta(days=5))
    late = db.read(lambda session: session.get(PartnerDay, (cast.partner_id, clock.today() - timedelta(days=5))))
    assert (late.stored_bytes, late.successful) == (900, 1)


# Once


def test_the_same_report_again_answers_the_same_and_changes_nothing(cast_anywhere: Cast) -> None:
    same = report(cast_anywhere)
    first = db.write(record_run, cast_anywhere.engine, same)
    before = _everything()
    second = db.write(record_run, cast_anywhere.engine, same)
    assert (first.created, second.created) == (True, False)
    assert (first.id, first.received_at, first.outcome) == (second.id, second.received_at, second.outcome)
    assert _everything() == before


@pytest.mark.parametrize(
    "other", [{"outcome": "failed"}, {"added_bytes": 11}, {"message": "Other"}, {"entities_failed": 1}, {"minutes": -2}]
)
def test_the_same_run_id_with_other_content_is_refused(cast: Cast, other: dict[str, Any]) -> None:
    finished = clock.now()
    record(cast, finished=finished)
    before = _everything()
    with pytest.raises(Conflict):
        record(cast, **({"finished": finished} | other if "minutes" not in other else other))
    assert _everything() == before


def test_the_same_run_id_of_another_task_is_another_run(cast: Cast) -> None:
    assert record(cast).created
    assert record(cast, task="mail").created


def test_the_same_report_many_times_at_one_moment_counts_once(cast_anywhere: Cast) -> None:
    same = report(cast_anywhere)
    done = at_once(lambda _: db.write(record_run, cast_anywhere.engine, same), 8)
    assert Counter(one.created for one in done) == {True: 1, False: 7}
    assert len({(one.id, one.received_at) for one in done}) == 1
    assert len(rows(BackupRun)) == len(rows(BackupTask)) == 1
    assert sum(day.successful for day in rows(PartnerDay)) == 1


def test_first_runs_of_many_tasks_at_one_moment_are_all_counted(cast_anywhere: Cast) -> None:
    at_once(lambda number: record(cast_anywhere, task=f"task-{number % 4}", run=f"run-{number}"), 8)
    assert len(rows(BackupTask)) == 4
    assert account_of(cast_anywhere).size_bytes == 4000
    assert sum(day.successful for day in rows(PartnerDay)) == 8


def test_accounts_that_change_state_against_each_other_never_block_for_ever(cast_anywhere: Cast) -> None:
    # Some go from successful to failed while others come back: the totals' rows are taken in both orders.
    accounts = db.write(_more_accounts, cast_anywhere.partner_id, 6)

    def flip(number: int) -> None:
        for turn in range(25):
            outcome = "failed" if (turn + number) % 2 else "successful"
            record(cast_anywhere, account=accounts[number], run=f"{number}-{turn}", outcome=outcome)

    at_once(flip, 6)
    assert sum(day.successful + day.failed for day in rows(PartnerDay)) == 150
    assert _totals_as_kept() == _totals_as_counted()


# Refused


def test_sizes_that_no_sum_can_hold_are_refused_whole(cast_anywhere: Cast) -> None:
    for number in range(4):
        record(cast_anywhere, task=f"task-{number}", size_bytes=2**60)
    before = _everything()
    with pytest.raises(Invalid) as found:
        record(cast_anywhere, task="task-4", size_bytes=2**60)
    assert "size_bytes" in found.value.fields
    assert _everything() == before


def test_an_account_deleted_meanwhile_takes_no_report(cast: Cast) -> None:
    db.write(lambda session: session.delete(session.get(Account, cast.account)))
    with pytest.raises(NotFound):
        record(cast)


def test_another_partners_engine_sees_no_task_of_ours(cast: Cast) -> None:
    record(cast)
    theirs = engine_of(cast.charlie.partner_id)
    db.write(record_run, theirs, report(cast, account=cast.charlies_account))
    assert len(rows(BackupTask)) == 2
    assert db.read(repository.tasks_of, theirs, cast.account) == []


def _everything() -> list[list[tuple]]:
    models = (Account, BackupTask, BackupRun, PartnerDay, PartnerChange, AccountTotal)

    def dump(session: Session) -> list[list[tuple]]:
        return [sorted(map(str, session.execute(model.__table__.select()))) for model in models]

    return db.read(dump)


def _totals_as_kept() -> dict[str, int]:
    return {row.backup_status: row.accounts for row in rows(AccountTotal) if row.accounts and row.size_bytes}


def _totals_as_counted() -> dict[str, int]:
    counted = select(Account.backup_status).where(col(Account.size_bytes) > 0)
    return dict(Counter(db.read(lambda session: list(session.exec(counted).all()))))


def _more_accounts(session: Session, partner_id: int, number: int) -> list[int]:
    partner = session.get_one(Partner, partner_id)
    return [factories.account(session, partner).id for _ in range(number)]
