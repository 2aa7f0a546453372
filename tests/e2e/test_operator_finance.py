"""An operator keeps prices, records a transfer, credits a bill, and changes how a partner is billed."""

import os
import re
from datetime import timedelta
from pathlib import Path

from playwright.sync_api import Page, expect
from sqlmodel import select

from portal_app import clock, db
from portal_app.models import Account, Bill, Partner
from tests.billing import factories
from tests.e2e.people import OPERATOR, PHONE, Company, People

# Where somebody who wants to see the pages has them drawn.
PICTURES = os.environ.get("PICTURES", "")


def draw(people: People, name: str, path: str) -> None:
    if not PICTURES:
        return
    for scheme in ("light", "dark"):
        for width, size in (("wide", None), ("phone", PHONE)):
            given = {"viewport": size} if size else {}
            page = people.open(OPERATOR, path, color_scheme=scheme, **given)
            expect(page.get_by_role("navigation", name="Operator console")).to_be_visible()
            expect(page.locator("[aria-busy=true]")).to_have_count(0)
            page.screenshot(path=Path(PICTURES) / f"{name}-{width}-{scheme}.png", full_page=True)
            page.close()


def bill_of(company: Company, *amounts: int) -> Bill:
    def make(session):
        partner = session.get_one(Partner, company.partner_id)
        accounts = session.exec(select(Account).where(Account.partner_id == partner.id)).all()
        for account in accounts:
            factories.subscription(session, account, covered_until=clock.today() + timedelta(days=9))
        return factories.bill(session, partner, list(zip(accounts, amounts, strict=True)), tax_bp=2_000)

    return db.write(make)


def code_of(company: Company) -> str:
    return db.read(lambda session: session.get_one(Partner, company.partner_id).code)


def fill(page: Page, **values: str) -> None:
    for label, value in values.items():
        page.get_by_label(label.replace("_", " "), exact=True).fill(value)


def test_a_bill_is_paid_by_transfer_and_credited(people: People, company: Company) -> None:
    company.add("Ash", "Birch")
    code = code_of(company)
    bill = bill_of(company, 1_000, 2_000)
    page = people.open(OPERATOR, f"/operator?search={code}")
    page.get_by_role("link", name=code).click()
    page.get_by_role("navigation", name="Partner", exact=True).get_by_role("link", name="Billing").click()
    expect(page.get_by_role("heading", name="1 bill", exact=True)).to_be_visible()
    draw(people, "partner", f"/operator/partners/{code}/billing")
    row = page.get_by_role("row", name=re.compile("Birch"))
    row.get_by_role("button", name="Bill apart").click()
    expect(row).to_contain_text("Apart")
    page.get_by_role("button", name="Bill by Credit Card").click()
    page.get_by_role("button", name="Change billing method").click()
    expect(page.get_by_text("is billed by Credit Card from its next bill on")).to_be_visible()
    page.get_by_role("switch", name="Annual subscriptions").click()
    expect(page.get_by_role("switch", name="Annual subscriptions")).to_have_attribute("aria-checked", "true")
    page.get_by_role("link", name=str(bill.number)).click()
    page.get_by_role("link", name="Record receipt").click()
    expect(page.get_by_label("Reference Number", exact=True)).to_have_value(str(bill.number))
    fill(page, Amount="99")
    page.get_by_role("button", name="Record receipt").click()
    expect(page.get_by_text("of this bill is open.")).to_be_visible()
    expect(page.get_by_label("Amount", exact=True)).to_have_value("99")
    fill(page, Amount="36")
    page.get_by_role("button", name="Record receipt").click()
    expect(page.get_by_text("It is paid.")).to_be_visible()
    draw(people, "receipts", "/operator/receipts")
    page.get_by_role("link", name=str(bill.number)).click()
    page.get_by_role("button", name="Credit note").click()
    fill(page, Amount_with_tax="6.00")
    page.get_by_role("button", name="Make credit note").click()
    expect(page.get_by_text("Say why, for the document")).to_be_visible()
    fill(page, Reason="One seat too many")
    page.get_by_role("button", name="Make credit note").click()
    expect(page.get_by_text("was paid beyond what is left of this bill")).to_be_visible()
    draw(people, "bill", f"/operator/bills/{bill.number}")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download PDF").click()
    assert download.value.suggested_filename.endswith(f"{bill.number}.pdf")
    assert download.value.path().read_bytes().startswith(b"%PDF")
    page.get_by_role("button", name="Give back").click()
    page.get_by_role("dialog").get_by_role("button", name="Give back").click()
    expect(page.get_by_text("given back by bank transfer")).to_be_visible()
    expect(page.get_by_role("cell", name="Given back")).to_be_visible()


def test_a_price_book_is_filled_from_a_csv(people: People, company: Company, tmp_path: Path) -> None:
    code = code_of(company)
    page = people.open(OPERATOR, "/operator/prices")
    draw(people, "prices", "/operator/prices")
    draw(people, "new-prices", "/operator/prices/new")
    page.get_by_role("link", name="+ Add price book").click()
    fill(page, Name="Own prices", Partner_ID=code)
    page.get_by_label("Currency").select_option("USD")
    file = tmp_path / "prices.csv"
    file.write_text("Service,Price for,Above,Price\nIMAP,unit,0,2.50\nIMAP,unit,100,2.20\nS3,GB,0,x\n")
    page.get_by_label("CSV file").set_input_files(file)
    expect(page.get_by_label("Rows of the CSV")).to_have_value(re.compile("IMAP"))
    page.get_by_role("button", name="Fill in", exact=True).click()
    expect(page.get_by_text("Row 4:")).to_be_visible()
    page.get_by_label("Rows of the CSV").fill(file.read_text().replace(",x", ",0.12"))
    page.get_by_role("button", name="Fill in", exact=True).click()
    expect(page.get_by_text("2 services were filled in")).to_be_visible()
    expect(page.get_by_label("IMAP", exact=True)).to_have_value("2.50; 100: 2.20")
    page.get_by_label("Box", exact=True).fill("1.005")
    page.get_by_role("button", name="Add price book").click()
    expect(page.get_by_text("USD has 2 digits after the point")).to_be_visible()
    expect(page.get_by_label("Name", exact=True)).to_have_value("Own prices")
    page.get_by_label("Box", exact=True).fill("")
    page.get_by_role("button", name="Add price book").click()
    expect(page.get_by_text("The price book was added.")).to_be_visible()
    page.get_by_role("row", name=re.compile(code)).get_by_role("link").click()
    expect(page.get_by_role("cell", name="2.50; 100: 2.20")).to_be_visible()
    draw(people, "book", re.sub(r"https?://[^/]+", "", page.url))
    with page.expect_download() as download:
        page.get_by_role("button", name="Download CSV").click()
    assert "IMAP,unit,100,2.20" in Path(download.value.path()).read_text()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("was deleted")).to_be_visible()


def test_the_daily_work_is_run_again(people: People) -> None:
    page = people.open(OPERATOR, "/operator/cycles")
    page.get_by_role("button", name="Run again").click()
    expect(page.get_by_role("row", name=re.compile("Done")).first).to_be_visible()
    draw(people, "runs", "/operator/cycles")


def test_what_was_billed_stands_beside_what_is_there(people: People, company: Company) -> None:
    company.add("Ash", status="monthly")
    bill_of(company, 1_000)
    code = code_of(company)
    page = people.open(OPERATOR, "/operator/reconciliation")
    page.get_by_label("Partner", exact=True).select_option(code)
    expect(page).to_have_url(re.compile(code))
    everything = page.get_by_role("link", name="Show all services")
    expect(everything).to_have_attribute("href", re.compile(code))
    everything.click()
    expect(page.get_by_role("row", name=re.compile("Ash"))).to_contain_text("Agrees")
    expect(page.get_by_text("no billed account has a gap")).to_be_visible()
    draw(people, "reconcile", f"/operator/reconciliation?partner={code}&rows=all")
