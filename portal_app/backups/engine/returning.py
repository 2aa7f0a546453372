"""Copies a restored folder back into its source. On this machine it never leaves the source, whatever lies in it."""

import os
import shutil
import stat
from collections.abc import Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from portal_app.backups.engine import folders, remotes, tools
from portal_app.backups.engine.remotes import Remote
from portal_app.backups.engine.source_values import Source
from portal_app.backups.engine.staging import COPYING
from portal_app.backups.engine.tools import Bench
from portal_app.backups.engines import Reader, cause, judge
from portal_app.errors import PortalError
from portal_app.models import Outcome, SourceKind

_NOT_WRITTEN = "The source can't be written to."


class NotWritten(PortalError):
    """The source doesn't take what is given back."""


def give_back(source: Source, folder: Path, below: Sequence[str], at: Bench) -> None:
    """Copy all that is in a folder of ours to the source's folder `below` its top. Raises NotWritten and Invalid."""
    if source.kind == SourceKind.FOLDER:
        with folders.opened(source.values["path"], source.owner) as handle:
            _into(handle, folder, below, at)
        return
    with remotes.reached(source, at) as remote:
        _by_rclone(remote, folder, below, at)


def _by_rclone(remote: Remote, folder: Path, below: Sequence[str], at: Bench) -> None:
    reader = Reader()
    # What is there may have the same size and time and differ all the same: everything is written anew.
    words = ["rclone", "copy", *COPYING, *tools.PATIENT, "--create-empty-src-dirs", "--ignore-times"]
    words += [str(folder), remote.at("/".join(below))]
    verdict = judge(reader, tools.run(words, at, remote.environment, reader.take), words)
    if verdict.outcome == Outcome.FAILED:
        raise NotWritten(cause(reader).replace("The storage", "The source") or _NOT_WRITTEN)
    if verdict.outcome == Outcome.PARTIAL:
        raise NotWritten("Not all files could be written to the source.")


def _into(top: int, folder: Path, below: Sequence[str], at: Bench) -> None:
    handle = os.dup(top)
    try:
        for name in below:
            handle = folders.step(handle, name, make=True)
        with _closing(handle):
            _copy_folder(folder, handle, at)
    except OSError:
        raise NotWritten(_NOT_WRITTEN) from None


def _copy_folder(folder: Path, to: int, at: Bench) -> None:
    for one in folder.iterdir():
        at.check()
        mode = one.lstat()
        if stat.S_ISDIR(mode.st_mode):
            with _closing(folders.step(os.dup(to), one.name, make=True)) as inner:
                _copy_folder(one, inner, at)
                os.utime(inner, ns=(mode.st_atime_ns, mode.st_mtime_ns))
        elif stat.S_ISLNK(mode.st_mode):
            _remove(one.name, to)
            os.symlink(one.readlink(), one.name, dir_fd=to)
        elif stat.S_ISREG(mode.st_mode):
            _copy_file(one, to, mode)


def _copy_file(file: Path, to: int, mode: os.stat_result) -> None:
    # Never through what has the name now: that may be a link to somewhere else.
    _remove(file.name, to)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with file.open("rb") as source, os.fdopen(os.open(file.name, flags, 0o600, dir_fd=to), "wb") as target:
        shutil.copyfileobj(source, target, 1 << 20)
        target.flush()
        os.fchmod(target.fileno(), stat.S_IMODE(mode.st_mode) & 0o777)
        os.utime(target.fileno(), ns=(mode.st_atime_ns, mode.st_mtime_ns))


def _remove(name: str, folder: int) -> None:
    with suppress(FileNotFoundError):
        os.unlink(name, dir_fd=folder)


@contextmanager
def _closing(handle: int):
    try:
        yield handle
    finally:
        os.close(handle)
