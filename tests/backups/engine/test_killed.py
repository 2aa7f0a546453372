"""A worker that dies in a run, really: SIGKILL, an orphan that goes on, a lock that stays."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from portal_app import clock, db
from portal_app.backups.engine import backing_up, runs, tools, vaults
from portal_app.migrations import ROOT
from portal_app.models import BackupRun, BackupTask, Job, JobState
from tests.backups.conftest import Cast
from tests.backups.engine.conftest import back_up, job_of, work_off
from tests.backups.portals import wait_for

WORKER = """
import sys
from portal_app import cli
from portal_app.backups.engine import tools
tools._gently, tools._step_back = (lambda: ()), (lambda _process: None)
sys.exit(cli.main())
"""


@contextmanager
def worker(*words: str, **given) -> Iterator[subprocess.Popen[bytes]]:
    """`python -m portal_app worker` over the test's database; only its tools don't step back for other tests."""
    command = [sys.executable, "-c", WORKER, "worker", *words]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, **given) as process:
        try:
            yield process
        finally:
            process.kill()


def running(number: int) -> list[int]:
    return list(tools._running_in(backing_up.work_folder_of(number).resolve()))


def locks(data_dir: Path) -> list[Path]:
    return list((data_dir / "vaults").rglob("locks/*"))


def end_lease(number: int) -> None:
    def lapse(session) -> None:
        session.get(Job, number).lease_until = clock.now() - timedelta(seconds=1)

    db.write(lapse)


@pytest.fixture
def big(files: Path) -> None:
    for number in range(8):
        (files / "Pictures" / f"{number}.bin").write_bytes(os.urandom(25_000_000))


def test_a_killed_worker(cast: Cast, task: int, big: None, data_dir: Path) -> None:
    number = db.write(runs.start, cast.alice, task)
    with worker() as process:
        restic = hold(number, data_dir)
        process.kill()
        process.wait()
    # As it is after a power cut, and worse: the engine's process is still there, and so is its lock.
    assert running(number) == [restic]
    assert job_of(number).state == JobState.RUNNING
    work_off()
    assert job_of(number).state == JobState.RUNNING, "its lease had not ended"
    end_lease(number)
    work_off()
    wait_for(lambda: not running(number))
    assert locks(data_dir) == []
    assert not backing_up.work_folder_of(number).exists()
    (run,) = db.read(lambda session: list(session.exec(select(BackupRun))))
    assert (run.outcome, run.message, run.run_key) == ("failed", backing_up.STOPPED, f"job-{number}")
    assert (job_of(number).state, job_of(number).fault) == (JobState.FAILED, backing_up.STOPPED)
    assert back_up(cast.alice, task).outcome == "successful"


def hold(number: int, data_dir: Path) -> int:
    """Stop restic where it is, however fast it would be: it has its lock, and is in the middle of the data."""
    restic = wait_for(lambda: next((one for one in running(number) if _keeps_pictures(one)), None), 60)
    wait_for(lambda: _has_read(restic) > 10_000_000, 60)
    os.kill(restic, signal.SIGSTOP)
    assert locks(data_dir)
    return restic


def _has_read(process: int) -> int:
    told = dict(line.split(": ") for line in Path(f"/proc/{process}/io").read_text().splitlines())
    return int(told["rchar"])


def _keeps_pictures(process: int) -> bool:
    with suppress(OSError):
        words = Path(f"/proc/{process}/cmdline").read_text().split("\0")
        return "backup" in words and any(vaults.entity_mark("Pictures") in word for word in words)
    return False


def go_on(restic: int) -> None:
    """Let it go on once it has been interrupted."""
    wait_for(lambda: _waits(restic, signal.SIGINT), 60)
    os.kill(restic, signal.SIGCONT)


def _waits(process: int, number: signal.Signals) -> bool:
    told = dict(line.split(":", 1) for line in Path(f"/proc/{process}/status").read_text().splitlines())
    return any(int(told[mask], 16) >> (number - 1) & 1 for mask in ("SigPnd", "ShdPnd"))


def test_who_believed_to_be_dead_records_nothing(cast: Cast, task: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one who was replaced comes back when the run is recorded as failed."""
    number = db.write(runs.start, cast.alice, task)
    record = backing_up.Run.record
    monkeypatch.setattr(backing_up.Run, "record", lambda run: (_replace(number, run, record), record(run))[1])
    work_off()
    (run,) = db.read(lambda session: list(session.exec(select(BackupRun))))
    assert (run.outcome, run.message) == ("failed", backing_up.STOPPED)


def _replace(number: int, run: backing_up.Run, record) -> None:
    if run.work.job.attempts == 1:
        end_lease(number)
        work_off()


def test_a_canceled_backup_ends_its_children_and_leaves_no_lock(
    cast: Cast, task: int, big: None, data_dir: Path
) -> None:
    number = db.write(runs.start, cast.alice, task)
    with worker() as process:
        restic = hold(number, data_dir)
        db.write(runs.cancel, cast.alice, number)
        go_on(restic)
        wait_for(lambda: job_of(number).state == JobState.CANCELED)
        assert running(number) == []
        assert locks(data_dir) == []
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert not db.read(lambda session: list(session.exec(select(BackupRun))))
    assert back_up(cast.alice, task).outcome == "successful"


def test_a_worker_that_is_told_to_end_gives_its_backup_back(cast: Cast, task: int, big: None, data_dir: Path) -> None:
    number = db.write(runs.start, cast.alice, task)
    with worker("--beside-server", stdin=subprocess.PIPE) as process:
        restic = hold(number, data_dir)
        # The server is gone, however it ended.
        process.stdin.close()
        go_on(restic)
        assert process.wait(60) == 0, process.stderr.read()
    assert running(number) == []
    assert locks(data_dir) == []
    assert (job_of(number).state, job_of(number).attempts) == (JobState.WAITING, 0)
    work_off()
    assert job_of(number).result["outcome"] == "successful"


def test_a_lock_that_nobody_holds_hinders_nothing(cast: Cast, task: int, big: None, data_dir: Path) -> None:
    def keep_for_a_month(session) -> None:
        session.get(BackupTask, task).keep_days = 30

    db.write(keep_for_a_month)
    number = db.write(runs.start, cast.alice, task)
    with worker():
        os.kill(hold(number, data_dir), signal.SIGKILL)
        wait_for(lambda: job_of(number).state == JobState.DONE, 60)
    (run,) = db.read(lambda session: list(session.exec(select(BackupRun))))
    assert run.outcome == "partial"
    assert "could not be deleted" not in run.log
    assert locks(data_dir) == []


def test_the_worker_queues_and_does_what_is_due(cast: Cast, task: int) -> None:
    def make_due(session) -> None:
        row = session.get(backing_up.BackupTask, task)
        row.next_run_at = clock.now() - timedelta(minutes=1)

    db.write(make_due)
    with worker() as process:
        found = wait_for(lambda: db.read(lambda session: session.exec(select(BackupRun)).first()), 60)
        process.terminate()
        assert process.wait(60) == 0
    assert found.outcome == "successful"
    assert db.read(lambda session: session.get(backing_up.BackupTask, task)).next_run_at > clock.now()
