"""What the database holds, whichever it is."""

from pathlib import Path

from sqlalchemy import inspect, text
from sqlalchemy.engine import Connection

from portal_app import db

Contents = dict[str, list[tuple]]
# Written by looking, not by acting.
_MOVES_BY_ITSELF = {("login_session", "used_at")}


def contents() -> Contents:
    """Every row of every table, but for SQLite's index of words."""
    with db.reading() as session:
        connection = session.connection()
        return {table: rows(connection, table) for table in tables(connection)}


def tables(connection: Connection) -> list[str]:
    """The tables' names."""
    return [name for name in inspect(connection).get_table_names() if not name.startswith("account_search_")]


def rows(connection: Connection, table: str) -> list[tuple]:
    """Every row of a table in any order that stays."""
    found = connection.execute(text(f"SELECT * FROM {table}"))  # noqa: S608
    kept = [number for number, name in enumerate(found.keys()) if (table, name) not in _MOVES_BY_ITSELF]
    return sorted((tuple(row[number] for number in kept) for row in found), key=repr)


def stored() -> bytes:
    """All that lies at rest: SQLite's files, or every value that PostgreSQL keeps."""
    place = db.engine().url.database
    if db.engine().dialect.name == "sqlite" and place:
        return b"".join(file.read_bytes() for file in Path(place).parent.glob(f"{Path(place).name}*"))
    return repr(contents()).encode()
