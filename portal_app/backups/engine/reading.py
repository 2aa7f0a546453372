"""Looks into a source: what lies at its top, and why it can't be looked into."""

import json
import os
import stat
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from portal_app.accounts.storage_relay import Blocked
from portal_app.backups.engine import folders, remotes, tools
from portal_app.backups.engine.remotes import Remote
from portal_app.backups.engine.source_values import Source
from portal_app.backups.engine.tools import Bench
from portal_app.backups.engines import Reader, cause
from portal_app.errors import Invalid
from portal_app.models import SourceKind

CHECK_SECONDS = 30.0
# So many folders at the top of one source; more is no place to back up folder by folder.
MOST_ENTRIES = 20_000
_UNKNOWN = "The source can't be read. Please check what you entered."
_BLOCKED = {
    Blocked.UNKNOWN_HOST: "There is no such host.",
    Blocked.FORBIDDEN: "This address isn't public. The portal connects to public addresses only.",
    Blocked.UNREACHABLE: "The host can't be reached.",
    Blocked.REDIRECT: "The server sent us to another address, where we don't go.",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """What lies at the top of a source."""

    name: str
    is_folder: bool
    size_bytes: int = 0


def check(source: Source) -> None:
    """Really list the source's top. Blocking, up to half a minute; raises Invalid with a sentence by the field."""
    with tempfile.TemporaryDirectory(prefix="portal-check-") as folder:
        at = Bench(Path(folder), Event())
        at.ends = at.ends - 3600 + CHECK_SECONDS
        try:
            top(source, at, tools.HASTY)
        except tools.TooLong:
            raise Invalid(**{_place(source): "The source didn't answer in time."}) from None


def top(source: Source, at: Bench, patience: Sequence[str]) -> list[Entry]:
    """What lies at the source's top, by name. Raises Invalid."""
    if source.kind == SourceKind.FOLDER:
        with folders.opened(source.values["path"], source.owner) as handle:
            found = list(_entries(handle))
    else:
        with remotes.reached(source, at) as remote:
            found = _listed(source, remote, at, patience)
    if len(found) > MOST_ENTRIES:
        raise Invalid(**{_place(source): f"There are more than {MOST_ENTRIES:,} entries at the top of this place."})
    return sorted(found, key=lambda entry: entry.name)


def _entries(handle: int) -> Iterator[Entry]:
    with os.scandir(handle) as found:
        for one in found:
            is_folder = one.is_dir(follow_symlinks=False)
            mode = one.stat(follow_symlinks=False)
            # Sockets, devices and pipes are no data.
            if is_folder or stat.S_ISREG(mode.st_mode) or stat.S_ISLNK(mode.st_mode):
                yield Entry(one.name, is_folder, 0 if is_folder else mode.st_size)


def _listed(source: Source, remote: Remote, at: Bench, patience: Sequence[str]) -> list[Entry]:
    said, reader = [], Reader()

    def take(line: bytes) -> None:
        if line.startswith(b'{"Path"'):
            said.append(json.loads(line.rstrip(b",")))
        else:
            reader.take(line)

    words = ["rclone", "lsjson", "--no-mimetype", "--no-modtime", "--use-json-log", *patience, remote.at("")]
    code = tools.run(words, at, remote.environment, take)
    if code:
        raise fault(source, remote, reader)
    return [Entry(one["Name"], one["IsDir"], max(0, one["Size"])) for one in said]


def fault(source: Source, remote: Remote, reader: Reader) -> Invalid:
    """What went wrong, by the field that is most likely at fault."""
    if remote.blocked in _BLOCKED:
        return Invalid(**{_place(source): _BLOCKED[remote.blocked]})
    told = cause(reader)
    words = reader.last_words
    if any(word in words for word in _REFUSED):
        return Invalid(**{_secret(source): "The source refused access. Please check name and password or keys."})
    if "directory not found" in words or "doesn't exist" in told or "nosuchbucket" in words:
        what = "bucket or folder" if source.kind == SourceKind.S3 else "folder"
        return Invalid(**{_folder(source): f"There is no such {what}."})
    return Invalid(**{_place(source): told.replace("The storage", "The source") or _UNKNOWN})


_REFUSED = (
    "403",
    "401",
    "forbidden",
    "unauthorized",
    "invalidaccesskey",
    "signaturedoesnotmatch",
    "denied",
    "unable to authenticate",
    "invalid_client",
    "invalid_grant",
    "host key",
    "knownhosts",
)


def _place(source: Source) -> str:
    names = {
        SourceKind.FOLDER: "path",
        SourceKind.S3: "endpoint",
        SourceKind.WEBDAV: "url",
        SourceKind.SFTP: "host",
        SourceKind.GOOGLE_DRIVE: "service_account_key",
        SourceKind.DROPBOX: "app_key",
        SourceKind.BOX: "settings",
    }
    return names.get(source.kind, "drive_id")


def _secret(source: Source) -> str:
    names = {
        SourceKind.S3: "secret_access_key",
        SourceKind.WEBDAV: "password",
        SourceKind.SFTP: "password",
        SourceKind.GOOGLE_DRIVE: "service_account_key",
        SourceKind.DROPBOX: "refresh_token",
        SourceKind.BOX: "settings",
    }
    return names.get(source.kind, "client_secret")


def _folder(source: Source) -> str:
    if source.kind == SourceKind.S3 and not source.values["folder"]:
        return "bucket"
    return "path" if source.kind == SourceKind.FOLDER else "folder"
