"""Open pages of Billing while the world goes on: a bill is made, somebody else pays, a late answer comes."""

from playwright.sync_api import Page, expect
from sqlmodel import Session, col, select

from portal_app import clock, db
from portal_app.billing import ledger, orders, settling
from portal_app.billing.gateways.port import Answer, Outcome
from portal_app.models import AccountStatus, AttemptKind, Bill, BillingProfile, Partner, PaymentKind
from tests import factories
from tests.billing import factories as billing
from tests.e2e.people import Company, People
from tests.e2e.test_billing import owes, rows

SAME = "window.stillTheSamePage"


def kept(page: Page) -> Page:
    """The page, marked: what it shows later came without a reload."""
    page.evaluate(f"{SAME} = true")
    return page


def begin(session: Session, number: int) -> str:
    """A customer leaves for the processor's page; the attempt's key."""
    bill = session.exec(select(Bill).where(Bill.number == number)).one()
    rest = orders.rest_of(bill)
    return orders.begin(session, bill, AttemptKind.CHECKOUT, rest, via="sandbox", now=clock.now()).key


def pay(session: Session, number: int) -> None:
    """Somebody pays it elsewhere."""
    settling.settle(
        session, begin(session, number), Answer(Outcome.TAKEN, kind=PaymentKind.CARD, reference="elsewhere")
    )


def bills_today(session: Session, company: Company) -> None:
    """The cycle reaches the partner's payment day."""
    partner, today = session.get_one(Partner, company.partner_id), clock.today()
    billing.book(session, of=partner, monthly_minimum_minor=4_321)
    factories.save(session, BillingProfile(partner_id=company.partner_id, method="invoice", payment_day=today.day))
    ledger.advance(session, company.partner_id, today)


def test_a_cycle_that_ran_and_a_payment_elsewhere_show_on_status_and_the_account(
    people: People, company: Company
) -> None:
    (account,) = company.add("Ash", status=AccountStatus.MONTHLY)
    status = people.open(company.email, "/billing/status")
    due = status.get_by_role("definition").first
    expect(due).to_have_text("$0.00")
    own = people.open(company.email, f"/billing/accounts/{account}")
    expect(own.get_by_role("heading", name="No bill yet")).to_be_visible()
    forecast = own.get_by_text("Next Payment Forecast").locator("xpath=following-sibling::dd")
    expect(forecast).to_contain_text("on")
    expect(forecast).not_to_contain_text("$43.21")
    kept(status), kept(own)
    db.write(bills_today, company)
    expect(rows(status, "Accounts")).to_contain_text("Due")
    expect(due).not_to_have_text("$0.00")
    expect(rows(own, "Bills")).to_have_count(1)
    expect(forecast).to_contain_text("$43.21 on")
    notice = own.get_by_role("region", name="Billing notice")
    expect(notice).to_contain_text("is due on")
    number = db.read(_only_bill, company)
    db.write(pay, number)
    expect(rows(status, "Accounts")).to_contain_text("Current")
    expect(rows(own, "Bills")).to_contain_text("Paid")
    expect(notice).to_have_count(0)
    assert status.evaluate(SAME) and own.evaluate(SAME)


def _only_bill(session: Session, company: Company) -> int:
    return session.exec(select(Bill.number).where(col(Bill.partner_id) == company.partner_id)).one()


def test_what_somebody_else_paid_moves_from_unpaid_to_history(people: People, company: Company) -> None:
    number = db.write(owes, company, company.add("Birch"))
    unpaid, history = (people.open(company.email, f"/billing/{path}") for path in ("unpaid", "history"))
    expect(rows(unpaid, "Unpaid bills")).to_have_count(1)
    expect(history.get_by_role("heading", name="0 of 0 bills")).to_be_visible()
    kept(unpaid), kept(history)
    db.write(pay, number)
    expect(unpaid.get_by_role("heading", name="Nothing is unpaid")).to_be_visible()
    expect(rows(history, "Payments").get_by_role("link", name=str(number))).to_be_visible()
    assert unpaid.evaluate(SAME) and history.evaluate(SAME)


def test_a_page_that_waits_for_the_outcome_shows_it_when_it_comes(people: People, company: Company) -> None:
    number = db.write(owes, company, company.add("Cedar"))
    key = db.write(begin, number)
    page = people.open(company.email, f"/billing/result?attempt={key}")
    waiting = page.get_by_role("heading", name="The payment isn't confirmed yet")
    expect(waiting).to_be_visible()
    page.reload()
    expect(waiting).to_be_visible()
    kept(page)
    db.write(settling.settle, key, Answer(Outcome.TAKEN, reference="late"))
    expect(page.get_by_role("heading", name="Payment received")).to_be_visible()
    expect(page.get_by_role("region", name="Billing notice")).to_have_count(0)
    assert page.evaluate(SAME)
    page.reload()
    expect(page.get_by_role("heading", name="Payment received")).to_be_visible()
