"""Every SELECT of accounts and backups holds the actor's scope: looked at where it reaches the database.

Partners, people and accounts get numbers from ranges of their own, so that a statement's values tell what it asks for.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.engine import Connection
from sqlmodel import col

from portal_app import clock, db
from portal_app.accounts import service as accounts
from portal_app.accounts.query import AccountQuery
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.backups import repository as backups
from portal_app.backups import service as runs
from portal_app.dashboard import service as dashboard
from portal_app.errors import PortalError
from portal_app.models import Account, BackupTask
from tests.backups.conftest import engine_of
from tests.cast import Cast, make_cast
from tests.security.test_isolation import _values

FIRST = {"partner": 700_000, "portal_user": 800_000, "account": 900_000}
# How a statement of SQLite, and of PostgreSQL, names a value.
VALUE = r"(\?|%\()"
WATCHED = ("account", "backup_task", "backup_run", "account_total", "partner_day")


@pytest.fixture
def spread(database: Any) -> Cast:
    """The cast with numbers that can't be taken for one another."""
    with db.writing() as session:
        for table, number in FIRST.items():
            _start_at(session.connection(), table, number)
        if not _is_sqlite(session.connection()):
            _start_at(session.connection(), "backup_task", 1_000_000)
    made = db.write(make_cast)
    with db.writing() as session:
        if _is_sqlite(session.connection()):
            # Nothing keeps a sequence of tasks there, and rows follow their task only when the keys aren't checked.
            session.execute(text("PRAGMA defer_foreign_keys = ON"))
            session.execute(text("UPDATE backup_task SET id = id + 1000000"))
            session.execute(text("UPDATE backup_run SET task_id = task_id + 1000000"))
    return made


def _is_sqlite(connection: Connection) -> bool:
    return connection.dialect.name == "sqlite"


def _start_at(connection: Connection, table: str, number: int) -> None:
    """The next row's number: by the sequence where there is one, else by a row that stays."""
    if not _is_sqlite(connection):
        connection.execute(text("SELECT setval(pg_get_serial_sequence(:t, 'id'), :n)"), {"t": table, "n": number})
        return
    connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :table"), {"table": table})
    if table == "account":
        connection.execute(text("INSERT INTO sqlite_sequence VALUES ('account', :n)"), {"n": number})
        return
    now = clock.now().isoformat(sep=" ")
    rows = {
        "partner": "INSERT INTO partner (id, code, name, state, is_demo, currency, time_zone, default_subscription,"
        " created_at) VALUES (:n, 'FIRST', 'First', 'active', 0, 'USD', 'UTC', 'trial', :now)",
        "portal_user": "INSERT INTO portal_user (id, kind, email, email_key, name, role, permissions, all_accounts,"
        " state, created_at) VALUES (:n, 'operator', 'first@x.example', 'first@x.example', 'First', 'custom', '[]', 1,"
        " 'active', :now)",
    }
    connection.execute(text(rows[table]), {"n": number, "now": now})


@contextmanager
def statements() -> Iterator[list[tuple[str, set[Any]]]]:
    """Every SELECT that reads a watched table meanwhile, with its values."""
    seen: list[tuple[str, set[Any]]] = []

    def note(_c: Any, _cursor: Any, statement: str, values: Any, _context: Any, _many: bool) -> None:
        words = statement.replace(",", " ").replace("\n", " ").split()
        sources = {words[i + 1] for i, word in enumerate(words[:-1]) if word in ("FROM", "JOIN")}
        if statement.lstrip().startswith("SELECT") and sources & set(WATCHED):
            seen.append((statement, set(values.values() if isinstance(values, dict) else values)))

    event.listen(db.engine(), "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(db.engine(), "before_cursor_execute", note)


def unscoped(seen: list[tuple[str, set[Any]]], actor: Actor, mine: set[int]) -> list[str]:
    """Statements that are held neither by the actor's partner (and list) nor by accounts already found to be theirs."""
    return [statement for statement, values in seen if not _is_scoped(statement, values, actor, mine)]


def _is_scoped(statement: str, values: set[Any], actor: Actor, mine: set[int]) -> bool:
    asked = {value for value in values if isinstance(value, int) and value > FIRST["account"]}
    if asked and asked <= mine:
        return True
    if actor.account_id is not None:
        return actor.account_id in values and re.search(rf"\baccount\.id = {VALUE}", statement) is not None
    listed = actor.all_accounts or (actor.user_id in values and "user_account" in statement)
    return actor.partner_id in values and re.search(rf"partner_id = {VALUE}", statement) is not None and listed


def _tour(actor: Actor, ids: list[int]) -> Iterator[Callable[[], Any]]:
    since = clock.today() - timedelta(days=40)
    for sort in AccountQuery.SORTS:
        for search in ("", "a", "alpha", "beta"):
            query = AccountQuery(sort=sort, search=search, billing="due" if sort == "size" else "")
            yield lambda query=query: db.read(dashboard.table, actor, query)
            yield lambda query=query: db.read(accounts.ids_matching, actor, query)
    yield lambda: db.read(accounts.find, actor, "example")
    yield lambda: db.read(dashboard.charts, actor)
    yield lambda: db.read(backups.backups_per_day, actor, since)
    yield lambda: db.read(backups.stored_per_day, actor, since)
    for one in ids:
        yield lambda one=one: db.read(accounts.account_details, actor, one)
        yield lambda one=one: db.write(accounts.open_account, actor, one)
        yield lambda one=one: db.read(backups.tasks_of, actor, one)
        yield lambda one=one: db.read(backups.runs_of, actor, one)
        if actor.all_accounts and actor.partner_id:
            yield lambda one=one: db.write(runs.record_run, actor, runs.RunReport.read(_values(one)))
        yield lambda one=one: db.write(accounts.delete_trial, actor, one, "not its name")
    yield lambda: db.write(accounts.subscribe, actor, ids, "monthly")


@pytest.mark.parametrize("who", ["alice", "bob", "dave", "mallory", "engine"])
def test_every_select_is_scoped(spread: Cast, who: str) -> None:
    everybodys = [account.id for account in (*spread.accounts_a, *spread.accounts_b)]
    actor = engine_of(spread.partner_a.id) if who == "engine" else spread.actor(who)
    actor = replace(actor, permissions=frozenset(Permission))
    mine = _ids_of(spread, who)
    ran = 0
    for call in _tour(actor, everybodys):
        with statements() as seen, suppress(PortalError):
            call()
        assert unscoped(seen, actor, mine | _tasks_of(mine)) == []
        ran += len(seen)
    assert ran > 100


def _tasks_of(accounts_of: set[int]) -> set[int]:
    with db.reading() as session:
        return set(session.scalars(select(col(BackupTask.id)).where(col(BackupTask.account_id).in_(accounts_of))))


def _ids_of(cast: Cast, who: str) -> set[int]:
    if who in ("bob", "dave"):
        return {cast.bobs_account.id}
    return {account.id for account in (cast.accounts_b if who == "mallory" else cast.accounts_a)}


@pytest.mark.parametrize(
    "careless",
    [
        select(Account),
        select(Account).where(col(Account.status) == "monthly"),
        select(Account.id).where(col(Account.id) == 900_005),
        text("SELECT count(*) FROM backup_run"),
        text("SELECT r.id FROM backup_run r JOIN account a ON a.id = r.account_id WHERE a.status = 'annual'"),
    ],
)
@pytest.mark.parametrize("who", ["alice", "bob", "dave"])
def test_a_select_without_the_scope_is_found(spread: Cast, careless: Any, who: str) -> None:
    with statements() as seen, db.reading() as session:
        session.execute(careless).all()
    assert len(unscoped(seen, spread.actor(who), _ids_of(spread, who))) == 1


def test_the_partner_alone_is_not_scope_enough_for_a_limited_user(spread: Cast) -> None:
    with statements() as seen, db.reading() as session:
        session.execute(select(Account).where(col(Account.partner_id) == spread.partner_a.id)).all()
    assert unscoped(seen, spread.actor("alice"), set()) == []
    assert len(unscoped(seen, spread.actor("bob"), {spread.bobs_account.id})) == 1
