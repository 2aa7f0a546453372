"""Paying in a browser: an unpaid bill over the processor's page into History; cards and details."""

from datetime import timedelta

from playwright.sync_api import Locator, Page, expect
from sqlmodel import Session

from portal_app import clock, db
from portal_app.models import Account, Partner
from tests.billing.factories import bill
from tests.e2e.people import PHONE, Company, People

GOOD, DECLINED = "4242 4242 4242 4242", "4000 0000 0000 0002"


def owes(session: Session, company: Company, account_ids: list[int]) -> int:
    """The number of an overdue bill over these accounts."""
    partner = session.get_one(Partner, company.partner_id)
    parts = [(session.get_one(Account, one), 6_900) for one in account_ids]
    late = clock.today() - timedelta(days=3)
    return bill(session, partner, parts, issued_on=late - timedelta(days=30), due_on=late).number


def rows(page: Page, name: str) -> Locator:
    return page.get_by_role("table", name=name).locator("tbody tr:not(.skeleton-row)")


def type_card(page: Page, number: str) -> None:
    page.get_by_label("Card number").fill(number)
    page.get_by_label("Expires").fill("12/40")
    page.get_by_label("Security code").fill("123")


def test_an_invoice_is_paid_on_the_processors_page_and_moves_to_history(people: People, company: Company) -> None:
    number = db.write(owes, company, company.add("Ash", "Birch"))
    # The processor's page, where the first card is declined.
    people.expect_fault("422")
    page = people.open(company.email, "/billing/unpaid")
    expect(rows(page, "Unpaid bills")).to_have_count(1)
    notice = page.get_by_role("region", name="Billing notice")
    expect(notice).to_contain_text("1 bill of $138.00 is overdue.")
    page.get_by_role("button", name="Pay Invoice").click()
    expect(page.get_by_text("$138.00").first).to_be_visible()
    type_card(page, DECLINED)
    page.get_by_role("button", name="Pay $138.00").click()
    expect(page.get_by_text("You can try another card.")).to_be_visible()
    type_card(page, GOOD)
    page.get_by_role("button", name="Pay $138.00").click()
    expect(page.get_by_role("heading", name="Payment received")).to_be_visible()
    expect(notice).to_have_count(0)
    page.get_by_role("link", name="History").click()
    expect(rows(page, "Payments").get_by_role("link", name=str(number))).to_be_visible()
    with page.expect_download() as download:
        rows(page, "Payments").get_by_role("link", name="CSV").click()
    assert str(number) in download.value.suggested_filename
    page.get_by_role("link", name="Unpaid Bills").click()
    expect(page.get_by_role("heading", name="Nothing is unpaid")).to_be_visible()


def test_a_banner_leads_from_any_page_and_the_search_finds_the_invoice(people: People, company: Company) -> None:
    number = db.write(owes, company, company.add("Elm"))
    page = people.open(company.email, "/settings/security")
    page.get_by_role("link", name="Pay now").click()
    expect(rows(page, "Unpaid bills")).to_have_count(1)
    expect(page.get_by_role("button", name="Remove filter Status: Overdue")).to_be_visible()
    page.get_by_role("searchbox", name="Search accounts").fill(str(number))
    page.get_by_role("link", name=f"{number} · Elm · $69.00").click()
    expect(page.get_by_role("searchbox", name="Search", exact=True)).to_have_value(str(number))


def test_a_page_with_a_name_in_its_address_knows_of_the_banners_to_come(people: People, company: Company) -> None:
    people.expect_fault("404")
    (account,) = company.add("Fir")
    db.write(owes, company, [account])
    page = people.open(company.email, f"/accounts/{account}")
    for path in (f"/accounts/{account}", f"/billing/accounts/{account}"):
        page.goto(path)
        expect(page.get_by_role("region", name="Billing notice")).to_contain_text("is overdue")
        assert page.locator("html").get_attribute("data-banners") == "1"
    page.goto("/accounts/nobody/knows")
    assert page.locator("html").get_attribute("data-banners") is None


def test_details_keep_what_was_typed_and_cards_come_and_go(people: People, company: Company) -> None:
    page = people.open(company.email, "/billing/payment-details")
    page.get_by_label("Country").select_option("Germany")
    page.get_by_label("Company Tax Id").fill("DE136695977")
    page.get_by_label("Email", exact=True).fill("bills@alpha.example")
    page.get_by_label("Payment Day").select_option("15")
    page.get_by_label("Attachment").check()
    page.get_by_role("button", name="Update Billing Details").click()
    expect(page.get_by_text("This is no VAT number of Germany")).to_be_visible()
    expect(page.get_by_label("Company Tax Id")).to_have_value("DE136695977")
    page.get_by_label("Company Tax Id").fill("DE 136 695 976")
    page.get_by_role("button", name="Update Billing Details").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Company Tax Id")).to_have_value("DE136695976")
    expect(page.get_by_label("Payment Day")).to_have_value("15")
    expect(page.get_by_label("Attachment")).to_be_checked()
    page.get_by_role("button", name="Add New Card").click()
    type_card(page, GOOD)
    page.get_by_role("button", name="Save card").click()
    expect(page.get_by_text("The card was added.")).to_be_visible()
    expect(rows(page, "Cards").get_by_text("Active")).to_be_visible()
    page.get_by_role("button", name="Delete Card").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_role("heading", name="No card is stored")).to_be_visible()


def test_nothing_is_wider_than_a_phone(people: People, company: Company) -> None:
    db.write(owes, company, company.add("A customer with a name of some sixty characters, to be precise"))
    page = people.open(company.email, "/billing/unpaid", viewport=PHONE)
    for path in ("unpaid", "history", "payment-details", "result?attempt=none"):
        page.goto(f"/billing/{path}")
        expect(page.get_by_role("heading", level=2).first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path
