"""A cycle that bills 10,000 accounts, beside writing the same rows by plain SQL into the same empty tables."""

import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlmodel import Session

from portal_app import clock, db, migrations
from portal_app.jobs import cycle
from portal_app.models import BackupTask, BillingProfile
from portal_app.settings import reset_settings
from tests import factories
from tests.bench import data
from tests.billing.factories import PRICES, book

PARTNERS, ACCOUNTS = 20, 10_000
_WRITTEN = ("bill", "bill_line", "bill_share", "billed_period", "subscription")
_STANDING = "UPDATE account SET billing_status = ?, amount_minor = ? WHERE id = ?"


def measure(number: int) -> tuple[list[float], list[float], int]:
    """Seconds of the plain SQL and of the cycle, so often, and how many rows each wrote."""
    floor, portal, rows = [], [], 0
    with tempfile.TemporaryDirectory(prefix="cycle-", dir=data.cache()) as name:
        folder = Path(name)
        os.environ |= {"PORTAL_DATA_DIR": name, "PORTAL_DATABASE_URL": ""}
        _use(folder / "portal.db")
        migrations.upgrade()
        db.write(_fill)
        db.reset_engine()
        shutil.copy(folder / "portal.db", folder / "kept.db")
        for _ in range(number):
            _begin(folder)
            begun = time.perf_counter()
            done = cycle.run_cycle()
            portal.append(time.perf_counter() - begun)
            assert done.counts.billed == ACCOUNTS, done.sentence
            written = _rows(folder / "portal.db")
            rows = sum(map(len, written.values())) + ACCOUNTS
            _begin(folder)
            floor.append(_plainly(folder / "portal.db", written))
        db.reset_engine()
    return floor, portal, rows


def _use(path: Path) -> None:
    reset_settings()
    db.reset_engine()
    for left in path.parent.glob("portal.db-*"):
        left.unlink()


def _begin(folder: Path) -> None:
    _use(folder / "portal.db")
    shutil.copy(folder / "kept.db", folder / "portal.db")


def _rows(path: Path) -> dict[str, Sequence[tuple[Any, ...]]]:
    with sqlite3.connect(path) as raw:
        found = {table: raw.execute(f"SELECT * FROM {table}").fetchall() for table in _WRITTEN}  # noqa: S608
        found["standing"] = raw.execute("SELECT billing_status, amount_minor, id FROM account").fetchall()
    raw.close()
    return found


def _plainly(path: Path, written: dict[str, Sequence[tuple[Any, ...]]]) -> float:
    raw = sqlite3.connect(path)
    for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON"):
        raw.execute(f"PRAGMA {pragma}")
    begun = time.perf_counter()
    for table in _WRITTEN:
        places = ",".join("?" * len(written[table][0]))
        raw.executemany(f"INSERT INTO {table} VALUES ({places})", written[table])  # noqa: S608
    raw.executemany(_STANDING, written["standing"])
    raw.commit()
    took = time.perf_counter() - begun
    raw.close()
    return took


def _fill(session: Session) -> None:
    """Partners whose payment day is today, with accounts of two services each that no bill covers yet."""
    now = clock.now()
    book(session)
    place = factories.data_center(session)
    for _ in range(PARTNERS):
        partner = factories.partner(session)
        session.add(BillingProfile(partner_id=partner.id or 0, payment_day=now.day, method="invoice"))
        at = now - timedelta(minutes=1)
        for _ in range(ACCOUNTS // PARTNERS):
            account = factories.account(session, partner, status="monthly", data_center_id=place.id, created_at=at)
            used = {"account_id": account.id, "billed_entities": 12, "size_bytes": 10**11, "created_at": at}
            session.add_all(BackupTask(key=service, name=service, service=service, **used) for service in PRICES)
    session.flush()
