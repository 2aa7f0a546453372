"""Backup and restore of an embedded deployment: the SQLite database and the encryption key in one private file."""

import base64
import binascii
import io
import json
import os
import shutil
import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from alembic.script import ScriptDirectory
from sqlalchemy.engine import make_url

from portal_app import clock, crypto, db, locks, migrations
from portal_app.errors import Conflict, Invalid
from portal_app.settings import settings

FORMAT = 1
ABOUT = "about.json"
DATABASE = "portal.db"
BUSY = "Another process has the database open. Stop the portal and its commands first."


def backup(target: Path) -> None:
    """Write a consistent copy of the running portal's database, and the key, to a new tar file of mode 0600.

    Raises Invalid (PostgreSQL, no database, damaged database, no such folder) and Conflict when the file exists.
    """
    source = _database("Use pg_dump for the database; the encryption key is in the data folder.")
    if not source.exists():
        raise Invalid(f"There is no database at {source} yet.")
    if target.exists():
        raise Conflict(f"{target} exists already; nothing was overwritten.")
    if not target.parent.is_dir():
        raise Invalid(f"There is no folder {target.parent}.")
    with _draft_folder() as folder:
        _copy(source, folder / DATABASE)
        _check(folder / DATABASE)
        _write(target, folder / DATABASE)


def restore(source: Path, *, replace: bool = False) -> Path | None:
    """Put a backup in the place of the data folder's database and key, and bring it to the newest shape.

    Nothing changes unless the backup is sound. With `replace`, what was there is kept in the folder that is
    returned. Everybody has to sign in again. Raises Invalid for a file that can't be used, Conflict when there is a
    database already or a process has it open.
    """
    target = _database("Use pg_restore for the database, and put the encryption key into the data folder.")
    with locks.alone(), _draft_folder() as folder:
        _unpack(source, folder)
        _check(folder / DATABASE)
        _check_known(folder / DATABASE)
        _end_sessions(folder / DATABASE)
        aside = _set_aside(target, replace=replace)
        # The key first: a start between the two would otherwise make a new one, which opens nothing.
        _place(folder / crypto.KEY_FILE, settings().data_dir / crypto.KEY_FILE)
        _place(folder / DATABASE, target)
    migrations.upgrade()
    return aside


def holds_other_key() -> bool:
    """Whether PORTAL_ENCRYPTION_KEY differs from the key file, so that restored secrets can't be opened."""
    file = settings().data_dir / crypto.KEY_FILE
    given = settings().encryption_key.get_secret_value().strip()
    return bool(given) and file.exists() and _key(given) != _key(file.read_text("ascii"))


def _database(advice: str) -> Path:
    url = make_url(settings().sqlalchemy_url)
    if url.get_backend_name() != "sqlite":
        raise Invalid(f"This deployment keeps its data in PostgreSQL. {advice}")
    return Path(url.database or "")


@contextmanager
def _draft_folder() -> Iterator[Path]:
    """A private folder beside the data, gone afterwards."""
    settings().data_dir.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".archive-", dir=settings().data_dir) as name:
        yield Path(name)


def _copy(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as reading, closing(sqlite3.connect(target)) as writing:
        try:
            reading.backup(writing)
            # One file that is whole by itself, without a write-ahead log beside it.
            writing.execute("PRAGMA journal_mode = DELETE")
        except sqlite3.DatabaseError:
            raise Invalid(f"The database {source} is damaged. Restore an earlier backup.") from None


def _check(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection:
        try:
            found = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
            tables = connection.execute("SELECT count(*) FROM alembic_version").fetchone()[0]
        except sqlite3.DatabaseError:
            found, tables = "no database", 0
    if found != "ok" or not tables:
        raise Invalid("The database is damaged; nothing was changed.")


def _check_known(database: Path) -> None:
    """Refuse what a newer version of the portal has written."""
    known = {script.revision for script in ScriptDirectory(str(migrations.ROOT / "alembic")).walk_revisions()}
    with closing(sqlite3.connect(database)) as connection:
        found = {row[0] for row in connection.execute("SELECT version_num FROM alembic_version")}
    if not found <= known:
        raise Invalid("The backup was made by a newer version of the portal. Install that version first.")


def _end_sessions(database: Path) -> None:
    # A session that was ended after the backup must not live again.
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("DELETE FROM login_session")
        connection.execute("DELETE FROM login_ticket")


def _write(target: Path, database: Path) -> None:
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    about = {"format": FORMAT, "made_at": clock.now().isoformat()}
    try:
        with _private(draft) as file, tarfile.open(fileobj=file, mode="w") as tar:
            _add(tar, ABOUT, json.dumps(about).encode())
            _add(tar, crypto.KEY_FILE, base64.b64encode(crypto.current_key()) + b"\n")
            with database.open("rb") as copy:
                tar.addfile(_entry(DATABASE, database.stat().st_size), copy)
        # The name is taken first, so that a rename can't replace what somebody else wrote meanwhile.
        _private(target).close()
        draft.replace(target)
    except FileExistsError:
        raise Conflict(f"{target} exists already; nothing was overwritten.") from None
    finally:
        draft.unlink(missing_ok=True)


def _private(path: Path) -> io.BufferedWriter:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    tar.addfile(_entry(name, len(content)), io.BytesIO(content))


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = size, 0o600, int(clock.now().timestamp())
    return entry


def _unpack(source: Path, folder: Path) -> None:
    """Take the three known files out of the archive by their names, and nothing else."""
    try:
        with tarfile.open(source, mode="r:") as tar:
            for name in (ABOUT, crypto.KEY_FILE, DATABASE):
                _extract(tar, name, folder / name)
        about = json.loads((folder / ABOUT).read_bytes())
        _key((folder / crypto.KEY_FILE).read_text("ascii"))
    except (tarfile.TarError, KeyError, EOFError, ValueError):
        raise Invalid(f"{source} is not a whole backup of the portal; nothing was changed.") from None
    except OSError as fault:
        raise Invalid(f"{source} can't be read: {fault.strerror}.") from None
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        raise Invalid("The backup was made by a newer version of the portal. Install that version first.")


def _extract(tar: tarfile.TarFile, name: str, target: Path) -> None:
    entry = tar.getmember(name)
    content = tar.extractfile(entry)
    if content is None:
        raise ValueError(name)
    with content, _private(target) as file:
        shutil.copyfileobj(content, file, 1 << 20)
    if target.stat().st_size != entry.size:
        raise EOFError(name)


def _key(text: str) -> bytes:
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except binascii.Error:
        key = b""
    if len(key) != crypto.KEY_BYTES:
        raise ValueError("not a key")
    return key


def _set_aside(target: Path, *, replace: bool) -> Path | None:
    """Move the present database and key into a folder of their own."""
    key = settings().data_dir / crypto.KEY_FILE
    present = [path for path in (target, key) if path.exists()]
    if not present:
        return None
    if not replace:
        raise Conflict(f"{present[0]} exists already. Give --replace to set it aside and restore the backup.")
    db.reset_engine()
    if target.exists():
        _refuse_open(target)
    aside = settings().data_dir / f"replaced-{clock.now():%Y%m%dT%H%M%S%f}"
    aside.mkdir(mode=0o700)
    for path in (*present, *(target.with_name(target.name + end) for end in ("-wal", "-shm"))):
        if path.exists():
            path.replace(aside / path.name)
    return aside


def _refuse_open(database: Path) -> None:
    """Conflict while any process has the database open: only its last user can end the write-ahead log."""
    with closing(sqlite3.connect(database, timeout=0)) as connection:
        try:
            connection.execute("PRAGMA journal_mode = DELETE")
        except sqlite3.OperationalError:
            raise Conflict(BUSY) from None
        except sqlite3.DatabaseError:
            # Damaged beyond reading: the very reason to restore. It is kept aside as it is.
            return


def _place(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with source.open("rb") as file:
        os.fsync(file.fileno())
    # Across file systems, when PORTAL_DATABASE_URL names another place, a rename is not possible.
    shutil.move(source, target)
    target.chmod(0o600)
