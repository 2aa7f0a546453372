"""Of a bill that was received in part, only the rest is owed: in every sum, on every page, at the processor."""

from datetime import timedelta

import pytest
from sqlmodel import Session, col, select

from portal_app import clock, db
from portal_app.auth.actor import Actor
from portal_app.billing import account_bills, banners, bills, payments, settling, standing
from portal_app.billing.bill_query import BillList, BillQuery
from portal_app.models import Account, Bill, BillState
from tests import factories
from tests.billing.factories import bill
from tests.billing.payers import Browser, attempts, bill_now, taken
from tests.cast import Cast

UNPAID, HISTORY = BillQuery(BillList.UNPAID), BillQuery(BillList.HISTORY)


def subscribed(cast: Cast) -> list[Account]:
    """The accounts that may owe something."""
    return cast.accounts_a[1:]


@pytest.fixture
def owed(cast: Cast) -> Bill:
    """An overdue invoice of 100.01 over two accounts, of which 33.34 was received."""

    def make(session: Session) -> Bill:
        parts = list(zip(subscribed(cast), (3_333, 6_668), strict=True))
        made = bill(session, cast.partner_a, parts, due_on=clock.today() - timedelta(days=1))
        settling.credit(session, session.get_one(Bill, made.id), 3_334, clock.now())
        return made

    return db.write(make)


def amounts(cast: Cast) -> list[int]:
    ids = [one.id for one in subscribed(cast)]
    found = select(Account.amount_minor).where(col(Account.id).in_(ids)).order_by(col(Account.id))
    return db.read(lambda session: list(session.exec(found)))


def limited(cast: Cast, *accounts: Account) -> Actor:
    """Carol, who sees these accounts only."""

    def limit(session: Session) -> Actor:
        carol = session.merge(cast.carol)
        factories.give_accounts(session, carol, *accounts)
        return factories.actor(carol)

    return db.write(limit)


def test_lists_sums_and_banners_tell_the_rest(cast: Cast, owed: Bill) -> None:
    alice = cast.actor("alice")
    [row] = db.read(bills.list_page, alice, UNPAID).rows
    assert (row.amount_minor, row.open_minor) == (10_001, 6_667)
    assert db.read(bills.owed, alice).overdue_minor == 6_667
    [banner] = db.read(banners.banners_for, alice)
    assert "$66.67" in banner.text
    parts = amounts(cast)
    assert sum(parts) == 6_667
    for account, part in zip(subscribed(cast), parts, strict=True):
        page = db.read(account_bills.account_page, alice, account.id or 0)
        assert (page.amount_minor, page.bills[0].amount_minor - page.bills[0].settled_minor) == (part, part)


def test_who_sees_some_accounts_is_told_their_part_of_the_rest(cast: Cast, owed: Bill) -> None:
    carol = limited(cast, *subscribed(cast)[1:])
    part = amounts(cast)[1]
    [row] = db.read(bills.list_page, carol, UNPAID).rows
    assert (row.amount_minor, row.whole) == (6_668, False)
    assert db.read(bills.owed, carol).overdue_minor == part


def test_the_processor_takes_the_rest_only_and_the_bill_is_paid(cast: Cast, owed: Bill) -> None:
    url = payments.start_checkout(cast.actor("alice"), owed.id or 0)
    Browser(cast.alice).use_page(url)
    assert taken() == [6_667]
    payments.look_up(attempts(owed)[0].key)
    paid = bill_now(owed)
    assert (paid.state, paid.settled_minor) == (BillState.PAID, 10_001)
    [row] = db.read(bills.list_page, cast.actor("alice"), HISTORY).rows
    assert (row.amount_minor, row.open_minor) == (10_001, 0)
    assert amounts(cast) == [0, 0]


def test_a_second_part_counts_with_the_first(cast: Cast, owed: Bill) -> None:
    db.write(lambda session: settling.credit(session, session.get_one(Bill, owed.id), 1, clock.now()))
    assert sum(amounts(cast)) == 6_666
    db.write(lambda session: standing.refresh(session, [one.id or 0 for one in subscribed(cast)]))
    assert sum(amounts(cast)) == 6_666
