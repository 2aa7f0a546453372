"""A list's page, as its service reads it, against its own statements sent raw in one moment."""

import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import event

from portal_app import db
from portal_app.auth.actor import Actor, ActorKind
from portal_app.auth.permissions import Permission
from portal_app.models import User
from portal_app.settings import reset_settings
from tests.bench import data

Times = dict[str, list[float]]  # "page" or "raw" -> milliseconds


def compare(read: Callable[[], Any], number: int) -> Times:
    """Page and raw in turn, so often."""
    statements = _statements(read)
    raw = sqlite3.connect(db.engine().url.database or "")
    for pragma in ("cache_size = -65536", "mmap_size = 1073741824"):
        raw.execute(f"PRAGMA {pragma}")
    times: Times = {"page": [], "raw": []}
    for one in range(-3, number):
        page, plain = timed(read), timed(_run, raw, statements)
        if one >= 0:
            times["page"].append(page)
            times["raw"].append(plain)
    raw.close()
    return times


def timed(do: Callable[..., Any], *args: Any) -> float:
    """Milliseconds."""
    begun = time.perf_counter()
    do(*args)
    return (time.perf_counter() - begun) * 1000


def administrator() -> Actor:
    """Of the benchmark partner."""

    def read(session: Any) -> Actor:
        user = session.query(User).filter(User.email == data.EMAIL).one()
        return Actor(
            kind=ActorKind.PARTNER,
            user_id=user.id,
            partner_id=user.partner_id,
            email=user.email,
            permissions=frozenset(Permission),
            all_accounts=True,
            time_zone="Europe/Paris",
        )

    return db.read(read)


def use(folder: Path) -> None:
    """Read the database of this folder from now on."""
    os.environ |= {"PORTAL_DATA_DIR": str(folder), "PORTAL_DATABASE_URL": ""}
    reset_settings()
    db.reset_engine()


def _run(raw: sqlite3.Connection, statements: list[tuple[str, Any]]) -> None:
    # Of one moment, as the page is.
    raw.execute("BEGIN")
    for statement, values in statements:
        raw.execute(statement, values).fetchall()
    raw.execute("ROLLBACK")


def _statements(read: Callable[[], Any]) -> list[tuple[str, Any]]:
    seen: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        seen.append((statement, values))

    event.listen(db.engine(), "before_cursor_execute", note)
    read()
    event.remove(db.engine(), "before_cursor_execute", note)
    return [one for one in seen if one[0].lstrip().startswith(("SELECT", "WITH"))]
