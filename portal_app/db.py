"""The database: one engine, and the unit of work that is the only place that commits."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import anyio.to_thread
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, ExceptionContext, make_url
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from portal_app import hints
from portal_app.errors import NotFound
from portal_app.settings import settings
from portal_app.view import View

P = ParamSpec("P")
R = TypeVar("R")

BUSY_SECONDS = 10
NUMBER_OUT_OF_RANGE = "22003"
MOST_CONNECTIONS = 80
_INSERTS = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
_threads = threading.local()


@cache
def engine() -> Engine:
    """The engine of this process."""
    return make_engine(settings().sqlalchemy_url)


def make_engine(url: str) -> Engine:
    """An engine for the address; statements' values are never shown in errors or logs."""
    if make_url(url).get_backend_name() == "sqlite":
        Path(make_url(url).database or ".").parent.mkdir(parents=True, exist_ok=True)
        made = create_engine(url, hide_parameters=True, pool_size=20, max_overflow=20)
        event.listen(made, "connect", _prepare_sqlite)
        event.listen(made, "begin", _begin_sqlite)
        return made
    # The server takes a hundred connections unless it is told otherwise: all processes of a machine stay below.
    kept = max(3, MOST_CONNECTIONS // (settings().processes + 1) // 2)
    made = create_engine(url, hide_parameters=True, pool_size=kept, max_overflow=kept, pool_pre_ping=True)
    event.listen(made, "handle_error", _no_such_number)
    return made


def reset_engine() -> None:
    """Forget the engine (tests, and commands that change the settings)."""
    if engine.cache_info().currsize:
        engine().dispose()
    engine.cache_clear()


def _no_such_number(context: ExceptionContext) -> None:
    # PostgreSQL fails at a number that its column can't hold, even to look for it; in SQLite there is just no such row.
    if getattr(context.original_exception, "sqlstate", "") == NUMBER_OUT_OF_RANGE:
        raise NotFound("There is nothing of that number.") from None


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    # The driver's own transactions start too late for BEGIN IMMEDIATE: they are ours to begin.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout = {BUSY_SECONDS * 1000}",
        "journal_mode = WAL",
        "synchronous = NORMAL",
        "foreign_keys = ON",
        "cache_size = -65536",
        "mmap_size = 1073741824",
        "temp_store = MEMORY",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    driver: Any = connection.connection
    if driver.in_transaction:
        # Of a view, which began it with its first question.
        return
    # A transaction that reads first and writes later can't wait for the lock in SQLite: writers ask for it at once.
    if getattr(_threads, "reading", False):
        # It waits for nobody and can't fail: straight to the driver, in a tenth of the time.
        driver.cursor().execute("BEGIN")
    else:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


@contextmanager
def writing() -> Iterator[Session]:
    """One unit of work: committed when the block ends, rolled back when it raises."""
    with Session(engine(), expire_on_commit=False) as session:
        yield session
        session.commit()
    hints.written()


@contextmanager
def reading() -> Iterator[Session]:
    """A consistent view of the database that writes nothing and waits for no writer."""
    _threads.reading = True
    try:
        with View(_of_a_moment(engine())) as session:
            yield session
    finally:
        _threads.reading = False


@lru_cache(8)
def _of_a_moment(target: Engine) -> Engine:
    """The same engine; a transaction of it sees the database as of its first question, as SQLite's do anyway."""
    if target.dialect.name == "sqlite":
        return target
    return target.execution_options(isolation_level="REPEATABLE READ")


def is_reading(session: Session) -> bool:
    """Whether the session sees committed rows only."""
    return "reading" in session.info


def write(do: Callable[..., R], *args: Any, **kwargs: Any) -> R:
    """`do(session, …)` as one unit of work, in this thread."""
    with writing() as session:
        return do(session, *args, **kwargs)


def read(do: Callable[..., R], *args: Any, **kwargs: Any) -> R:
    """`do(session, …)` over a consistent view, in this thread."""
    with reading() as session:
        return do(session, *args, **kwargs)


async def work(do: Callable[..., R], *args: Any, **kwargs: Any) -> R:
    """`write` in a thread: the event loop serves others meanwhile."""
    return await anyio.to_thread.run_sync(lambda: write(do, *args, **kwargs))


async def look(do: Callable[..., R], *args: Any, **kwargs: Any) -> R:
    """`read` in a thread: the event loop serves others meanwhile."""
    return await anyio.to_thread.run_sync(lambda: read(do, *args, **kwargs))


async def glance(do: Callable[..., R], *args: Any, **kwargs: Any) -> R:
    """`read` of a few rows by their keys. SQLite answers sooner than a thread could be woken to ask it."""
    if engine().dialect.name == "sqlite":
        return read(do, *args, **kwargs)
    return await look(do, *args, **kwargs)


def insert(session: Session, model: Any) -> Any:
    """An INSERT of the model's table that knows `on_conflict_do_nothing` and `on_conflict_do_update`."""
    return _INSERTS[session.get_bind().dialect.name](model)


def is_alive() -> bool:
    """Whether the database answers."""
    try:
        with engine().connect() as connection:
            connection.exec_driver_sql("SELECT 1")
    except OperationalError:
        return False
    return True
