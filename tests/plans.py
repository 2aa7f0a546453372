"""How the database would answer what the portal asks it: by which indexes, what it reads whole, what it sorts."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Connection

from portal_app import db

Statement = tuple[str, Any]


@dataclass(frozen=True)
class Plan:
    """The steps of one statement."""

    text: str
    indexes: frozenset[str]
    # Tables of which every row is read.
    scanned: frozenset[str]
    sorted: bool


@contextmanager
def asked() -> Iterator[list[Statement]]:
    """Every SELECT that is sent to the database meanwhile, with its values."""
    seen: list[Statement] = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        if statement.startswith(("SELECT", "WITH")):
            seen.append((statement, values))

    event.listen(db.engine(), "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(db.engine(), "before_cursor_execute", note)


def plans_of(do: Callable[..., Any], *given: Any, about: str, few: bool = True) -> list[Plan]:
    """The plans of what `do` asks of this table."""
    with asked() as statements:
        db.read(do, *given)
    return [plan(one, few=few) for one in statements if re.search(rf"\b(FROM|JOIN) {about}\b", one[0])]


def plan(statement: Statement, *, few: bool = False) -> Plan:
    """What the database would do. `few`: there are only a few rows, of which PostgreSQL would rather read all: it may
    not where any index serves."""
    with db.reading() as session:
        connection = session.connection()
        if connection.dialect.name == "sqlite":
            return _of_sqlite(connection, statement)
        for node in ("seqscan", "sort") if few else ():
            connection.exec_driver_sql(f"SET LOCAL enable_{node} = off")
        return _of_postgresql(connection, statement)


def of_pages(statements: list[Statement], table: str) -> list[Plan]:
    """The plans of what asks for this table's rows, and in SQLite for their number, too: PostgreSQL counts much by
    reading all of it, which is the fastest way."""
    counted = db.engine().dialect.name == "sqlite"
    return [plan(one) for one in statements if f"FROM {table}" in one[0] and (counted or "ORDER BY" in one[0])]


def learn() -> None:
    """Have PostgreSQL look at its new rows now rather than in a minute: it plans with what it found."""
    if db.engine().dialect.name == "postgresql":
        with db.engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")


def _of_sqlite(connection: Connection, statement: Statement) -> Plan:
    rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement[0]}", statement[1])
    steps = [row[3] for row in rows]
    indexes = re.findall(r"USING (?:COVERING )?INDEX (\w+)|(account_search) VIRTUAL TABLE INDEX", "; ".join(steps))
    scanned = [found[1] for step in steps if (found := re.match(r"SCAN (\w+)(?!.*(INDEX|CONSTANT|SUBQUERY))", step))]
    return Plan(
        "; ".join(steps),
        frozenset(name for pair in indexes for name in pair if name),
        frozenset(scanned),
        any("TEMP B-TREE" in step for step in steps),
    )


def _of_postgresql(connection: Connection, statement: Statement) -> Plan:
    (found,) = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement[0]}", statement[1]).one()
    nodes = list(_nodes((json.loads(found) if isinstance(found, str) else found)[0]["Plan"]))
    return Plan(
        json.dumps(found),
        frozenset(node["Index Name"] for node in nodes if "Index Name" in node),
        frozenset(node["Relation Name"] for node in nodes if node["Node Type"] == "Seq Scan"),
        any(node["Node Type"] in ("Sort", "Incremental Sort") for node in nodes),
    )


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for below in node.get("Plans", []):
        yield from _nodes(below)
