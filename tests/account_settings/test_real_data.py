"""A removed account's backups are really gone from the storage, and the page proves it."""

from pathlib import Path

from sqlmodel import select

from portal_app import db
from portal_app.account_settings import removal
from portal_app.backups.engine.storages import center_folder
from portal_app.models import Account, BackupTask, DataCenter
from tests.backups.conftest import Cast, cast
from tests.backups.engine.conftest import back_up, files, owner, task, work_off

__all__ = ["cast", "files", "owner", "task"]


def test_the_storage_is_empty_once_the_page_says_so(cast: Cast, task: int) -> None:
    back_up(cast.alice, task)
    folder = db.read(_folder, cast.account, task)
    assert any(one.is_file() for one in folder.rglob("*"))
    name = db.read(lambda session: session.get_one(Account, cast.account).name)
    db.write(removal.remove, cast.alice, cast.account, name, approved=True)
    assert not db.read(removal.standing, cast.alice, cast.account).ended
    work_off()
    found = db.read(removal.standing, cast.alice, cast.account)
    assert (found.ended, found.fault) == (True, "")
    assert found.proof.startswith("0 objects left in the storage.")
    assert not folder.exists()


def _folder(session, account_id: int, task_id: int) -> Path:
    account = session.get_one(Account, account_id)
    code = session.exec(select(DataCenter.code).where(DataCenter.id == account.data_center_id)).one()
    vault = session.get_one(BackupTask, task_id).vault
    assert vault
    return center_folder(code) / vault
