"""Brings data back: into the source, or into a zip to download. Only one entity at a time is on the portal's disk."""

import shutil
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from sqlmodel import Session, col, select

from portal_app import clock, db
from portal_app.auth.permissions import Permission
from portal_app.backups.engine import returning, sources, staging, storages, tools, vaults
from portal_app.backups.engine.backing_up import plan_of, work_folder
from portal_app.backups.engine.recovery import ORIGINAL
from portal_app.backups.engine.source_values import Source
from portal_app.backups.engine.staging import TOP
from portal_app.backups.engine.storages import Storage
from portal_app.backups.engine.tools import Bench
from portal_app.backups.engine.vaults import Snapshot, Vault
from portal_app.errors import Conflict, NotFound, PortalError
from portal_app.files import service as files
from portal_app.jobs import queue
from portal_app.jobs.worker import Canceled, Work
from portal_app.models import Account, BackupEntity, BackupRun, BackupTask, JobState, Partner

LONGEST_SECONDS = 20 * 3600.0
_PIECE = 1 << 20
_FIRST_YEAR = 1980
_NOTHING = "Nothing is kept of what was chosen."


@dataclass
class Wanted:
    """What is to be brought back: entities by key with what is kept of them, at the instant of the run."""

    task: BackupTask
    account: Account
    run: BackupRun
    source: Source
    storage: Storage
    key: str = field(repr=False)
    entities: list[BackupEntity] = field(default_factory=list)

    def kept(self, vault: Vault) -> list[tuple[BackupEntity, Snapshot]]:
        """Each entity with the last that was kept of it until then. Raises Conflict when there is nothing."""
        found = vault.snapshots()
        pairs = [(one, vaults.newest(found, vaults.entity_mark(one.key), self.run.started_at)) for one in self.entities]
        known = [(one, snapshot) for one, snapshot in pairs if snapshot is not None]
        if not known:
            raise Conflict(_NOTHING)
        return known


def restore(work: Work) -> dict[str, Any]:
    """Bring entities back into their source (a job's handler)."""
    with _opened(work) as (wanted, vault):
        to = "" if work.job.payload["to"] == ORIGINAL else f"Restored {clock.now():%Y-%m-%d %H.%M.%S}"
        kept, failed, size = wanted.kept(vault), [], 0
        for number, (entity, snapshot) in enumerate(kept):
            _show(work, number, len(kept), entity.name, size)
            try:
                size += _bring_back(wanted, vault, entity, snapshot, to)
            except (Canceled, tools.TooLong):
                raise
            except PortalError as fault:
                failed.append((entity.name, " ".join(fault.fields.values()) or fault.sentence))
        if len(failed) == len(kept):
            raise Conflict(failed[0][1])
        return _restored(len(kept), failed, size, to)


def _restored(number: int, failed: list[tuple[str, str]], size: int, to: str) -> dict[str, Any]:
    words = f"{number - len(failed):,} of {number:,} restored" + (f" to the folder {to}." if to else ".")
    if failed:
        words += f" {failed[0][0]}: {failed[0][1]}"
    return {"words": words[:500], "bytes": size, "entities": number, "failed": len(failed), "folder": to}


def _bring_back(wanted: Wanted, vault: Vault, entity: BackupEntity, snapshot: Snapshot, to: str) -> int:
    copy = vault.at.folder / "copy"
    if entity.size_bytes > staging.room(vault.at):
        raise Conflict("There isn't enough room on the portal's machine to restore this.")
    copy.mkdir(mode=0o700)
    try:
        vault.restore(snapshot.id, copy, lambda _line: None)
        below = [to] if to else []
        below += [] if entity.key == TOP else [entity.key]
        returning.give_back(wanted.source, copy, below, vault.at)
        return sum(one.stat().st_size for one in copy.rglob("*") if one.is_file() and not one.is_symlink())
    finally:
        shutil.rmtree(copy, ignore_errors=True)


def export(work: Work) -> dict[str, Any]:
    """Put entities into a zip that can be fetched for some days (a job's handler)."""
    place = files.new_place()
    try:
        with _opened(work) as (wanted, vault), ZipFile(place, "w", ZIP_DEFLATED, compresslevel=1) as archive:
            kept = wanted.kept(vault)
            size = 0
            for number, (entity, snapshot) in enumerate(kept):
                _show(work, number, len(kept), entity.name, size)
                size += _pack(archive, vault, entity, snapshot)
        result = db.write(_keep, work, wanted, place, size)
    except BaseException:
        place.unlink(missing_ok=True)
        raise
    work.has_ended = True
    return result


def _keep(session: Session, work: Work, wanted: Wanted, place: Path, size: int) -> dict[str, Any]:
    name = f"{wanted.account.name} {wanted.task.name} {wanted.run.finished_at:%Y-%m-%d %H.%M}.zip"
    name = "".join(char if char not in '<>:"/\\|?*' and char.isprintable() else "-" for char in name)[-200:]
    kept = files.keep(
        session,
        place,
        name=name,
        kind="export",
        partner_id=wanted.account.partner_id,
        permission=Permission.DATA_EXPORT,
        account_id=wanted.account.id,
    )
    result = {"file": kept.id, "name": name, "bytes": size, "words": "Ready to download."}
    queue.finish(session, work.job, JobState.DONE, result=result)
    return result


def _pack(archive: ZipFile, vault: Vault, entity: BackupEntity, snapshot: Snapshot) -> int:
    size, top = 0, "" if entity.key == TOP else f"{_plain(entity.key)}/"
    if top:
        archive.writestr(ZipInfo(top), b"")
    with vault.streamed(snapshot.id) as process:
        try:
            with tarfile.open(fileobj=process.stdout, mode="r|", bufsize=_PIECE) as found:
                for member in found:
                    size += _add(archive, vault.at, found, member, top)
        except tarfile.TarError:
            vault.at.check()
            raise vaults.Refused("The storage can't be read.") from None
        if tools.wait(process, vault.at):
            raise vaults.Refused("The storage can't be read.")
    return size


def _add(archive: ZipFile, at: Bench, found: tarfile.TarFile, member: tarfile.TarInfo, top: str) -> int:
    info = ZipInfo(top + _plain(member.name) + ("/" if member.isdir() else ""), _time(member.mtime))
    info.external_attr = (member.mode & 0o777 | (0o40000 if member.isdir() else 0o100000)) << 16
    info.compress_type = ZIP_DEFLATED
    if member.isdir():
        archive.writestr(info, b"")
    source = found.extractfile(member) if member.isfile() else None
    if source is None:
        # A link has no content, and where it leads is nothing that whoever unpacks it would want.
        return 0
    info.file_size = member.size
    with archive.open(info, "w", force_zip64=True) as target:
        while piece := source.read(_PIECE):
            at.check()
            staging.room(at)
            target.write(piece)
    return member.size


def _plain(name: str) -> str:
    """The name as a zip may hold it: in UTF-8, and with no way up."""
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return "/".join(part for part in text.split("/") if part not in {"", ".", ".."})


def _time(at: float) -> tuple[int, int, int, int, int, int]:
    found = time.gmtime(max(0, at))
    return found[:6] if _FIRST_YEAR <= found.tm_year < 2108 else (_FIRST_YEAR, 1, 1, 0, 0, 0)


def _show(work: Work, number: int, of: int, name: str, size: int) -> None:
    words = f"{name} ({number + 1:,} of {of:,})"
    work.progress = {"percent": 100 * number // of, "words": words, "bytes": size}


@contextmanager
def _opened(work: Work) -> Iterator[tuple[Wanted, Vault]]:
    wanted = db.read(_wanted, work)
    with (
        tools.bench(work_folder(work.job), work.stop, LONGEST_SECONDS) as at,
        vaults.opened(wanted.storage, wanted.task.vault, wanted.key, at) as vault,
    ):
        yield wanted, vault


def _wanted(session: Session, work: Work) -> Wanted:
    task, account = plan_of(session, work.job)
    run = session.get(BackupRun, work.job.payload["run"])
    if run is None or run.task_id != task.id:
        raise NotFound("There is no such backup.")
    chosen = select(BackupEntity).where(col(BackupEntity.task_id) == task.id)
    if ids := work.job.payload["entities"]:
        chosen = chosen.where(col(BackupEntity.id).in_(ids))
    return Wanted(
        task,
        account,
        run,
        sources.unseal(task, account.partner_id, owner=session.get_one(Partner, account.partner_id).code),
        storages.storage_of(session, account),
        vaults.key_of(task, account.partner_id),
        list(session.exec(chosen.order_by(col(BackupEntity.name_key), col(BackupEntity.id)))),
    )
