"""What a test looks at to see that nothing was changed or kept."""

import sqlite3
from contextlib import closing
from pathlib import Path

# Written by looking, not by acting.
_MOVES_BY_ITSELF = {("login_session", "used_at")}


def contents(database: Path) -> dict[str, list[tuple]]:
    """Every row of every table."""
    with closing(sqlite3.connect(database)) as connection:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {table: _rows(connection, table) for table in tables if not table.startswith("account_search_")}


def _rows(connection: sqlite3.Connection, table: str) -> list[tuple]:
    columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
    kept = [f'"{name}"' for name in columns if (table, name) not in _MOVES_BY_ITSELF]
    return sorted(connection.execute(f"SELECT {', '.join(kept)} FROM {table}"), key=repr)  # noqa: S608


def holds(folder: Path, secret: str) -> list[str]:
    """Names of the files under the folder whose bytes hold the secret."""
    return [file.name for file in folder.rglob("*") if file.is_file() and secret.encode() in file.read_bytes()]
