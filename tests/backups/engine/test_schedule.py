"""When a task runs next, and that each slot becomes one job."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import select

from portal_app import db
from portal_app.backups.engine import runs, sources
from portal_app.backups.schedule import next_after
from portal_app.jobs import queue
from portal_app.models import BackupTask, Every, Job, JobState, SourceKind
from tests.backups.conftest import Cast, at_once
from tests.backups.engine.conftest import built_in

MADE = datetime(2026, 3, 28, 13, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Plan:
    every: str = Every.DAILY
    hour: int = 2
    created_at: datetime = MADE


def day(number: int, hour: int = 2) -> datetime:
    return datetime(2026, 3, 1, hour, tzinfo=UTC) + timedelta(days=number - 1)


@pytest.mark.parametrize(
    ("plan", "now", "due"),
    [
        (Plan(), MADE, day(29)),
        (Plan(), day(29) - timedelta(seconds=1), day(29)),
        (Plan(), day(29), day(30)),
        (Plan(hour=23), MADE, day(28, 23)),
        (Plan(Every.THREE_DAYS), MADE, day(29)),
        (Plan(Every.THREE_DAYS), day(29), day(32)),
        (Plan(Every.THREE_DAYS), day(40, 5), day(41)),
        (Plan(Every.WEEKLY), day(29), day(36)),
        (Plan(Every.WEEKLY), day(100), day(106)),
        # The hour is of UTC: no night in March is shorter for it.
        (Plan(hour=1), day(29, 0), day(29, 1)),
    ],
)
def test_next(plan: Plan, now: datetime, due: datetime) -> None:
    assert next_after(plan, now) == due


@given(
    every=st.sampled_from(list(Every)),
    hour=st.integers(0, 23),
    minutes=st.integers(-100_000, 7_000_000),
)
def test_it_lies_ahead_at_its_hour_and_one_step_at_most(every: Every, hour: int, minutes: int) -> None:
    now = MADE + timedelta(minutes=minutes)
    plan = Plan(every, hour)
    due = next_after(plan, now)
    assert due > now
    assert (due.hour, due.minute, due.second) == (hour, 0, 0)
    step = {Every.DAILY: 1, Every.THREE_DAYS: 3, Every.WEEKLY: 7}[every]
    if now > MADE:
        assert due - now <= timedelta(days=step)
        assert next_after(plan, due) == due + timedelta(days=step)


@pytest.fixture
def due_task(cast_anywhere: Cast) -> int:
    source = sources.parse(SourceKind.FOLDER, {"path": "/nowhere"})
    return db.write(built_in, cast_anywhere.account, source, created_at=MADE, next_run_at=day(29)).id


def jobs() -> list[Job]:
    return db.read(lambda session: list(session.exec(select(Job).order_by(Job.id))))


def next_run(task: int) -> datetime:
    return db.read(lambda session: session.get(BackupTask, task).next_run_at)


def test_a_slot_becomes_one_job_however_many_look(due_task: int) -> None:
    at_once(lambda _: db.write(runs.add_due, day(29)), 4)
    (job,) = jobs()
    assert (job.kind, job.task_id, job.open_key) == ("backup", due_task, f"backup:{due_task}")
    assert next_run(due_task) == day(30)


def test_missed_slots_are_not_piled_up(due_task: int) -> None:
    assert db.write(runs.add_due, day(45, 12)) == 1
    assert len(jobs()) == 1
    assert next_run(due_task) == day(46)
    assert db.write(runs.add_due, day(45, 13)) == 0


def test_a_slot_is_skipped_while_the_last_one_is_under_way(due_task: int) -> None:
    db.write(runs.add_due, day(29))
    db.write(runs.add_due, day(30))
    (job,) = jobs()
    db.write(lambda session: queue.cancel(session, job.id))
    assert next_run(due_task) == day(31)
    db.write(runs.add_due, day(31))
    assert [one.state for one in jobs()] == [JobState.CANCELED, JobState.WAITING]


def test_a_paused_task_is_left_alone(due_task: int, tmp_path: Path) -> None:
    def pause(session) -> None:
        session.get(BackupTask, due_task).active = False

    db.write(pause)
    assert db.write(runs.add_due, day(31)) == 0
    assert jobs() == []
