"""The link of a bill's mail: a file for who is signed in, the sign-in and then the bill for who is not."""

from pathlib import Path

from playwright.sync_api import expect
from sqlmodel import col, select

from portal_app import db
from portal_app.models import Bill, BillState, Partner
from tests.e2e.people import BILLING, People, sign_in


def _number() -> int:
    """An open bill of the demo's partner."""
    mine = select(Bill.number).join(Partner).where(Partner.code == "DDEVR001", Bill.state == BillState.OPEN)
    with db.reading() as session:
        return session.exec(mine.where(col(Bill.total_minor) > 0)).first() or 0


def test_the_link_leads_through_the_sign_in_to_the_bill(people: People) -> None:
    number = _number()
    page = people.open(path=f"/billing/bills/{number}.pdf")
    sign_in(page, BILLING)
    page.wait_for_url(f"**/billing/unpaid?search={number}")
    bill = page.get_by_role("link", name=str(number)).first
    expect(bill).to_be_visible()
    with page.expect_download() as taken:
        page.evaluate("address => { location.href = address }", f"/billing/bills/{number}.pdf")
    assert taken.value.suggested_filename == f"invoice-{number}.pdf"
    assert Path(taken.value.path()).read_bytes().startswith(b"%PDF")
    # The page stays.
    expect(bill).to_be_visible()
