"""A year, day by day, through `cycle --on`: bills, pages, documents, mail and the processor's books agree to the cent.

TEST_YEARS is how many years are lived, each with other people (one unless told).
"""

import os
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from portal_app import clock
from portal_app.settings import reset_settings
from tests.billing import agreement
from tests.billing.agreement import Books
from tests.billing.processor import Processor, running
from tests.billing.test_documents import SELLER
from tests.billing.year import FIRST, Year, days

YEARS = int(os.environ.get("TEST_YEARS", "1"))


@pytest.fixture
def processor(database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Processor]:
    told = {f"PORTAL_SELLER_{name}": value for name, value in (SELLER | {"TAX_NOTE": "Exempt: outside"}).items()}
    with running(tmp_path / "processor", FIRST) as (processor, environment):
        for name, value in (environment | told).items():
            monkeypatch.setenv(name, value)
        reset_settings()
        yield processor


@pytest.mark.parametrize("seed", range(1, YEARS + 1))
def test_everything_agrees_for_a_year(processor: Processor, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    year = Year(processor, seed)
    monkeypatch.setattr(clock, "now", year.tick)
    year.begin()
    by_the_rules: set[str] = set()
    since, told, documented = year.now - timedelta(days=1), Counter[str](), set[int]()
    for on in days():
        year.day(on)
        if (on + timedelta(days=1)).day == 1:
            books = _agree(year, since, told)
            new = [bill for bill in books.bills if bill.number not in documented]
            agreement.check_documents(books, new, by_the_rules=by_the_rules)
            documented |= {bill.number for bill in new}
            since = year.now
    _has_everything(Books(), year, told)
    assert agreement.check_reminders(Books(), year.companies, year.today) >= 10


def _agree(year: Year, since: datetime, told: Counter[str]) -> Books:
    books = Books()
    agreement.check_rows(books)
    agreement.check_processor(books, year.processor.ledger())
    for company in year.companies:
        agreement.check_pages(books, company)
        agreement.check_operator(books, year.olga, company)
    told += agreement.check_mails(books, year.companies, since)
    return books


def _has_everything(books: Books, year: Year, told: Counter[str]) -> None:
    """The year is worth its test: all that may happen has happened."""
    seen: dict[str, Any] = {
        "bills": {(bill.kind, bill.plan) for bill in books.bills},
        "states": {bill.state for bill in books.bills},
        "money": {one.kind for each in books.payments.values() for one in each},
        "attempts": {(one.kind, one.state) for one in books.attempts},
    }
    assert {("consolidated", "monthly"), ("account", "monthly"), ("account", "annual")} < seen["bills"]
    assert {"credit_note"} < {kind for kind, _ in seen["bills"]}
    assert seen["states"] == {"open", "paid", "credited"}
    assert seen["money"] == {"card", "paypal", "bank", "credit", "refund"}
    wanted = {("charge", "succeeded"), ("charge", "declined"), ("checkout", "succeeded"), ("checkout", "canceled")}
    assert wanted | {("refund", "succeeded")} <= seen["attempts"]
    assert {"bill", "receipt", "card refused", "reminder", "card expires"} <= told.keys()
    assert year.as_foretold > 30
