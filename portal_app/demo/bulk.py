"""Fills the account table fast in SQLite: without triggers and indexes meanwhile, with the same result."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text
from sqlmodel import Session

from portal_app import db

# Below this, building everything anew would take longer than the triggers do.
WORTH_IT = 10_000

_TOTALS = """
INSERT INTO account_total (partner_id, status, backup_status, billing_status, accounts, amount_minor, size_bytes)
SELECT partner_id, status, backup_status, billing_status, count(*), sum(amount_minor), sum(size_bytes)
FROM account GROUP BY partner_id, status, backup_status, billing_status
"""
_CHANGED = """
INSERT INTO partner_change (partner_id, number) SELECT DISTINCT partner_id, 1 FROM account WHERE true
ON CONFLICT (partner_id) DO UPDATE SET number = partner_change.number + 1
"""


@contextmanager
def filling(session: Session, number: int) -> Iterator[None]:
    """Around the insertion of `number` accounts. All inside the caller's transaction: a crash leaves nothing of it.

    PostgreSQL and small numbers keep their triggers: nothing happens here.
    """
    if session.get_bind().dialect.name != "sqlite" or number < WORTH_IT:
        yield
        return
    dropped = _drop(session)
    yield
    for statement in (
        "DELETE FROM account_total",
        _TOTALS,
        _CHANGED,
        "INSERT INTO account_search (account_search) VALUES ('rebuild')",
        *dropped,
    ):
        session.connection().exec_driver_sql(statement)


def _drop(session: Session) -> list[str]:
    """Drop what each row would have to keep up to date. Returns the statements that make it again."""
    connection = session.connection()
    found = connection.exec_driver_sql(
        "SELECT type, name, sql FROM sqlite_master"
        " WHERE tbl_name = 'account' AND type IN ('index', 'trigger') AND sql IS NOT NULL ORDER BY type, name"
    ).all()
    for kind, name, _ in found:
        connection.exec_driver_sql(f'DROP {kind} "{name}"')
    return [sql for _, _, sql in found]


def analyze(session: Session) -> None:
    """Let the database count its rows anew, for its choice of indexes."""
    session.execute(text("ANALYZE"))


def checkpoint() -> None:
    """Move the write-ahead log into the database file: after a million rows it is as large as the file."""
    if db.engine().dialect.name != "sqlite":
        return
    with db.engine().connect() as connection:
        connection.exec_driver_sql("ROLLBACK")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.exec_driver_sql("BEGIN")
