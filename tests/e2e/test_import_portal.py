"""Import from an existing portal, in the browser: dry run, choices, import, the result after a reload."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.people import PHONE, Company, People
from tests.e2e.servers import Portal as Server
from tests.portal_import.conftest import account, bill, state, task
from tests.portal_import.portals import SECRETS, Portal
from tests.stores import Template


@pytest.fixture(scope="module")
def portal(pages: None, demo_of_now: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Its own server: one that may read a portal on this machine, and has a worker."""
    folder = tmp_path_factory.mktemp("importing")
    server = Server(demo_of_now.copy(folder))
    server.settings = {"PORTAL_ALLOW_PRIVATE_STORAGE": "1", "PORTAL_WORKER": "1"}
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
def existing() -> Iterator[Portal]:
    lists = {
        "accounts": [account(1, name="Bauer 204"), account(2, region="MOON"), account(3, status="CLOSED")],
        "tasks": [task(1), task(2, size="much")],
        "states": [state()],
        "bills": [bill("Bauer")],
    }
    with Portal(lists) as made:
        yield made


@pytest.fixture
def signed_in() -> dict[str, str]:
    return {}


def fill(page: Page, existing: Portal, **given: str) -> None:
    typed = SECRETS | {"url": existing.url} | given
    for label, name in (
        ("Portal address", "url"),
        ("Client ID", "client_id"),
        ("Client secret", "client_secret"),
        ("Email", "email"),
        ("Password", "password"),
    ):
        page.get_by_label(label, exact=True).fill(typed[name])
    page.get_by_role("button", name="Start dry run").click()


@pytest.mark.parametrize("viewport", [None, PHONE], ids=["wide", "phone"])
def test_a_portal_comes_over(people: People, company: Company, existing: Portal, viewport: dict | None) -> None:
    page = people.open(company.email, "/accounts/import", **({"viewport": viewport} if viewport else {}))
    page.get_by_role("link", name="Import from an existing portal").click()
    # Emails are unique in the whole deployment.
    for one in existing.lists["accounts"]:
        one["email"] = f"{company.partner_id}-{one['email']}"
    fill(page, existing)
    expect(page.get_by_role("heading", name="This would happen")).to_be_visible()
    row = page.get_by_role("row").filter(has_text="Bauer 204")
    expect(row).to_contain_text("Added: begins Monthly in Germany (Frankfurt).")
    page.get_by_label("Accounts that are CLOSED (1) begin").select_option("Trial")
    page.get_by_label("Accounts in region MOON (1) go to").select_option("France (Paris)")
    page.get_by_label("Digits at the end of names").select_option("Leave them out")
    page.get_by_role("button", name="Update dry run").click()
    expect(page.get_by_text("Added: begins Trial in Germany (Frankfurt).")).to_be_visible()
    expect(page.get_by_text("Added: begins Monthly in France (Paris).")).to_be_visible()
    page.get_by_role("link", name="Values that could not be read (1)").click()
    expect(page.get_by_role("row").filter(has_text="much")).to_contain_text("This is not a whole number")
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_role("heading", name="The import is done")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="The import is done")).to_be_visible()
    page.get_by_role("link", name="Imported bills (1)").click()
    bills = page.get_by_role("row").filter(has_text="2023-03")
    expect(bills).to_contain_text("Imported")
    expect(bills).to_contain_text("2.50 EUR")
    page.get_by_role("link", name="Go to the dashboard").click()
    expect(page.get_by_role("link", name="Bauer", exact=True)).to_be_visible()


def test_what_is_missing_and_who_is_refused_is_told(people: People, company: Company, existing: Portal) -> None:
    page = people.open(company.email, "/accounts/import/portal")
    page.get_by_role("button", name="Start dry run").click()
    expect(page.get_by_text("Enter the client secret.")).to_be_visible()
    existing.answer = lambda path, _query: (401, {}) if path.endswith("auth/partner") else None
    fill(page, existing)
    expect(page.get_by_text("The portal refused to sign in with these.")).to_be_visible()
    page.get_by_role("link", name="Enter it again").click()
    expect(page.get_by_label("Client secret", exact=True)).to_have_value("")


def test_a_dry_run_can_be_left_and_forgotten(people: People, company: Company, existing: Portal) -> None:
    existing.lists["accounts"] = []
    page = people.open(company.email, "/accounts/import/portal")
    fill(page, existing)
    expect(page.get_by_text("There is nothing to import.")).to_be_visible()
    expect(page.get_by_role("button", name="Import", exact=True)).to_be_disabled()
    page.goto("/accounts/import/portal")
    page.get_by_role("link", name="Go on with it").click()
    page.get_by_role("button", name="Forget this dry run").click()
    expect(page.get_by_role("button", name="Start dry run")).to_be_visible()
    expect(page.get_by_role("link", name="Go on with it")).to_be_hidden()


def test_the_import_of_somebody_else_is_not_there(people: People, company: Company) -> None:
    page = people.open(company.email, "/accounts/import/portal?import=somebody-elses")
    expect(page.get_by_role("heading", name="There is no such import")).to_be_visible()
