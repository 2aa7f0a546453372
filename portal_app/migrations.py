"""Brings the database to the newest shape, once, however many processes start at the same time.

Whether it has that shape is seen without Alembic, which takes ten megabytes: most starts change nothing.
"""

import fcntl
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine, inspect, text
from sqlalchemy.engine import Connection

from portal_app.db import engine
from portal_app.later import Later
from portal_app.settings import settings

if TYPE_CHECKING:
    from alembic import command, config
else:
    command, config = Later("alembic.command"), Later("alembic.config")

# Any number, as long as nothing else in the database uses it.
LOCK_NUMBER = 7305918846
ROOT = Path(__file__).resolve().parent.parent
_NAMES = re.compile(r'^(down_revision|revision) = "(\w+)"$', re.MULTILINE)


def upgrade(target: Engine | None = None) -> None:
    """Run the missing migrations under a lock; the whole upgrade is one transaction."""
    with (target or engine()).connect() as connection, _lock(connection):
        if not is_current(connection):
            _upgrade(connection)


def is_current(connection: Connection) -> bool:
    """Whether the database has the newest shape."""
    return revisions_of(connection) == newest()


def revisions_of(connection: Connection) -> set[str]:
    """The last migrations of the database; none where it is empty."""
    begun = inspect(connection).has_table("alembic_version")
    found = set(connection.scalars(text("SELECT version_num FROM alembic_version"))) if begun else set[str]()
    connection.rollback()
    return found


@cache
def known() -> dict[str, str]:
    """Each migration of this version of the portal with the one before it; empty before the first."""
    files = (dict(_NAMES.findall(file.read_text())) for file in (ROOT / "alembic" / "versions").glob("*.py"))
    return {names["revision"]: names.get("down_revision", "") for names in files}


def newest() -> set[str]:
    """The migrations that none comes after."""
    return known().keys() - known().values()


def _upgrade(connection: Connection) -> None:
    asked = _config()
    asked.attributes["connection"] = connection
    if connection.dialect.name == "sqlite":
        # A batch change re-creates its table: with the checks on, that would delete the children.
        _foreign_keys(connection, "OFF")
    command.upgrade(asked, "head")
    connection.commit()
    if connection.dialect.name == "sqlite":
        _foreign_keys(connection, "ON")


def _foreign_keys(connection: Connection, state: str) -> None:
    cursor = connection.connection.cursor()
    cursor.execute(f"PRAGMA foreign_keys = {state}")
    cursor.close()


def _config() -> "config.Config":
    made = config.Config(toml_file=ROOT / "pyproject.toml")
    made.set_main_option("script_location", str(ROOT / "alembic"))
    return made


@contextmanager
def _lock(connection: Connection) -> Iterator[None]:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_lock(:number)"), {"number": LOCK_NUMBER})
        connection.commit()
        try:
            yield
        finally:
            connection.rollback()
            connection.execute(text("SELECT pg_advisory_unlock(:number)"), {"number": LOCK_NUMBER})
            connection.commit()
        return
    settings().data_dir.mkdir(parents=True, exist_ok=True)
    with (settings().data_dir / "migrate.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
