"""Reading backups: nobody sees or infers more than the accounts that are theirs."""

from datetime import timedelta

import pytest
from sqlmodel import Session

from portal_app import clock, db
from portal_app.auth.actor import NOBODY, Actor
from portal_app.backups import repository
from portal_app.backups.rows import DayRow, RunMark
from portal_app.backups.service import record_run
from portal_app.models import BackupRun, PartnerDay
from tests.backups.conftest import Cast, report

WEEK = timedelta(days=6)


@pytest.fixture
def reported(cast_anywhere: Cast) -> Cast:
    """Both accounts of the partner ran twice; the second one's runs are not for Bob to see."""
    for account, size in ((cast_anywhere.account, 100), (cast_anywhere.other_account, 4000)):
        for number, days in enumerate((9, 2)):
            when = clock.now() - timedelta(days=days)
            given = {"account": account, "run": f"r{number}", "finished": when, "size_bytes": size * (number + 1)}
            db.write(record_run, cast_anywhere.engine, report(cast_anywhere, **given))
    return cast_anywhere


def days(actor: Actor) -> list[DayRow]:
    return db.read(repository.backups_per_day, actor, clock.today() - WEEK)


def sizes(actor: Actor, since_days: int = 6) -> list[int]:
    since = clock.today() - timedelta(days=since_days)
    return [row.stored_bytes for row in db.read(repository.stored_per_day, actor, since)]


def test_an_administrator_gets_the_partners_figures_for_each_day(reported: Cast) -> None:
    found = days(reported.alice)
    assert [row.day for row in found] == [clock.today() - timedelta(days=n) for n in range(6, -1, -1)]
    assert [row.successful for row in found] == [0, 0, 0, 0, 2, 0, 0]


def test_chosen_accounts_count_alone(reported: Cast) -> None:
    for actor in (reported.bob, reported.customer):
        assert [row.successful for row in days(actor)] == [0, 0, 0, 0, 1, 0, 0]
        assert sizes(actor) == [100, 100, 100, 100, 200, 200, 200]
        assert sizes(actor, 10)[:3] == [0, 100, 100]


def test_strangers_and_nobody_get_zeros(reported: Cast) -> None:
    for actor in (reported.charlie, NOBODY):
        assert {(row.successful, row.partial, row.failed) for row in days(actor)} == {(0, 0, 0)}
        assert set(sizes(actor)) == {0}


def test_each_outcome_is_counted_as_itself(cast_anywhere: Cast) -> None:
    for number, outcome in enumerate(["failed", "partial", "partial", "successful", "successful", "successful"]):
        given = {"run": f"r{number}", "outcome": outcome, "finished": clock.now()}
        db.write(record_run, cast_anywhere.engine, report(cast_anywhere, **given))
    for actor in (cast_anywhere.alice, cast_anywhere.bob):
        assert days(actor)[-1] == DayRow(clock.today(), successful=3, partial=2, failed=1)


def test_stored_bytes_go_on_through_days_without_reports(cast: Cast) -> None:
    def fill(session: Session) -> None:
        for ago, size in ((20, 10), (4, 30)):
            session.add(
                PartnerDay(partner_id=cast.partner_id, day=clock.today() - timedelta(days=ago), stored_bytes=size)
            )

    db.write(fill)
    # Today's is what is stored now, not the last row: there are no sizes in the accounts.
    assert sizes(cast.alice) == [10, 10, 30, 30, 30, 30, 0]


def test_a_failed_run_makes_no_dip_for_a_limited_user(cast: Cast) -> None:
    for number, (days_ago, outcome) in enumerate([(3, "successful"), (1, "failed")]):
        when = clock.now() - timedelta(days=days_ago)
        given = {"run": f"r{number}", "outcome": outcome, "finished": when, "size_bytes": 500 * (1 - number)}
        db.write(record_run, cast.engine, report(cast, **given))
    assert sizes(cast.bob)[-4:] == [500, 500, 500, 500]


def test_tasks_and_runs_are_the_actors_own(reported: Cast) -> None:
    seen = {
        name: (
            len(db.read(repository.tasks_of, actor, reported.other_account)),
            len(db.read(repository.runs_of, actor, reported.other_account)),
        )
        for name, actor in (
            ("alice", reported.alice),
            ("bob", reported.bob),
            ("customer", reported.customer),
            ("charlie", reported.charlie),
            ("nobody", NOBODY),
        )
    }
    assert seen == {"alice": (1, 2), "bob": (0, 0), "customer": (0, 0), "charlie": (0, 0), "nobody": (0, 0)}
    assert len(db.read(repository.tasks_of, reported.bob, reported.account)) == 1


def test_pages_of_runs_miss_and_repeat_none_even_at_one_instant(cast_anywhere: Cast) -> None:
    now = clock.now()
    for number in range(9):
        given = {"run": f"r{number}", "finished": now - timedelta(hours=number // 3)}
        db.write(record_run, cast_anywhere.engine, report(cast_anywhere, **given))
    seen, mark = [], None
    while page := db.read(repository.runs_of, cast_anywhere.alice, cast_anywhere.account, 2, mark):
        seen += [row.mark for row in page]
        mark = page[-1].mark
    assert seen == sorted(seen, key=lambda m: (m.finished_at, m.id), reverse=True)
    assert len(set(seen)) == 9


def test_a_task_of_a_service_we_no_longer_know_is_generic(reported: Cast) -> None:
    def forget(session: Session) -> None:
        task = repository.task_by_key(session, reported.account, "files")
        task.service = "carrier_pigeon"
        session.add(task)

    db.write(forget)
    assert db.read(repository.tasks_of, reported.alice, reported.account)[0].service == "generic"


def test_a_mark_names_the_place_of_its_row(reported: Cast) -> None:
    row = db.read(repository.runs_of, reported.alice, reported.account)[0]
    run = db.read(lambda session: session.get(BackupRun, row.id))
    assert row.mark == RunMark(run.finished_at, run.id)
