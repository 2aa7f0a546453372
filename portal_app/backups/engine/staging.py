"""Brings one entity of a source to where restic can read it: a folder in place, all others in a private copy."""

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from portal_app.backups.engine import folders, remotes, tools
from portal_app.backups.engine.reading import Entry
from portal_app.backups.engine.said import Log
from portal_app.backups.engine.source_values import Source
from portal_app.backups.engine.tools import Bench
from portal_app.backups.engines import Reader, cause, judge
from portal_app.errors import PortalError
from portal_app.models import Outcome, SourceKind
from portal_app.settings import settings

# The entity of what lies at the source's top in no folder. No folder can be called so.
TOP = "/"
TOP_NAME = "Files at the top"
_KEY_LENGTH = 300
# So much of the disk stays free for the portal itself.
_RESERVED = 1 << 30
_NO_ROOM = "There isn't enough room on the portal's machine to read this."


class Unreadable(PortalError):
    """The entity can't be read."""


@dataclass(frozen=True)
class Part:
    """One entity in its source: a folder, or what lies at the top in none."""

    key: str
    name: str
    folder: str
    names: Sequence[str] = ()

    @property
    def kind(self) -> str:
        return "files" if self.key == TOP else "folder"


@dataclass(frozen=True)
class Ready:
    """Where restic finds the entity; `names`: only these in it. `unread` tells what could not be brought."""

    cwd: str
    names: Sequence[str] | None = None
    unread: str = ""


def parts(entries: Sequence[Entry]) -> list[Part]:
    """The entities of a source, of what lies at its top."""
    found = [Part(_key(one.name), one.name, one.name) for one in entries if one.is_folder]
    if names := [one.name for one in entries if not one.is_folder]:
        found.append(Part(TOP, TOP_NAME, "", names))
    return found


def _key(name: str) -> str:
    # A name that isn't text in UTF-8 is one in the database all the same.
    told = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return told[:_KEY_LENGTH]


@contextmanager
def ready(source: Source, part: Part, at: Bench, log: Log, tell: tools.Take) -> Iterator[Ready]:
    """The entity, readable while the block lasts; a copy is gone after it. Raises Unreadable and Invalid."""
    if source.kind == SourceKind.FOLDER:
        with _in_place(source, part) as found:
            yield found
        return
    copy = at.folder / "copy"
    copy.mkdir(mode=0o700)
    try:
        yield Ready(str(copy), unread=_copy(source, part, at, log, tell))
    finally:
        shutil.rmtree(copy, ignore_errors=True)


@contextmanager
def _in_place(source: Source, part: Part) -> Iterator[Ready]:
    with folders.opened(source.values["path"], source.owner) as handle:
        inner = os.dup(handle)
        try:
            if part.folder:
                inner = folders.step(inner, part.folder)
        except OSError:
            raise Unreadable("This folder can't be read.") from None
        try:
            yield Ready(f"/proc/self/fd/{inner}", part.names if part.key == TOP else None)
        finally:
            os.close(inner)


def _copy(source: Source, part: Part, at: Bench, log: Log, tell: tools.Take) -> str:
    reader = Reader()

    def take(line: bytes) -> None:
        reader.take(line)
        log.take(line)
        tell(line)

    with remotes.reached(source, at) as remote:
        words = ["rclone", "copy", *COPYING, *tools.PATIENT, "--max-transfer", f"{room(at)}B", "--cutoff-mode", "hard"]
        words += ["--max-depth", "1"] if part.key == TOP else ["--create-empty-src-dirs"]
        words += [remote.at(part.folder), str(at.folder / "copy")]
        verdict = judge(reader, tools.run(words, at, remote.environment, take), words)
    if "max transfer limit" in reader.last_words:
        raise Unreadable(_NO_ROOM)
    if verdict.outcome == Outcome.FAILED:
        raise Unreadable(cause(reader).replace("The storage", "The source") or "The source can't be read.")
    return verdict.message


# Statistics come as notices, so that rclone need not tell of each file.
COPYING = (
    *("--use-json-log", "--stats", "1s", "--stats-log-level", "NOTICE"),
    *("--transfers", "2", "--checkers", "4", "--buffer-size", "1M", "--skip-links"),
)


def room(at: Bench) -> int:
    """How many bytes one piece of work may take of the disk, such that all at once leave enough."""
    free = shutil.disk_usage(at.folder).free - _RESERVED
    if free <= 0:
        raise Unreadable(_NO_ROOM)
    return max(1, free // settings().backups_at_once)


def share(line: bytes) -> tuple[float, int] | None:
    """How far restic or rclone is by its line (0 to 1, and bytes); None when the line doesn't tell."""
    if b'"message_type":"status"' in line:
        said = json.loads(line)
        return said.get("percent_done", 0.0), said.get("bytes_done", 0)
    if b'"stats":' in line and b'"totalBytes":' in line:
        told = json.loads(line).get("stats", {})
        total = told.get("totalBytes") or 0
        return (told.get("bytes", 0) / total if total else 0.0), told.get("bytes", 0)
    return None
