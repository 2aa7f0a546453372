"""Settings > Account and Settings > API."""

import re

from playwright.sync_api import Page, expect

from portal_app import db
from portal_app.auth import tokens
from portal_app.auth.permissions import Permission
from tests.e2e.people import Company, People
from tests.webhooks.peers import running


def told(page: Page, words: str) -> None:
    expect(page.get_by_role("status").filter(has_text=words)).to_be_visible()


def save(page: Page) -> None:
    page.get_by_role("button", name="Save").click()


def test_what_is_saved_survives_and_new_accounts_begin_with_it(people: People, company: Company) -> None:
    page = people.open(company.email, "/settings/account")
    page.get_by_label("Portal email").fill("office@customer")
    page.get_by_label("Time zone").fill("Mars/Olympus")
    save(page)
    expect(page.get_by_text("Choose one of the list, such as Europe/Paris.")).to_be_visible()
    expect(page.get_by_text("Enter an address such as name@company.com.")).to_be_visible()
    expect(page.get_by_label("Portal email")).to_be_focused()
    page.get_by_label("Portal email").fill("office@customer.example")
    page.get_by_label("Name", exact=True).fill("Müller & Söhne IT")
    page.get_by_label("Address").fill("1 High Street\nLondon")
    page.get_by_label("Phone").fill("+44 20 7946 0000")
    page.get_by_label("Time zone").fill("Asia/Tokyo")
    page.get_by_label("Auto-subscription without trial").check()
    page.get_by_label("Annual", exact=True).check()
    save(page)
    told(page, "Saved.")
    page.reload()
    expect(page.get_by_label("Name", exact=True)).to_have_value("Müller & Söhne IT")
    expect(page.get_by_label("Address")).to_have_value("1 High Street\nLondon")
    expect(page.get_by_label("Time zone")).to_have_value("Asia/Tokyo")
    expect(page.get_by_label("Annual", exact=True)).to_be_checked()
    page.goto("/accounts/new")
    expect(page.get_by_label("Auto-subscription without trial")).to_be_checked()
    expect(page.get_by_label("Annual", exact=True)).to_be_checked()


def test_another_storage_location_is_asked_for_by_a_ticket(people: People, company: Company) -> None:
    page = people.open(company.email, "/settings/account")
    page.get_by_role("button", name="Request a change").click()
    page.get_by_label("New default location").select_option("Germany (Frankfurt)")
    page.get_by_role("button", name="Send request").click()
    expect(page.get_by_text("Say why: it helps to answer you sooner.")).to_be_visible()
    expect(page.get_by_label("New default location")).to_have_value("Germany (Frankfurt)")
    page.get_by_label("Why").fill("Our customers ask for it.")
    page.get_by_role("button", name="Send request").click()
    expect(page.get_by_role("heading", name="Another default storage location: Germany (Frankfurt)")).to_be_visible()
    told(page, "Your request was sent.")
    expect(page.get_by_role("list", name="Conversation")).to_contain_text("Our customers ask for it.")


def test_a_token_is_shown_once_works_and_is_revoked(people: People, company: Company) -> None:
    page = people.open(company.email, "/settings/api", permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="+ Create API Token").click()
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.get_by_text("Enter a name for the token.")).to_be_visible()
    page.get_by_label("Name").fill("Backup server")
    page.get_by_label("Expires after").select_option("30 days")
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.get_by_label("API token", exact=True)).to_have_value(re.compile(r"^ppt_[\w-]{43}$"))
    token = page.get_by_label("API token", exact=True).input_value()
    page.get_by_role("button", name="Copy").click()
    assert page.evaluate("navigator.clipboard.readText()") == token
    assert db.read(tokens.find_token, token).permissions == {Permission.BACKUPS_RUN}
    row = page.get_by_role("row", name="Backup server")
    expect(row).to_contain_text("Run backups")
    expect(row).to_contain_text("Active")
    page.reload()
    expect(row).to_be_visible()
    expect(page.get_by_label("API token", exact=True)).to_be_hidden()
    assert token not in page.content()
    page.get_by_role("button", name="Revoke Backup server").click()
    page.get_by_role("button", name="Revoke", exact=True).click()
    expect(row).to_contain_text("Revoked")
    assert not db.read(tokens.find_token, token).permissions


def test_a_webhook_is_added_told_and_deleted(people: People, company: Company) -> None:
    page = people.open(company.email, "/settings/api", permissions=["clipboard-read", "clipboard-write"])
    dialog = page.get_by_role("dialog")
    page.get_by_role("button", name="+ Add webhook").click()
    dialog.get_by_role("button", name="Add", exact=True).click()
    expect(dialog.get_by_text("Give an address that begins with https://")).to_be_visible()
    with running() as program:
        url = program.url
        dialog.get_by_role("textbox", name="Address").fill(url)
        dialog.get_by_label("Backup failed").check()
        dialog.get_by_role("button", name="Add", exact=True).click()
        secret = page.get_by_label("Signing secret", exact=True)
        expect(secret).to_have_value(re.compile(r"^whsec_"))
        key = secret.input_value()
        page.get_by_role("region", name="New Signing secret").get_by_role("button", name="Copy").click()
        assert page.evaluate("navigator.clipboard.readText()") == key
        page.get_by_role("button", name="I have saved it").filter(visible=True).click()
        row = page.get_by_role("row", name=url)
        expect(row).to_contain_text("Backup failed")
        row.get_by_role("button", name=f"Deliveries to {url}").click()
        dialog.get_by_role("button", name="Send a test").click()
        program.wait_for(1)
        assert program.came[0].is_signed_with(key)
        expect(dialog.get_by_role("row", name="Test")).to_be_visible()
        dialog.get_by_role("button", name="Resend Test").click()
        program.wait_for(2)
        assert program.came[1].id == program.came[0].id
        dialog.get_by_role("button", name="Done").click()
    row.get_by_role("button", name=f"Edit {url}").click()
    dialog.get_by_label("On", exact=True).uncheck()
    dialog.get_by_label("Bill paid").check()
    dialog.get_by_role("button", name="Save").click()
    told(page, "Saved.")
    page.reload()
    expect(row).to_contain_text("Off")
    expect(row).to_contain_text("Bill paid")
    assert key not in page.content()
    row.get_by_role("button", name=f"Delete {url}").click()
    dialog.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_text("No webhooks yet")).to_be_visible()
