"""A customer's own users, the account's settings and its end, as partner and customer meet them."""

import re
from typing import Any

from playwright.sync_api import Page, expect

from portal_app import db
from portal_app.models import Account
from tests import factories
from tests.e2e.people import CUSTOMER, PHONE, Company, People, ready
from tests.security.test_no_price import money_in
from tests.users.people import link_of

NEW = "a rather odd phrase 7"
GUEST = "nora@customers-of-ours.example"


def tabs(page: Page) -> Any:
    return page.get_by_role("navigation", name="Account")


def invited(people: People, page: Page, account_id: int) -> None:
    """The administrator adds Nora, who may restore, and Nora chooses a password."""
    page.get_by_role("button", name="+ Add new user").click()
    form = page.get_by_role("dialog", name="Add new user")
    form.get_by_role("button", name="Save").click()
    expect(form.get_by_label("Email")).to_have_attribute("aria-invalid", "true")
    form.get_by_label("Email").fill(GUEST)
    form.get_by_label("Name").fill("Nora")
    expect(form.get_by_label("Access accounts")).to_be_disabled()
    expect(form.get_by_label("Remove accounts")).to_have_count(0)
    form.get_by_label("Restore data").check()
    form.get_by_role("button", name="Save").click()
    expect(page.get_by_text(f"{GUEST} was added")).to_be_visible()
    row = page.get_by_role("row", name=re.compile(GUEST))
    expect(row).to_contain_text("Invited")
    expect(row).to_contain_text("Restore data")
    row.get_by_role("button", name="More actions").click()
    page.get_by_role("button", name="Resend Email Confirmation").click()
    expect(page.get_by_text("A new invitation is on its way")).to_be_visible()
    guest = people.open(path=f"/invitation?token={link_of(GUEST)}")
    guest.get_by_label("Password", exact=True).fill(NEW)
    guest.get_by_label("Retype password").fill(NEW)
    guest.get_by_role("button", name="Set password").click()
    expect(guest.get_by_role("link", name="Go to the sign-in page")).to_be_visible()


def test_a_customers_user_is_added_and_gets_what_is_ticked_at_once(people: People, company: Company) -> None:
    (account_id,) = company.add("Helped & Co")
    page = people.open(company.email, f"/accounts/{account_id}")
    tabs(page).get_by_role("link", name="User Management").click()
    expect(page.get_by_role("heading", name="User Management")).to_be_visible()
    expect(page.get_by_text("Nobody at the customer has access")).to_be_visible()
    invited(people, page, account_id)

    guest = people.open(GUEST)
    expect(guest).to_have_url(re.compile(rf"/accounts/{account_id}/?$"))
    expect(guest.get_by_role("heading", name="Helped & Co", level=1)).to_be_visible()
    expect(tabs(guest).get_by_role("link", name="Overview")).to_be_visible()
    expect(tabs(guest).get_by_role("link", name="User Management")).to_have_count(0)

    page.reload()
    page.get_by_role("button", name=f"Edit {GUEST}").click()
    page.get_by_role("dialog", name="Edit user").get_by_label("Manage customer users").check()
    page.get_by_role("dialog", name="Edit user").get_by_role("button", name="Save").click()
    expect(page.get_by_text(f"{GUEST} was saved")).to_be_visible()
    guest.goto(f"/accounts/{account_id}/users")
    expect(guest.get_by_role("row", name=re.compile(GUEST))).to_be_visible()
    expect(guest.get_by_role("button", name="More actions")).to_have_count(0)
    guest.get_by_role("button", name=f"Edit {GUEST}").click()
    own = guest.get_by_role("dialog", name="Edit user")
    expect(own.get_by_label("Restore data")).to_be_disabled()
    own.get_by_role("button", name="Cancel").click()

    # Taken away again: the next click in the open tab hears of it.
    page.get_by_role("button", name=f"Edit {GUEST}").click()
    page.get_by_role("dialog", name="Edit user").get_by_label("Manage customer users").uncheck()
    page.get_by_role("dialog", name="Edit user").get_by_role("button", name="Save").click()
    expect(page.get_by_role("row", name=re.compile(GUEST))).not_to_contain_text("Manage customer users")
    guest.get_by_role("button", name="+ Add new user").click()
    expect(guest.get_by_text("You may not manage a customer's users.")).to_be_visible()


def test_two_editors_of_an_accounts_settings_hear_of_each_other(people: People, company: Company) -> None:
    (account_id,) = company.add("Renamed & Co")
    one, other = (people.open(company.email, f"/accounts/{account_id}/settings") for _ in range(2))
    for page in (one, other):
        expect(page.get_by_role("heading", name="Settings", level=2)).to_be_visible()
        expect(page.get_by_label("Partner ID")).to_have_attribute("readonly", "")
    one.get_by_label("Name", exact=True).fill("Renamed & Sons")
    one.get_by_role("button", name="Save").click()
    expect(one.get_by_text("Saved.")).to_be_visible()
    expect(one.get_by_role("heading", name="Renamed & Sons", level=1)).to_be_visible()
    other.get_by_label("Email").fill("late@customers-of-ours.example")
    other.get_by_role("button", name="Save").click()
    expect(other.get_by_text("Somebody changed this account meanwhile")).to_be_visible()
    expect(other.get_by_label("Email")).to_have_value("late@customers-of-ours.example")
    other.get_by_role("button", name="Load again, without my changes").click()
    expect(other.get_by_label("Name", exact=True)).to_have_value("Renamed & Sons")


def test_an_account_is_removed_after_its_name_was_typed(people: People, company: Company) -> None:
    (account_id,) = company.add("Leaving & Co")
    email = db.write(lambda session: factories.user(session, kind="customer", account_id=account_id).email)
    guest = people.open(email, f"/accounts/{account_id}")
    expect(guest.get_by_role("heading", name="Leaving & Co", level=1)).to_be_visible()
    page = people.open(company.email, f"/accounts/{account_id}/settings")
    remove = page.get_by_role("button", name="Remove Account")
    expect(remove).to_be_disabled()
    page.get_by_label("I approve the removal of my data").check()
    expect(remove).to_be_enabled()
    remove.click()
    dialog = page.get_by_role("alertdialog")
    expect(dialog.get_by_role("button", name="Remove for good")).to_be_disabled()
    dialog.get_by_label("Account name").fill("Leaving & Co")
    dialog.get_by_role("button", name="Remove for good").click()
    expect(page).to_have_url(re.compile(rf"/accounts/{account_id}/removed/?$"))
    for _ in range(2):
        expect(page.get_by_role("heading", name="Account removed")).to_be_visible()
        expect(page.get_by_role("main").get_by_text("0 objects left")).to_be_visible()
        page.reload()
    assert db.read(lambda session: session.get(Account, account_id)) is None
    page.get_by_role("main").get_by_role("link", name="Dashboard").click()
    expect(ready(page).get_by_role("link", name="Leaving & Co")).to_have_count(0)
    guest.goto(f"/accounts/{account_id}")
    expect(guest).to_have_url(re.compile("/login"))


def test_a_customer_reads_no_word_of_money_on_any_page(people: People) -> None:
    page = people.open(CUSTOMER, viewport=PHONE)
    expect(tabs(page).get_by_role("link", name="Overview")).to_be_visible()
    hrefs = [link.get_attribute("href") for link in tabs(page).get_by_role("link").all()]
    assert hrefs
    for href in [*hrefs, "/settings/security"]:
        page.goto(href or "/")
        expect(page.locator(".skeleton")).to_have_count(0)
        assert money_in(page.locator("body").inner_text().splitlines()) == [], href
