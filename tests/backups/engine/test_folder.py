"""A folder of this machine, whole: backed up, broken, restored, exported, deleted."""

import shutil
import zipfile
from pathlib import Path

import pytest
from sqlmodel import select

from portal_app import db
from portal_app.auth.permissions import Permission
from portal_app.backups.engine import recovery, removal, runs
from portal_app.errors import Conflict, Denied, NotFound
from portal_app.files import service as stored
from portal_app.jobs import queue
from portal_app.models import Account, BackupEntity, BackupTask, JobState
from tests.backups.conftest import Cast, without
from tests.backups.engine.conftest import back_up, contents, job_of, work_off


def entities(task: int) -> dict[str, BackupEntity]:
    wanted = select(BackupEntity).where(BackupEntity.task_id == task)
    return {one.name: one for one in db.read(lambda session: list(session.exec(wanted)))}


def restored(files: Path) -> list[Path]:
    return sorted(files.glob("Restored *"))


def test_each_top_folder_is_an_entity(cast: Cast, task: int, files: Path) -> None:
    run = back_up(cast.alice, task)
    assert (run.outcome, run.message, run.entities, run.entities_failed) == ("successful", "", 3, 0)
    assert run.size_bytes == sum(len(data) for data in contents(files).values() if data)
    assert 0 < run.added_bytes < run.size_bytes + 100_000
    found = entities(task)
    assert {name: (one.kind, one.size_bytes, one.outcome) for name, one in found.items()} == {
        "Files at the top": ("files", 10, "successful"),
        "Letters": ("folder", 10, "successful"),
        "Pictures": ("folder", 307_200, "successful"),
    }
    account = db.read(lambda session: session.get(Account, cast.account))
    assert (account.backup_status, account.size_bytes) == ("successful", run.size_bytes)


def test_a_second_run_adds_little_and_finds_new_folders(cast: Cast, task: int, files: Path) -> None:
    back_up(cast.alice, task)
    (files / "New").mkdir()
    (files / "New/three").write_text("three")
    run = back_up(cast.alice, task)
    assert (run.outcome, run.entities) == ("successful", 4)
    assert run.added_bytes < 20_000
    assert "New" in entities(task)


def test_an_empty_folder_is_a_good_backup(cast: Cast, task: int, files: Path) -> None:
    (files / "Empty").mkdir()
    assert back_up(cast.alice, task).outcome == "successful"
    assert entities(task)["Empty"].size_bytes == 0


def test_a_folder_that_is_gone_makes_it_failed_with_its_cause(cast: Cast, task: int, files: Path) -> None:
    back_up(cast.alice, task)
    shutil.rmtree(files)
    run = back_up(cast.alice, task)
    assert (run.outcome, run.message) == ("failed", "There is no such folder.")
    assert "There is no such folder." in run.log
    assert db.read(lambda session: session.get(BackupTask, task)).size_bytes == 307_220


def test_a_vault_that_is_gone_is_never_made_anew(cast: Cast, task: int, data_dir: Path) -> None:
    back_up(cast.alice, task)
    shutil.rmtree(data_dir / "vaults")
    run = back_up(cast.alice, task)
    assert (run.outcome, run.message) == ("failed", "Repository not found.")
    assert not (data_dir / "vaults").exists()


def test_a_restore_beside_is_the_same_byte_by_byte(cast: Cast, task: int, files: Path) -> None:
    before = contents(files)
    run = back_up(cast.alice, task)
    (files / "Letters/one.txt").write_text("changed since")
    number = db.write(recovery.start_restore, cast.alice, task, run.id, [])
    work_off()
    assert job_of(number).state == JobState.DONE, job_of(number).fault
    (place,) = restored(files)
    assert contents(place) == before
    assert (files / "Letters/one.txt").read_text() == "changed since"
    assert (place / "Letters/one.txt").stat().st_mtime < (files / "Letters/one.txt").stat().st_mtime


def test_a_restore_to_the_original_place_brings_back_what_the_run_kept(cast: Cast, task: int, files: Path) -> None:
    before = contents(files)
    first = back_up(cast.alice, task)
    (files / "Letters/one.txt").write_text("two")
    (files / "Letters/later.txt").write_text("kept")
    back_up(cast.alice, task)
    shutil.rmtree(files / "Letters/old")
    letters = entities(task)["Letters"]
    db.write(recovery.start_restore, cast.alice, task, first.id, [letters.id], recovery.ORIGINAL)
    work_off()
    assert contents(files) == before | {"Letters/later.txt": b"kept"}


def test_a_link_put_in_the_way_of_a_restore_leads_nowhere(cast: Cast, task: int, files: Path, tmp_path: Path) -> None:
    run = back_up(cast.alice, task)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "one.txt").write_text("not yours")
    shutil.rmtree(files / "Letters/old")
    (files / "Letters/old").symlink_to(outside)
    (files / "Letters/one.txt").unlink()
    (files / "Letters/one.txt").symlink_to(outside / "one.txt")
    number = db.write(recovery.start_restore, cast.alice, task, run.id, [entities(task)["Letters"].id], "original")
    work_off()
    assert job_of(number).fault == "The source can't be written to."
    assert contents(outside) == {"one.txt": b"not yours"}


def test_an_export_is_a_zip_with_the_same_bytes(cast: Cast, task: int, files: Path, tmp_path: Path) -> None:
    run = back_up(cast.alice, task)
    number = db.write(recovery.start_export, cast.alice, task, run.id, [])
    work_off()
    (row,) = db.read(recovery.listed, cast.alice, cast.account)
    assert (row.id, row.kind, row.task, row.state, row.percent) == (number, "export", "Files", "done", 100)
    file = db.read(stored.find, cast.alice, row.file_id)
    with zipfile.ZipFile(stored.path_of(file)) as archive:
        assert archive.testzip() is None
        archive.extractall(tmp_path / "out")
    assert contents(tmp_path / "out") == contents(files)
    for stranger in (cast.charlie, without(cast.alice, Permission.DATA_EXPORT)):
        with pytest.raises(NotFound):
            db.read(stored.find, stranger, row.file_id)


def test_only_one_entity_can_be_exported(cast: Cast, task: int, files: Path) -> None:
    run = back_up(cast.alice, task)
    db.write(recovery.start_export, cast.alice, task, run.id, [entities(task)["Files at the top"].id])
    work_off()
    (row,) = db.read(recovery.listed, cast.alice, cast.account)
    file = db.read(stored.find, cast.alice, row.file_id)
    with zipfile.ZipFile(stored.path_of(file)) as archive:
        assert archive.namelist() == ["readme.txt"]


def test_who_may_recover(cast: Cast, task: int) -> None:
    run = back_up(cast.alice, task)
    for start, permission in (
        (recovery.start_restore, Permission.DATA_RESTORE),
        (recovery.start_export, Permission.DATA_EXPORT),
    ):
        with pytest.raises(Denied):
            db.write(start, without(cast.alice, permission), task, run.id, [])
        with pytest.raises(NotFound):
            db.write(start, cast.charlie, task, run.id, [])
        with pytest.raises(NotFound):
            db.write(start, cast.alice, task, run.id + 1, [])
        with pytest.raises(NotFound):
            db.write(start, cast.alice, task, run.id, [10**6])
        job = db.write(start, cast.alice, task, run.id, [])
        with pytest.raises(Conflict):
            db.write(start, cast.alice, task, run.id, [])
        with pytest.raises(NotFound):
            db.write(recovery.cancel, cast.charlie, job)
        db.write(recovery.cancel, cast.alice, job)
    assert db.read(recovery.listed, cast.charlie, cast.account) == []


def test_a_run_that_failed_has_nothing_to_bring_back(cast: Cast, task: int, files: Path) -> None:
    shutil.rmtree(files)
    run = back_up(cast.alice, task)
    with pytest.raises(Conflict, match="kept nothing"):
        db.write(recovery.start_restore, cast.alice, task, run.id, [])


def test_forgetting_deletes_all_and_says_so(cast: Cast, task: int, data_dir: Path) -> None:
    back_up(cast.alice, task)
    vaults = data_dir / "vaults"
    assert any(one.is_file() for one in vaults.rglob("*"))

    def remove(session) -> int:
        row = session.get(BackupTask, task)
        number = removal.forget_task(session, cast.alice, row)
        session.delete(row)
        return number

    job = job_of(db.write(remove))
    work_off()
    job = job_of(job.id)
    assert job.state == JobState.DONE
    assert job.result["left"] == 0
    assert job.result["deleted"] > 3
    assert not any(one.is_file() for one in vaults.rglob("*"))


def test_forgetting_waits_for_what_is_under_way(cast: Cast, task: int) -> None:
    back_up(cast.alice, task)

    def remove(session) -> int:
        return removal.forget_account(session, cast.alice, session.get(Account, cast.account))

    running = db.write(runs.start, cast.alice, task)
    claimed = db.write(queue.claim, ["backup"])
    number = db.write(remove)
    work_off()
    assert job_of(number).state == JobState.WAITING
    assert job_of(running).cancel_requested
    db.write(queue.finish, claimed, JobState.CANCELED)
