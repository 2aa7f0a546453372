"""The demo's own task really runs: its files are kept, folder by folder, and what is deleted comes back."""

from pathlib import Path

from sqlmodel import select

from portal_app import clock, db
from portal_app.backups.engine import recovery
from portal_app.demo import built_in
from portal_app.models import Account, BackupEntity, BackupTask, Outcome
from portal_app.settings import settings
from tests.backups.conftest import Cast, cast
from tests.backups.engine.conftest import back_up, contents, job_of, work_off

__all__ = ["cast"]


def test_a_visitor_can_run_it_and_bring_a_file_back(cast: Cast) -> None:
    def make(session) -> int:
        return built_in.add_task(session, session.get_one(Account, cast.account), clock.now()).id

    task_id = db.write(make)
    folder = settings().demo_files
    before = contents(folder)
    run = back_up(cast.alice, task_id)
    assert run.outcome == Outcome.SUCCESSFUL, run.message
    with db.reading() as session:
        names = set(session.exec(select(BackupEntity.name).where(BackupEntity.task_id == task_id)))
        task = session.get_one(BackupTask, task_id)
    assert names == {"Contracts", "Invoices", "Plans", "Files at the top"}
    assert (task.entities, task.billed_entities) == (4, 4)
    gone = folder / "Invoices" / "2026-001.csv"
    gone.unlink()
    job = db.write(recovery.start_restore, cast.alice, task_id, run.id, [], "original")
    work_off()
    assert job_of(job).state == "done", job_of(job).fault
    assert contents(folder) == before


def test_its_folder_is_all_that_may_be_read(data_dir: Path) -> None:
    assert settings().readable_folders("DDEVR001") == (data_dir / "demo-files",)
