"""Backup and restore: the database, the encryption key and the files that the database tells of, in one private file.

Vaults are not in it: they are storage, as large as all customers' data, and are kept safe like other storages.
"""

import base64
import binascii
import io
import json
import os
import re
import shutil
import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import inspect
from sqlalchemy.engine import make_url
from sqlmodel import Session, select

from portal_app import clock, crypto, db, locks, migrations, pg_tools
from portal_app.errors import Conflict, Invalid
from portal_app.files import service as files
from portal_app.models import StoredFile
from portal_app.settings import settings

# 1: a SQLite database and the key. 2: files too, and PostgreSQL.
FORMAT = 2
ABOUT = "about.json"
DATABASE = "portal.db"
DUMP = "portal.pgdump"
FILES = "files"
BUSY = "Another process has the database open. Stop the portal and its commands first."
_SESSIONS = ("login_session", "login_ticket")
_FILE = re.compile(r"files/[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Opened:
    """What a backup holds, taken out: the name of its database there, and whether the files are in it, too."""

    database: str
    has_files: bool


def backup(target: Path) -> None:
    """Write a consistent copy of the running portal's data to a new tar file of mode 0600.

    Raises Invalid (no database, a damaged one, no such folder, no pg_dump) and Conflict when the file exists.
    """
    if target.exists():
        raise Conflict(f"{target} exists already; nothing was overwritten.")
    if not target.parent.is_dir():
        raise Invalid(f"There is no folder {target.parent}.")
    with _draft_folder() as folder:
        name = DATABASE if _is_sqlite() else DUMP
        # The database first: each file that it tells of was whole before its row. One that was pruned since had ended.
        kept = _copy(folder / name)
        _write(target, folder / name, kept)


def restore(source: Path, *, replace: bool = False) -> Path | None:
    """Put a backup in the place of the present data, and bring it to the newest shape.

    Nothing changes unless the backup is sound. With `replace`, what was there is kept in the folder that is
    returned. Everybody has to sign in again. Raises Invalid for a file that can't be used, Conflict when there is a
    database already or a process has it open.
    """
    with locks.alone(), _draft_folder() as folder:
        opened = _unpack(source, folder)
        if opened.database == DATABASE:
            _end_sessions(folder / DATABASE)
        aside = _set_aside(replace=replace, with_files=opened.has_files)
        # The key first: a start between the two would otherwise make a new one, which opens nothing.
        _place(folder / crypto.KEY_FILE, settings().data_dir / crypto.KEY_FILE)
        _place_files(folder / FILES)
        if opened.database == DUMP:
            pg_tools.restore(folder / DUMP)
            db.write(_end_sessions_there)
        else:
            _place(folder / DATABASE, _sqlite_file())
        migrations.upgrade()
    return aside


def holds_other_key() -> bool:
    """Whether PORTAL_ENCRYPTION_KEY differs from the key file, so that restored secrets can't be opened."""
    file = settings().data_dir / crypto.KEY_FILE
    given = settings().encryption_key.get_secret_value().strip()
    return bool(given) and file.exists() and _key(given) != _key(file.read_text("ascii"))


def _is_sqlite() -> bool:
    return make_url(settings().sqlalchemy_url).get_backend_name() == "sqlite"


def _sqlite_file() -> Path:
    return Path(make_url(settings().sqlalchemy_url).database or "")


@contextmanager
def _draft_folder() -> Iterator[Path]:
    """A private folder beside the data, gone afterwards."""
    settings().data_dir.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".archive-", dir=settings().data_dir) as name:
        yield Path(name)


def _copy(target: Path) -> list[str]:
    """Copy the database, and give the names of the files that the copy tells of."""
    if not _is_sqlite():
        # Before the dump, which then may tell of more: their files are taken along too.
        pg_tools.dump(target)
        return db.read(_paths)
    source = _sqlite_file()
    if not source.exists():
        raise Invalid(f"There is no database at {source} yet.")
    with closing(sqlite3.connect(source)) as reading, closing(sqlite3.connect(target)) as writing:
        try:
            reading.backup(writing)
            # One file that is whole by itself, without a write-ahead log beside it.
            writing.execute("PRAGMA journal_mode = DELETE")
        except sqlite3.DatabaseError:
            raise Invalid(f"The database {source} is damaged. Restore an earlier backup.") from None
    _check(target)
    with closing(sqlite3.connect(target)) as copy:
        return [path for (path,) in copy.execute("SELECT path FROM stored_file")]


def _paths(session: Session) -> list[str]:
    return list(session.exec(select(StoredFile.path)))


def _check(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection:
        try:
            found = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
            tables = connection.execute("SELECT count(*) FROM alembic_version").fetchone()[0]
        except sqlite3.DatabaseError:
            found, tables = "no database", 0
    if found != "ok" or not tables:
        raise Invalid("The database is damaged; nothing was changed.")


def _check_known(found: set[str]) -> None:
    """Refuse what a newer version of the portal has written."""
    known = migrations.known().keys()
    if not found <= known:
        raise Invalid("The backup was made by a newer version of the portal. Install that version first.")


def _shapes(database: Path) -> set[str]:
    with closing(sqlite3.connect(database)) as connection:
        return {row[0] for row in connection.execute("SELECT version_num FROM alembic_version")}


def _end_sessions(database: Path) -> None:
    # A session that was ended after the backup must not live again.
    with closing(sqlite3.connect(database)) as connection, connection:
        for table in _SESSIONS:
            connection.execute(f"DELETE FROM {table}")  # noqa: S608 (our own two names)


def _end_sessions_there(session: Session) -> None:
    for table in _SESSIONS:
        session.connection().exec_driver_sql(f"DELETE FROM {table}")  # noqa: S608 (our own two names)


def _write(target: Path, database: Path, kept: list[str]) -> None:
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with _private(draft) as file, tarfile.open(fileobj=file, mode="w") as tar:
            _add(tar, ABOUT, json.dumps(_about()).encode())
            _add(tar, crypto.KEY_FILE, base64.b64encode(crypto.current_key()) + b"\n")
            _add_file(tar, database.name, database)
            for path in kept:
                _add_file(tar, f"{FILES}/{path}", files.folder() / path)
        # The name is taken first, so that a rename can't replace what somebody else wrote meanwhile.
        _private(target).close()
        draft.replace(target)
    except FileExistsError:
        raise Conflict(f"{target} exists already; nothing was overwritten.") from None
    finally:
        draft.unlink(missing_ok=True)


def _about() -> dict[str, object]:
    shapes = [] if _is_sqlite() else sorted(_shapes_there())
    return {"format": FORMAT, "made_at": clock.now().isoformat(), "shapes": shapes}


def _shapes_there() -> set[str]:
    """Of the PostgreSQL database; none when it is empty."""
    with db.engine().connect() as connection:
        return migrations.revisions_of(connection)


def _private(path: Path) -> io.BufferedWriter:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    tar.addfile(_entry(name, len(content)), io.BytesIO(content))


def _add_file(tar: tarfile.TarFile, name: str, source: Path) -> None:
    # One that has ended may go while we look.
    try:
        content = source.open("rb")
    except FileNotFoundError:
        return
    with content:
        tar.addfile(_entry(name, os.fstat(content.fileno()).st_size), content)


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = size, 0o600, int(clock.now().timestamp())
    return entry


def _unpack(source: Path, folder: Path) -> Opened:
    """Take what a backup holds out of it by name, and nothing else; Invalid unless all of it is sound."""
    try:
        with tarfile.open(source, mode="r:") as tar:
            names = tar.getnames()
            database = DUMP if DUMP in names else DATABASE
            (folder / FILES).mkdir()
            for name in (ABOUT, crypto.KEY_FILE, database, *filter(_FILE.fullmatch, names)):
                _extract(tar, name, folder / name)
        about = json.loads((folder / ABOUT).read_bytes())
        _key((folder / crypto.KEY_FILE).read_text("ascii"))
    except (tarfile.TarError, KeyError, EOFError, ValueError):
        raise Invalid(f"{source} is not a whole backup of the portal; nothing was changed.") from None
    except OSError as fault:
        raise Invalid(f"{source} can't be read: {fault.strerror}.") from None
    if not isinstance(about, dict) or about.get("format") not in range(1, FORMAT + 1):
        raise Invalid("The backup was made by a newer version of the portal. Install that version first.")
    _check_database(folder / database, about)
    return Opened(database, about["format"] > 1)


def _check_database(database: Path, about: dict[str, object]) -> None:
    is_dump = database.name == DUMP
    if is_dump == _is_sqlite():
        kinds = ("PostgreSQL", "SQLite") if is_dump else ("SQLite", "PostgreSQL")
        raise Invalid("The backup is of {}, and this deployment keeps its data in {}.".format(*kinds))
    if is_dump:
        pg_tools.check(database)
        shapes = {str(shape) for shape in about.get("shapes", ())}  # type: ignore[attr-defined]
        _check_known(shapes)
        if _shapes_there() - shapes:
            raise Invalid("The database is of another version than the backup: restore into an empty database.")
    else:
        _check(database)
        _check_known(_shapes(database))


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


def _set_aside(*, replace: bool, with_files: bool) -> Path | None:
    """Keep the present database, key and files in a folder of their own."""
    key = settings().data_dir / crypto.KEY_FILE
    present = [*_present_database(), *([key] if key.exists() else [])]
    if not present:
        return None
    if not replace:
        raise Conflict(f"{present[0]} exists already. Give --replace to set it aside and restore the backup.")
    db.reset_engine()
    if _is_sqlite() and _sqlite_file().exists():
        _refuse_open(_sqlite_file())
    aside = settings().data_dir / f"replaced-{clock.now():%Y%m%dT%H%M%S%f}"
    aside.mkdir(mode=0o700)
    if not _is_sqlite():
        pg_tools.dump(aside / DUMP)
    for path in (*_sqlite_files(), key, *([files.folder()] if with_files else [])):
        if path.exists():
            path.replace(aside / path.name)
    return aside


def _present_database() -> list[Path | str]:
    if _is_sqlite():
        return [_sqlite_file()] if _sqlite_file().exists() else []
    with db.engine().connect() as connection:
        return ["A database with tables"] if inspect(connection).get_table_names() else []


def _sqlite_files() -> list[Path]:
    if not _is_sqlite():
        return []
    file = _sqlite_file()
    return [file, *(file.with_name(file.name + end) for end in ("-wal", "-shm"))]


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


def _place_files(source: Path) -> None:
    target = files.folder()
    target.mkdir(parents=True, exist_ok=True, mode=0o700)
    for file in source.iterdir():
        _place(file, target / file.name)


def _place(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with source.open("rb") as file:
        os.fsync(file.fileno())
    # Across file systems, when PORTAL_DATABASE_URL names another place, a rename is not possible.
    shutil.move(source, target)
    target.chmod(0o600)
