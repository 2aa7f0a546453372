"""Brings the database to the newest shape, once, however many processes start at the same time."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text
from sqlalchemy.engine import Connection

from alembic import command
from portal_app.db import engine
from portal_app.settings import settings

# Any number, as long as nothing else in the database uses it.
LOCK_NUMBER = 7305918846
ROOT = Path(__file__).resolve().parent.parent


def upgrade(target: Engine | None = None) -> None:
    """Run the missing migrations under a lock; the whole upgrade is one transaction."""
    with (target or engine()).connect() as connection, _lock(connection):
        if not is_current(connection):
            _upgrade(connection)


def is_current(connection: Connection) -> bool:
    """Whether the database has the newest shape."""
    found = MigrationContext.configure(connection).get_current_heads()
    connection.rollback()
    return set(found) == set(ScriptDirectory.from_config(_config()).get_heads())


def _upgrade(connection: Connection) -> None:
    config = _config()
    config.attributes["connection"] = connection
    if connection.dialect.name == "sqlite":
        # A batch change re-creates its table: with the checks on, that would delete the children.
        _foreign_keys(connection, "OFF")
    command.upgrade(config, "head")
    connection.commit()
    if connection.dialect.name == "sqlite":
        _foreign_keys(connection, "ON")


def _foreign_keys(connection: Connection, state: str) -> None:
    cursor = connection.connection.cursor()
    cursor.execute(f"PRAGMA foreign_keys = {state}")
    cursor.close()


def _config() -> Config:
    config = Config(toml_file=ROOT / "pyproject.toml")
    config.set_main_option("script_location", str(ROOT / "alembic"))
    return config


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
