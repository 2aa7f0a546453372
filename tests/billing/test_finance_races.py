"""Two operators at once: money is counted once, a number is given once, in both databases."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlmodel import col, select

from portal_app import clock, db
from portal_app.billing import credits, finance, receipts
from portal_app.billing.credits import CreditForm
from portal_app.billing.receipts import ReceiptForm
from portal_app.errors import PortalError
from portal_app.models import Bill, BillState
from tests.billing import factories
from tests.cast import Cast, make_cast

AT_ONCE = 4


@pytest.fixture
def cast(store) -> Cast:
    return db.write(make_cast)


@pytest.fixture
def bill(cast: Cast) -> Bill:
    parts = [(cast.accounts_a[1], 1_000), (cast.accounts_a[2], 2_000)]
    return db.write(factories.bill, cast.partner_a, parts, tax_bp=2_000)


def at_once(do, *args) -> int:
    """How many of the same calls went through."""

    def one(_number: int) -> bool:
        try:
            db.write(do, *args)
        except PortalError:
            return False
        return True

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return sum(pool.map(one, range(AT_ONCE)))


def test_a_transfer_recorded_by_several_is_counted_once(cast: Cast, bill: Bill) -> None:
    form = ReceiptForm(str(bill.number), "36", str(clock.today()))
    assert at_once(receipts.record_receipt, cast.actor("olga"), form) == 1
    found = db.read(finance.details, cast.actor("olga"), bill.number)
    assert (found.state, found.settled_minor, len(found.payments)) == (BillState.PAID, 3_600, 1)


def test_credit_notes_at_once_never_exceed_the_bill(cast: Cast, bill: Bill) -> None:
    assert at_once(credits.credit, cast.actor("olga"), bill.number, CreditForm("15", "Too many")) == 2
    notes = db.read(lambda s: s.exec(select(Bill).where(Bill.credits_id == bill.id).order_by(col(Bill.number))).all())
    assert [one.number for one in notes] == [1, 2]
    found = db.read(finance.details, cast.actor("olga"), bill.number)
    assert (found.settled_minor, found.creditable_minor, found.back_minor) == (3_000, 600, 0)
    assert db.read(finance.bills, cast.actor("olga"), "ALPHA001", (1, 25))[1] == 3
