"""IP Restrictions: an administrator at the office, a colleague at home."""

import re

import pytest
from playwright.sync_api import Page, expect
from sqlmodel import Session

from portal_app import db
from portal_app.auth import cookies
from portal_app.models import Partner
from tests import factories
from tests.e2e.people import Company, People, ready, sign_in

PAGE = "/settings/ip-restrictions"
OFFICE, HOME = "203.0.113.9", "198.51.100.23"


def at(address: str) -> dict[str, dict[str, str]]:
    return {"extra_http_headers": {"X-Forwarded-For": address}}


@pytest.fixture
def colleague(company: Company) -> str:
    def add(session: Session) -> str:
        return str(factories.user(session, session.get(Partner, company.partner_id)).email)

    return db.write(add)


def the_switch(page: Page) -> object:
    return expect(page.get_by_role("switch", name="Trusted IP Addresses"))


def save(page: Page, description: str, addresses: str = "", first: str = "", last: str = "") -> None:
    page.get_by_label("Description").fill(description)
    page.get_by_label("Trusted IP Address(es)").fill(addresses)
    page.get_by_label("From", exact=True).fill(first)
    page.get_by_label("To", exact=True).fill(last)
    page.get_by_role("button", name="Save").click()


def add(page: Page, *typed: str) -> None:
    page.get_by_role("button", name="+ Add IP Address").click()
    save(page, *typed)


def is_denied(page: Page, address: str) -> None:
    expect(page.get_by_role("heading", name="Access denied")).to_be_visible()
    expect(page.get_by_text(address)).to_be_visible()


def test_the_first_address_shuts_others_out_and_never_oneself(people: People, company: Company, colleague: str) -> None:
    company.add("Customer One")
    page = people.open(company.email, PAGE, **at(OFFICE))
    away = ready(people.open(colleague, "/", **at(HOME)))
    expect(page.get_by_text(f"Your IP Address: {OFFICE}").first).to_be_visible()
    the_switch(page).not_to_be_checked()

    add(page, "Office", "203.0.113.900")
    expect(page.get_by_text("“203.0.113.900” is not an address")).to_be_visible()
    save(page, "Main Office", f"{OFFICE}, 203.0.113.10")
    the_switch(page).to_be_checked()
    expect(page.get_by_role("cell", name=f"{OFFICE}, 203.0.113.10")).to_be_visible()

    # The colleague's open page: at its next event, or by itself.
    is_denied(away, HOME)
    assert "Customer One" not in away.content()
    forged = people.open(colleague, "/", **at(f"{OFFICE}, {HOME}"))
    is_denied(forged, HOME)

    page.get_by_role("button", name="Delete Main Office").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_role("alert").filter(has_text="you would lock yourself out")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Edit Main Office").click()
    save(page, "Main Office", "", HOME, "198.51.100.99")
    expect(page.get_by_role("alert").filter(has_text="you would lock yourself out")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()

    add(page, "Homes", "", HOME, "198.51.100.99")
    expect(page.get_by_role("cell", name="198.51.100.23 - 198.51.100.99")).to_be_visible()
    away.get_by_role("link", name="Try again").click()
    ready(away)
    page.reload()
    the_switch(page).to_be_checked()
    page.get_by_role("button", name="Delete Homes").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_role("row", name=re.compile("Homes"))).to_have_count(0)
    is_denied(away, HOME)


def test_signing_in_from_elsewhere_ends_at_the_same_page(people: People, company: Company, colleague: str) -> None:
    page = people.open(company.email, PAGE, **at(OFFICE))
    add(page, "", "203.0.113.0/24")
    the_switch(page).to_be_checked()
    away = people.open(path="/login", **at(HOME))
    sign_in(away, colleague, factories.PASSWORD)
    is_denied(away, HOME)
    assert [cookie["name"] for cookie in away.context.cookies()] == [cookies.MARK]
    page.get_by_role("switch", name="Trusted IP Addresses").click()
    the_switch(page).not_to_be_checked()
    away.goto("/login")
    sign_in(away, colleague, factories.PASSWORD)
    expect(away.get_by_role("heading", name="No accounts yet")).to_be_visible()
