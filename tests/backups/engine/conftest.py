"""Built-in tasks over real sources into real storages."""

from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, select

from portal_app import clock, db
from portal_app.auth.actor import Actor
from portal_app.backups.engine import runs, sources, tools
from portal_app.backups.engine.handlers import HANDLERS
from portal_app.jobs.worker import Worker
from portal_app.models import Account, BackupRun, BackupTask, Job, Partner, SourceKind, TaskEngine
from portal_app.settings import reset_settings
from tests.backups.conftest import Cast


@pytest.fixture(autouse=True)
def _not_gently(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lowest priority is for servers; beside other tests nothing would ever end."""
    monkeypatch.setattr(tools, "_gently", lambda: ())
    monkeypatch.setattr(tools, "_step_back", lambda _process: None)


@pytest.fixture
def owner(cast: Cast) -> str:
    """The code of Alice's partner."""
    with db.reading() as session:
        return session.get_one(Partner, cast.partner_id).code


@pytest.fixture
def files(tmp_path: Path, owner: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that Alice's partner may back up, with two folders, a file at the top, and a link that leads out."""
    root = tmp_path / "allowed"
    made = root / "customer"
    (made / "Letters" / "old").mkdir(parents=True)
    (made / "Pictures").mkdir()
    (made / "Letters/one.txt").write_text("one")
    (made / "Letters/old/two.txt").write_text("two two")
    (made / "Pictures/größe & more.bin").write_bytes(bytes(range(256)) * 1200)
    (made / "readme.txt").write_text("at the top")
    monkeypatch.setenv("PORTAL_BACKUP_FOLDERS", f"{owner}={root}")
    reset_settings()
    return made


def built_in(session: Session, account_id: int, source: sources.Source, **given: Any) -> BackupTask:
    """A task of the built-in engine."""
    account = session.get(Account, account_id)
    values = {"key": "files", "name": "Files", "created_at": clock.now()} | given
    task = BackupTask(account_id=account_id, engine=TaskEngine.BUILT_IN, source_kind=source.kind, **values)
    session.add(task)
    session.flush()
    task.source_sealed = sources.seal(source, partner_id=account.partner_id, task_id=task.id)
    task.source_place = source.place
    session.add(task)
    session.flush()
    return task


@pytest.fixture
def task(cast: Cast, files: Path) -> int:
    """Alice's customer's task over the folder."""
    source = sources.parse(SourceKind.FOLDER, {"path": str(files)})
    return db.write(built_in, cast.account, source).id


def work_off() -> int:
    """Do all jobs that are due, here and now."""
    return Worker(HANDLERS, 1).run_due()


def job_of(number: int) -> Job:
    return db.read(lambda session: session.get(Job, number))


def back_up(actor: Actor, task: int) -> BackupRun | None:
    """Back the task up; the run that came of it."""
    number = db.write(runs.start, actor, task)
    work_off()
    wanted = select(BackupRun).where(BackupRun.task_id == task, BackupRun.run_key == f"job-{number}")
    return db.read(lambda session: session.exec(wanted).first())


def contents(folder: Path) -> dict[str, bytes | None]:
    """Every file below a folder with its bytes, and the folders (None)."""
    return {
        one.relative_to(folder).as_posix(): None if one.is_dir() else one.read_bytes()
        for one in sorted(folder.rglob("*"))
        if not one.is_symlink()
    }
