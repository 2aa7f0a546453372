"""A task's vault: its own restic repository below a random name in the account's storage, locked with a random key."""

import contextlib
import hashlib
import json
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from subprocess import DEVNULL, Popen

from portal_app import crypto
from portal_app.backups.engine import storages, tools
from portal_app.backups.engine.storages import Access, Storage
from portal_app.backups.engine.tools import Bench, Take
from portal_app.backups.engines import Reader, Verdict, cause, judge
from portal_app.errors import PortalError
from portal_app.models import BackupTask, Outcome
from portal_app.settings import settings

NOT_FOUND, LOCKED = "Repository not found.", "The repository is locked by another command."
_UNREACHED = "The storage can't be reached."
_EMPTY = "snapshot is empty"


class Refused(PortalError):
    """The storage, or what lies in it, can't be used."""


def give_vault(task: BackupTask, partner_id: int) -> None:
    """Name the task's vault and make its key, once; the names tell nothing of whose it is."""
    if not task.vault:
        task.vault = f"backups/{secrets.token_hex(16)}"
        key = secrets.token_urlsafe(32)
        task.vault_sealed = crypto.seal(key.encode(), binding=_binding(partner_id, task.id or 0))


def key_of(task: BackupTask, partner_id: int) -> str:
    """The key of the vault. Raises Unreadable."""
    return crypto.unseal(task.vault_sealed or b"", binding=_binding(partner_id, task.id or 0)).decode()


def _binding(partner_id: int, task_id: int) -> str:
    return crypto.binding(partner_id, "backup_task", task_id, "vault_sealed")


@dataclass(frozen=True)
class Snapshot:
    """What was kept of one entity by one run."""

    id: str
    entity: str
    at: datetime


@dataclass
class Vault:
    """An open vault. Everything raises Refused with a sentence when the storage can't be used."""

    at: Bench
    access: Access
    key: str = field(repr=False)

    def ensure(self, *, may_be_new: bool) -> None:
        """Make sure that it is there. A vault that held something is never made anew: its storage must be wrong."""
        try:
            self._ask("cat", "config")
        except Refused as refusal:
            if refusal.sentence != NOT_FOUND or not may_be_new:
                raise
            self._ask("init")

    def unlock(self, *, every: bool) -> None:
        """Take away the locks of processes that are gone; `every` lock, when nobody else can be at it."""
        with contextlib.suppress(Refused):
            self._ask("unlock", *(["--remove-all"] if every else []))

    def keep(
        self, entity: str, run: str, at: datetime, cwd: str, take: Take, *, names: Sequence[str] | None = None
    ) -> Verdict:
        """Keep the folder `cwd` as this entity, or only these names in it. Its verdict has the snapshot as `run`."""
        words = ["backup", "--json", "--host", entity, "--tag", run, "--time", f"{at:%Y-%m-%d %H:%M:%S}"]
        words += ["."] if names is None else ["--files-from-raw", "-"]
        given = b"".join(name.encode("utf-8", "surrogateescape") + b"\0" for name in names or ())
        reader = Reader()

        def hear(line: bytes) -> None:
            reader.take(line)
            take(line)

        command = self._command(*words)
        code = tools.run(command, self.at, self._environment, hear, cwd=cwd, given=given)
        if code and _EMPTY in reader.last_words:
            return Verdict(Outcome.SUCCESSFUL, size_bytes=0, entities=0)
        return judge(reader, code, command)

    def snapshots(self) -> list[Snapshot]:
        """All that is kept, the oldest first."""
        found = json.loads(self._ask("snapshots", "--json") or "null") or []
        made = [Snapshot(one["id"], one["hostname"], _instant(one["time"])) for one in found]
        return sorted(made, key=lambda one: one.at)

    def restore(self, snapshot: str, to: Path, take: Take) -> None:
        """Put a snapshot into a folder of ours. Raises Refused."""
        reader = Reader()

        def hear(line: bytes) -> None:
            reader.take(line)
            take(line)

        command = self._command("restore", snapshot, "--target", str(to))
        self._judged(reader, tools.run(command, self.at, self._environment, hear))

    @contextmanager
    def streamed(self, snapshot: str) -> Iterator[Popen[bytes]]:
        """A snapshot as a tar archive on the process' standard output; the caller waits for its end."""
        command = self._command("dump", "--archive", "tar", snapshot, "/")
        with tools.started(command, self.at, self._environment, errors=DEVNULL) as process:
            yield process

    def forget(self, keep_days: int, *, prune: bool) -> None:
        """Let go of snapshots that are older, the newest of each entity aside; `prune`: and of their data."""
        words = ["forget", "--keep-within", f"{keep_days}d", "--group-by", "host", *(["--prune"] if prune else [])]
        try:
            self._ask(*words)
        except Refused:
            # A restic that was ended as it made its lock left it there: what nobody holds any more is taken away.
            self.unlock(every=False)
            self._ask(*words)

    def _ask(self, *words: str) -> str:
        reader, said = Reader(), []

        def hear(line: bytes) -> None:
            reader.take(line)
            said.append(line)

        self._judged(reader, tools.run(self._command(*words), self.at, self._environment, hear))
        return b"\n".join(said).decode("utf-8", "replace")

    def _judged(self, reader: Reader, code: int) -> None:
        if code:
            codes = {10: NOT_FOUND, 11: LOCKED, 12: "Wrong password or no key found."}
            raise Refused(codes.get(code) or cause(reader) or _UNREACHED)

    def _command(self, *words: str) -> list[str]:
        return ["restic", "--cache-dir", str(_cache()), "--cleanup-cache", *self.access.options, *words]

    @property
    def _environment(self) -> dict[str, str]:
        own = {"RESTIC_REPOSITORY": self.access.repository, "RESTIC_PASSWORD": self.key, "RESTIC_PROGRESS_FPS": "1"}
        return {**self.access.environment, **own}


@contextmanager
def opened(storage: Storage, vault: str, key: str, at: Bench) -> Iterator[Vault]:
    """The vault, while the block lasts. Raises Refused when its storage doesn't answer."""
    with storages.reached(storage, vault, at) as access:
        if storage.credentials is not None:
            _knock(access, at)
        yield Vault(at, access, key)


def _knock(access: Access, at: Bench) -> None:
    # restic tries a storage that is away for a quarter of an hour; one look tells it at once.
    words = ["rclone", "lsf", "--max-depth", "1", "--use-json-log", *tools.HASTY, access.path]
    reader = Reader()
    if tools.run(words, at, access.environment, reader.take) and "directory not found" not in reader.last_words:
        raise Refused(cause(reader) or _UNREACHED)


def entity_mark(key: str) -> str:
    """The name under which restic keeps an entity: always short, and it tells nothing."""
    return "e-" + hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()[:32]


def newest(snapshots: Sequence[Snapshot], mark: str, at: datetime) -> Snapshot | None:
    """What an entity was at an instant: the last that was kept of it until then."""
    return next((one for one in reversed(snapshots) if one.entity == mark and one.at <= at), None)


def _instant(told: str) -> datetime:
    # restic writes nanoseconds, which Python doesn't read.
    head, _, rest = told.partition(".")
    zone = rest.lstrip("0123456789") or ("Z" if told.endswith("Z") else "")
    return datetime.fromisoformat(f"{head.rstrip('Z')}{zone}".replace("Z", "+00:00"))


def _cache() -> Path:
    return (settings().data_dir / "cache" / "restic").resolve()
