"""Who may start and stop a backup, and that there is one at a time."""

from collections.abc import Callable

import pytest
from sqlmodel import select

from portal_app import clock, db
from portal_app.auth.permissions import Permission
from portal_app.backups.engine import runs
from portal_app.errors import Conflict, Denied, NotFound
from portal_app.models import AuditEvent, BackupTask, Job, JobState
from tests.backups.conftest import Cast, without


def test_one_at_a_time(cast: Cast, task: int) -> None:
    job = db.write(runs.start, cast.alice, task)
    with pytest.raises(Conflict, match="running or waiting"):
        db.write(runs.start, cast.alice, task)
    db.write(runs.cancel, cast.alice, job)
    assert db.write(runs.start, cast.alice, task) > job
    states = db.read(lambda session: list(session.exec(select(Job.state).order_by(Job.id))))
    assert states == [JobState.CANCELED, JobState.WAITING]


def test_starting_and_stopping_is_audited(cast: Cast, task: int) -> None:
    db.write(runs.cancel, cast.alice, db.write(runs.start, cast.alice, task))
    found = db.read(lambda session: list(session.exec(select(AuditEvent).order_by(AuditEvent.id))))
    assert [(row.activity, row.description, row.account_id) for row in found] == [
        ("Backup run", "Started a backup of Files.", cast.account),
        ("Backup run", "Stopped a backup.", cast.account),
    ]


@pytest.mark.parametrize("do", ["start", "stop"])
def test_strangers_find_nothing(cast: Cast, task: int, do: str) -> None:
    call: Callable[..., object] = runs.start if do == "start" else runs.cancel
    number = task if do == "start" else db.write(runs.start, cast.alice, task)
    for who in (cast.charlie,):
        with pytest.raises(NotFound) as refusal:
            db.write(call, who, number)
        with pytest.raises(NotFound) as unknown:
            db.write(call, who, 10**9)
        assert refusal.value.sentence == unknown.value.sentence
    with pytest.raises(Denied):
        db.write(call, without(cast.alice, Permission.BACKUPS_RUN), number)


def test_a_reported_task_is_not_ours_to_run(cast: Cast) -> None:
    def reported(session) -> int:
        task = BackupTask(account_id=cast.account, key="k", name="K", created_at=clock.now())
        session.add(task)
        session.flush()
        return task.id

    with pytest.raises(Conflict, match="outside"):
        db.write(runs.start, cast.alice, db.write(reported))
