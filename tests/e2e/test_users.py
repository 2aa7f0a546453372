"""A colleague is added with chosen accounts, accepts the invitation, signs in and sees only those."""

import re

from playwright.sync_api import Page, expect

from portal_app.users import service
from tests import factories
from tests.e2e.people import Company, People, ready
from tests.users.people import LENA, by_email, link_of

NEW = "a rather odd phrase 7"


def pick(page: Page, group: str, *labels: str) -> None:
    for label in labels:
        page.get_by_role("group", name=group).get_by_label(label).check()


def test_add_a_user_with_chosen_accounts_who_sees_only_those(people: People, company: Company) -> None:
    company.add(*(f"Customer {number:02}" for number in range(30)))
    page = people.open(company.email, "/settings/users")
    page.get_by_role("link", name="+ Add new user").click()
    expect(page.get_by_role("heading", name="Add new user")).to_be_visible()
    tab = page.get_by_role("navigation", name="Settings").get_by_role("link", name="User Management")
    expect(tab).to_have_attribute("aria-current", "true")
    page.get_by_label("Email", exact=True).fill("nora@people.example")
    page.get_by_label("Name", exact=True).fill("Nora")
    access = page.get_by_label("Access accounts")
    expect(access).to_be_disabled()
    pick(page, "Partner Portal Operations", "View dashboard")
    expect(access).to_be_enabled()
    pick(page, "Account Operations", "Access accounts")
    page.get_by_label("Chosen accounts").check()
    expect(page.get_by_text("0 of 30 accounts chosen")).to_be_visible()
    page.get_by_label("Customer 03").check()
    page.get_by_role("button", name="Next").click()
    page.get_by_label("Customer 28").check()
    expect(page.get_by_text("2 of 30 accounts chosen")).to_be_visible()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("nora@people.example was added")).to_be_visible()
    row = page.get_by_role("row", name=re.compile("nora@people.example"))
    expect(row).to_contain_text("Invited")
    row.get_by_role("button", name="More actions").click()
    first = link_of("nora@people.example")
    page.get_by_role("button", name="Resend Email Confirmation").click()
    expect(page.get_by_text("A new invitation is on its way")).to_be_visible()

    guest = people.open(path=f"/invitation?token={first}")
    expect(guest.get_by_role("heading", name="This invitation can't be used")).to_be_visible()
    guest.goto(f"/invitation?token={link_of('nora@people.example')}")
    expect(guest).to_have_url(re.compile(r"/invitation/?$"))
    guest.get_by_label("Password", exact=True).fill(NEW)
    guest.get_by_label("Retype password").fill(NEW)
    guest.get_by_role("button", name="Set password").click()
    guest.get_by_role("link", name="Go to the sign-in page").click()
    guest.get_by_label("Email", exact=True).fill("nora@people.example")
    guest.get_by_label("Password", exact=True).fill(NEW)
    guest.get_by_role("button", name="Sign in", exact=True).click()
    expect(ready(guest).get_by_role("heading", name="2 of 2 Total Accounts")).to_be_visible()
    expect(guest.get_by_role("row", name=re.compile("Customer 03"))).to_be_visible()


def test_the_row_menu_by_keyboard(people: People, company: Company) -> None:
    service.add(factories.actor(by_email(company.email)), LENA)
    page = people.open(company.email, "/settings/users")
    opener = page.get_by_role("button", name="More actions for Lena@People.example")
    opener.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Delete", exact=True).and_(page.locator(":focus"))).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Delete this user?")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", name="Delete this user?")).to_be_hidden()
    expect(page.get_by_role("row", name=re.compile("Lena@People.example"))).to_be_visible()
