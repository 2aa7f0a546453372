"""Billing > Status: the first choice, an account's bills, the reasons of a line, and its subscription."""

import re

import pytest
from playwright.sync_api import Page, expect
from sqlmodel import Session

from portal_app import db
from portal_app.models import Account, AccountStatus, Partner
from tests.billing import factories as billing
from tests.e2e.people import ADMIN, PHONE, WIDE, Company, People, ready
from tests.e2e.test_frame import serious


def _billed(session: Session, company: Company, *accounts: int) -> int:
    partner = session.get_one(Partner, company.partner_id)
    parts = [(session.get_one(Account, account), 1_250) for account in accounts]
    return billing.bill(session, partner, parts).number


def heading(page: Page, words: str) -> None:
    expect(page.get_by_role("heading", name=words)).to_be_visible()


def test_from_the_first_choice_to_the_reason_of_a_line(people: People, company: Company) -> None:
    ids = company.add("Ash", "Birch", status=AccountStatus.MONTHLY)
    number = db.write(_billed, company, *ids)
    page = people.open(company.email)
    ready(page).get_by_role("link", name="Billing", exact=True).click()
    heading(page, "Billing > Status")
    page.get_by_role("button", name="Invoice", exact=True).click()
    expect(page.get_by_text("You are billed by invoice from now on.")).to_be_visible()
    expect(page.get_by_role("button", name="Credit Card")).to_have_count(0)
    expect(page.get_by_text("$25.00", exact=True)).to_be_visible()
    page.get_by_role("link", name="Birch").click()
    heading(page, "Birch")
    expect(page.get_by_role("row", name=re.compile(str(number)))).to_contain_text("$12.50")
    page.get_by_role("button", name="Why this line?").click()
    heading(page, "Why this line?")
    expect(page.get_by_text("$12.50, before tax")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", name="Why this line?")).to_have_count(0)


def test_the_subscription_is_capped_changed_and_canceled(people: People, company: Company) -> None:
    (account,) = company.add("Cedar", status=AccountStatus.MONTHLY)
    page = people.open(company.email, f"/billing/accounts/{account}")
    page.get_by_role("button", name="Seat Cap").click()
    page.get_by_label("Seats").fill("ten")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Give a whole number of seats")).to_be_visible()
    page.get_by_label("Seats").fill("10")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("0 of 10")).to_be_visible()
    page.get_by_role("button", name="Change to Annual").click()
    page.get_by_role("button", name="Change the plan").click()
    expect(page.get_by_text("Monthly, then Annual")).to_be_visible()
    page.get_by_role("button", name="Undo the change").click()
    page.get_by_role("button", name="Undo", exact=True).click()
    page.get_by_role("button", name="Cancel Subscription").click()
    page.get_by_role("button", name="Cancel the subscription").click()
    expect(page.get_by_text(re.compile("^The subscription ends on"))).to_be_visible()


def test_the_dashboard_leads_to_the_bills_and_tells_the_price(people: People, company: Company) -> None:
    (account,) = company.add("Date", status=AccountStatus.TRIAL_STARTED)
    page = ready(people.open(company.email))
    page.get_by_role("row", name=re.compile("Date")).get_by_role("checkbox").check()
    page.get_by_role("button", name="Subscribe").click()
    page.get_by_role("button", name="Monthly", exact=True).click()
    expect(page.get_by_text(re.compile("a month, tax included, for 1 account"))).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("row", name=re.compile("Date")).get_by_role("link", name="None").click()
    expect(page).to_have_url(re.compile(f"/billing/accounts/{account}/?$"))
    heading(page, "Date")


@pytest.mark.parametrize("window", [WIDE, PHONE], ids=["1440", "390"])
def test_no_serious_fault_and_nothing_too_wide(people: People, window: dict[str, int], company: Company) -> None:
    (account,) = company.add("Elm", status=AccountStatus.MONTHLY)
    db.write(_billed, company, account)
    for email, path, words in (
        (ADMIN, "/billing/status", "Billing > Status"),
        (company.email, f"/billing/accounts/{account}", "Elm"),
    ):
        page = people.open(email, path, viewport=window, color_scheme="light")
        heading(page, words)
        expect(page.locator(".skeleton")).to_have_count(0)
        assert serious(page) == []
        page.get_by_role("button", name="Switch light and dark").click()
        expect(page.locator("html")).to_contain_class("dark")
        assert serious(page) == []
        overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert overflow <= 0, f"{path} is {overflow} px too wide"


@pytest.mark.parametrize("window", [WIDE, PHONE], ids=["1440", "390"])
def test_the_rows_have_their_place_before_they_come(people: People, window: dict[str, int]) -> None:
    # Without scripts the page stays as it is while it waits.
    people.expect_fault(r"entry\.client.* csp")
    page = people.open(ADMIN, "/billing/status", viewport=window, java_script_enabled=False)
    box = page.locator(".skeleton-rows").bounding_box()
    assert box
    assert box["height"] > window["height"]
