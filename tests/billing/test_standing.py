"""What an account owes comes from its bills alone."""

from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from typing import Any

import pytest
from sqlmodel import Session, select

from portal_app import clock, db
from portal_app.billing import standing
from portal_app.models import Account, Bill
from tests import factories
from tests.billing.factories import bill

NOW = datetime(2026, 3, 10, 3, tzinfo=UTC)
TODAY = NOW.date()
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _now(store: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)


def made(session: Session, *bills: dict[str, Any], zone: str = "UTC", status: str = "monthly") -> int:
    """An account with these bills of 500 each."""
    of = factories.partner(session, time_zone=zone)
    account = factories.account(session, of, status=status)
    for given in bills:
        bill(session, of, [(account, 500)], **given)
    standing.refresh(session, [account.id])
    return account.id


def standing_of(account_id: int) -> tuple[str, int]:
    with db.reading() as session:
        account = session.get_one(Account, account_id)
        return account.billing_status, account.amount_minor


PAID = {"state": "paid", "settled_minor": 500}


@pytest.mark.parametrize(
    ("bills", "expected"),
    [
        ([], ("none", 0)),
        ([PAID], ("current", 0)),
        ([{"state": "credited", "settled_minor": 500}], ("current", 0)),
        ([{}], ("due", 500)),
        ([{"due_on": TODAY}], ("due", 500)),
        ([{"due_on": TODAY - DAY}], ("overdue", 500)),
        ([{"charge_refused": True}], ("overdue", 500)),
        ([PAID | {"charge_refused": True, "due_on": TODAY - DAY}], ("current", 0)),
        ([{}, {"due_on": TODAY - DAY}, PAID], ("overdue", 1000)),
        ([{"settled_minor": 300}], ("due", 200)),
        ([{"settled_minor": 300}, {"settled_minor": 1, "due_on": TODAY - DAY}, {}], ("overdue", 1_199)),
    ],
)
def test_a_standing_is_the_worst_of_the_open_bills(bills: list[dict[str, Any]], expected: tuple[str, int]) -> None:
    assert standing_of(db.write(made, *bills)) == expected


def test_a_trial_owes_nothing() -> None:
    assert standing_of(db.write(made, {}, status="trial_expired")) == ("none", 0)


def test_a_due_date_passes_with_the_partners_own_day() -> None:
    # In UTC it is the 10th, in New York still the 9th.
    due = {"due_on": TODAY - DAY}
    assert standing_of(db.write(made, due, zone="America/New_York"))[0] == "due"
    assert standing_of(db.write(made, due, zone="Asia/Tokyo"))[0] == "overdue"


def test_two_bills_settled_at_once_leave_nothing_owed() -> None:
    account_id = db.write(made, {}, {})
    first_is_in, second_waits = Event(), Event()

    def settle(bill_id: int) -> None:
        with db.writing() as session:
            paid = session.get_one(Bill, bill_id)
            paid.state, paid.settled_minor = "paid", paid.total_minor
            session.flush()
            standing.refresh_bill(session, bill_id)
            first_is_in.set()
            second_waits.wait(0.3)

    with db.reading() as session:
        ids = [one.id for one in session.exec(select(Bill))]
    threads = [Thread(target=settle, args=(one,)) for one in ids]
    threads[0].start()
    first_is_in.wait(20)
    threads[1].start()
    for thread in threads:
        thread.join(20)
    assert standing_of(account_id) == ("current", 0)
