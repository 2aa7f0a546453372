"""The demo's entities agree with their tasks, runs and bills, and show every standing and state."""

from collections import Counter, defaultdict
from pathlib import Path

import pytest
from sqlmodel import col, func, select

from portal_app import db, text
from portal_app.backups.entities import repository
from portal_app.backups.entities.query import EntityQuery
from portal_app.backups.entities.rows import ShownState
from portal_app.backups.rows import Service
from portal_app.models import BackupEntity, BackupRun, BackupTask, Discovery, Every, Outcome, Standing, TaskEngine, User
from tests import factories
from tests.demo.conftest import NOW


@pytest.mark.usefixtures("demo")
def test_each_task_counts_its_entities_as_its_last_run_left_them() -> None:
    with db.reading() as session:
        of_task = defaultdict(list)
        for one in session.exec(select(BackupEntity)):
            of_task[one.task_id].append(one)
        newest = select(func.max(BackupRun.id)).group_by(col(BackupRun.task_id))
        last = {run.task_id: run for run in session.exec(select(BackupRun).where(col(BackupRun.id).in_(newest)))}
        tasks = session.exec(select(BackupTask).where(BackupTask.engine == TaskEngine.REPORTED)).all()
        for task in tasks:
            held, billed = repository.counted(session, task.id)
            assert (task.entities, task.billed_entities) == (held, billed)
            mine = of_task[task.id]
            active = [one for one in mine if one.standing == Standing.ACTIVE]
            assert active and sum(one.size_bytes for one in mine) == task.size_bytes
            if task.id not in last:
                assert {(one.outcome, one.last_attempt_at) for one in mine} == {(None, None)}
                continue
            run = last[task.id]
            assert (run.entities, run.entities_failed) == (
                len(active),
                sum(one.outcome == Outcome.FAILED for one in active),
            )
            assert all(one.last_attempt_at == run.finished_at for one in active)
    assert sum(map(len, of_task.values())) > 5_000


@pytest.mark.usefixtures("demo")
def test_entities_are_believable() -> None:
    with db.reading() as session:
        for one in session.exec(select(BackupEntity)):
            assert one.name_key == text.fold(one.name)
            assert not text.name_fault(one.name, "a name")
            assert bool(one.error) == (one.outcome in (Outcome.FAILED, Outcome.PARTIAL))
            assert one.last_backup_at is None or one.found_at < one.last_backup_at <= one.last_attempt_at <= NOW
            assert one.last_backup_at or one.outcome in (None, Outcome.FAILED)


@pytest.mark.usefixtures("demo")
def test_every_standing_state_schedule_and_rule_is_there() -> None:
    with db.reading() as session:
        standings = dict(
            session.exec(select(BackupEntity.standing, func.count()).group_by(BackupEntity.standing)).all()
        )
        tasks = session.exec(select(BackupTask)).all()
        licensed = set(session.exec(select(BackupTask.service, BackupEntity.licensed).join(BackupEntity)).all())
        alice = factories.actor(session.exec(select(User).where(User.email == "admin@demo.example")).one())
        shown = Counter()
        for task in tasks:
            query = EntityQuery(account_id=task.account_id, task_id=task.id, size=100)
            if page := repository.page(session, alice, query):
                shown.update(row.state for row in page.rows)
    assert set(standings) == set(Standing)
    assert standings["active"] > 10 * standings["inactive"] > 0
    assert set(shown) == set(ShownState) - {ShownState.IN_PROCESS}
    assert {task.every for task in tasks} == set(Every)
    assert {task.discovery for task in tasks} == set(Discovery)
    assert {licence for service, licence in licensed if service == Service.EXCHANGE} == {True, False}
    assert {licence for service, licence in licensed if service != Service.EXCHANGE} == {None}
    for task in tasks:
        # When a tool outside runs next, nobody knows here.
        assert (task.next_run_at is not None) == (task.engine == TaskEngine.BUILT_IN)
        assert task.next_run_at is None or task.next_run_at > NOW


def test_its_page_turns(demo: Path) -> None:
    with db.reading() as session:
        task = session.exec(select(BackupTask).order_by(col(BackupTask.entities).desc())).first()
        alice = factories.actor(session.exec(select(User).where(User.email == "admin@demo.example")).one())
        pages = [
            repository.page(session, alice, EntityQuery(account_id=task.account_id, task_id=task.id, page=number))
            for number in (1, 2)
        ]
    names = [row.name for page in pages for row in page.rows]
    assert len(set(names)) == 50
    assert names == sorted(names, key=text.fold)
