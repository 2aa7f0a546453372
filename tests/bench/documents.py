"""A bill's PDF and CSV, beside reading its rows by plain SQL and writing them as they are."""

import csv
import io
import os
import sqlite3
import tempfile
import time
from collections.abc import Callable
from typing import Any

from sqlmodel import Session

from portal_app import db, migrations
from portal_app.billing import bill_csv, document_reading, documents
from portal_app.models import Bill
from portal_app.settings import reset_settings
from tests import factories
from tests.bench import data
from tests.billing import factories as bills

# Lines of the bill for the PDF and for the CSV.
FEW, MANY = 30, 10_000
_FLOOR = (
    "SELECT b.number, l.account_name, s.account_email, l.description, l.starts_on, l.ends_on, l.quantity_milli, l.unit,"
    " l.unit_minor, l.amount_minor, b.currency FROM bill_line l JOIN bill b ON b.id = l.bill_id"
    " JOIN bill_share s ON s.bill_id = l.bill_id AND s.account_id = l.account_id WHERE b.id = ? ORDER BY l.position"
)
_SELLER = {"NAME": "Bench GmbH", "COUNTRY": "DE", "CITY": "Hamburg", "TAX_ID": "DE136695976"}
Figures = dict[tuple[str, int], tuple[list[float], list[float]]]  # what, lines -> floor, portal: milliseconds


def measure(number: int) -> Figures:
    """Each file so often, from the database to its bytes, floor and portal in turn."""
    with tempfile.TemporaryDirectory(prefix="bills-", dir=data.cache()) as folder:
        os.environ |= {"PORTAL_DATA_DIR": folder, "PORTAL_DATABASE_URL": ""}
        os.environ |= {f"PORTAL_SELLER_{name}": value for name, value in _SELLER.items()}
        reset_settings()
        db.reset_engine()
        migrations.upgrade()
        raw = sqlite3.connect(f"{folder}/portal.db")
        found: Figures = {}
        for what, lines, make in (
            ("PDF", FEW, documents.pdf),
            ("PDF", MANY, documents.pdf),
            ("CSV", MANY, bill_csv.csv),
        ):
            rounds = number if lines == FEW or what == "CSV" else 3
            found[what, lines] = _compare(raw, db.write(_bill, lines), make, rounds)
        raw.close()
        db.reset_engine()
    return found


def _compare(raw: sqlite3.Connection, bill: Bill, make: Callable, number: int) -> tuple[list[float], list[float]]:
    floor, portal = [], []
    for one in range(-1, number):
        plain, own = _timed(_plainly, raw, bill.id), _timed(lambda: make(db.read(document_reading.of_bill, bill)))
        if one >= 0:
            floor.append(plain)
            portal.append(own)
    return floor, portal


def _plainly(raw: sqlite3.Connection, bill_id: int | None) -> None:
    csv.writer(io.StringIO()).writerows(raw.execute(_FLOOR, (bill_id,)))


def _timed(do: Callable, *args: Any) -> float:
    begun = time.perf_counter()
    do(*args)
    return (time.perf_counter() - begun) * 1000


def _bill(session: Session, lines: int) -> Bill:
    """A consolidated bill with a line for each of so many accounts."""
    partner = factories.partner(session, currency="EUR")
    center = factories.data_center(session)
    parts = [(factories.account(session, partner, data_center_id=center.id), 900) for _ in range(lines)]
    buyer = {"company": "Bench Ltd", "city": "Paris", "country": "FR"}
    return bills.bill(session, partner, parts, tax_bp=1_900, buyer=buyer)
