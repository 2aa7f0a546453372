"""Deletes what tasks kept in the storage, and looks whether anything is left."""

import shutil
from datetime import timedelta
from typing import Any

from sqlmodel import Session, col, select

from portal_app import db
from portal_app.backups.engine import storages, tools
from portal_app.backups.engine.backing_up import work_folder
from portal_app.backups.engine.removal import FORGET
from portal_app.backups.engine.storages import Access, Storage
from portal_app.backups.engine.tools import Bench
from portal_app.backups.engines import Reader, cause
from portal_app.errors import PortalError
from portal_app.jobs import queue
from portal_app.jobs.worker import Canceled, Work
from portal_app.models import Job, JobState

LONGEST_SECONDS = 12 * 3600.0
# So often it is tried in the first days; then somebody has to look.
ATTEMPTS = 60
_LONGEST_PAUSE = timedelta(hours=6)
_BUSY = timedelta(seconds=5)


class Left(PortalError):
    """Something is still there."""


def forget(work: Work) -> dict[str, Any]:
    """Delete the vaults of the job (a job's handler); tried again later while the storage is away."""
    if db.read(_is_in_use, work.job):
        return _later(work, _BUSY, "Waits for what is being done with the data.")
    storage = db.read(storages.unpacked, work.job.payload["storage"])
    vaults, deleted = work.job.payload["vaults"], 0
    try:
        with tools.bench(work_folder(work.job), work.stop, LONGEST_SECONDS) as at:
            for number, vault in enumerate(vaults):
                work.progress = {"percent": 100 * number // len(vaults), "words": "Deleting data", "bytes": 0}
                deleted += _delete(storage, vault, at)
    except Canceled:
        raise
    except PortalError as fault:
        if work.job.attempts >= ATTEMPTS:
            raise
        return _later(work, min(timedelta(minutes=2 ** min(work.job.attempts, 9)), _LONGEST_PAUSE), fault.sentence)
    told = {"deleted": deleted, "left": 0}
    return told | {"words": f"{deleted:,} objects deleted. Nothing is left in the storage."}


def _later(work: Work, pause: timedelta, fault: str) -> dict[str, Any]:
    db.write(queue.again_later, work.job, pause, fault)
    work.has_ended = True
    return {}


def _is_in_use(session: Session, job: Job) -> bool:
    """Whether a backup or restore of these tasks is still under way; each was asked to stop."""
    tasks = col(Job.task_id).in_(job.payload["tasks"])
    wanted = select(Job.id).where(tasks, col(Job.state) == JobState.RUNNING, col(Job.kind) != FORGET).limit(1)
    return session.exec(wanted).first() is not None


def _delete(storage: Storage, vault: str, at: Bench) -> int:
    if storage.credentials is None:
        return _delete_folder(storage, vault)
    with storages.reached(storage, vault, at) as access:
        found = _objects(access, at)
        if found:
            _run(["rclone", "purge", access.path], access, at)
        left = _objects(access, at)
    if left:
        raise Left(f"{left:,} objects are still in the storage.")
    return found


def _delete_folder(storage: Storage, vault: str) -> int:
    folder = storage.folder(vault)
    found = sum(one.is_file() for one in folder.rglob("*"))
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        raise Left("Files are still in the storage.")
    return found


def _objects(access: Access, at: Bench) -> int:
    return _run(["rclone", "lsf", "--recursive", "--files-only", "--format", "s", access.path], access, at)


def _run(words: list[str], access: Access, at: Bench) -> int:
    """How many lines the command wrote that are no complaints. A folder that isn't there is empty."""
    reader, number = Reader(), 0

    def take(line: bytes) -> None:
        nonlocal number
        reader.take(line)
        number += bool(line) and not line.startswith(b"{")

    code = tools.run([*words, "--use-json-log", *tools.PATIENT], at, access.environment, take)
    if code and "directory not found" not in reader.last_words:
        raise Left(cause(reader) or "The storage can't be reached.")
    return number
