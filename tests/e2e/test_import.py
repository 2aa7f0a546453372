"""Import of many accounts from a CSV, in the browser."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.accounts.import_files import sheet
from tests.e2e.people import Company, People


def upload(page: Page, folder: Path, content: bytes, name: str = "list.csv") -> None:
    (folder / name).write_bytes(content)
    page.get_by_label("CSV file").set_input_files(folder / name)
    page.get_by_role("button", name="Check file").click()


def good(company: Company, *names: str) -> bytes:
    rows = (f"{name},{company.partner_id}-{n}@import.example,," for n, name in enumerate(names))
    return sheet(*rows)


def test_a_file_becomes_accounts_on_the_dashboard(people: People, company: Company, tmp_path: Path) -> None:
    page = people.open(company.email, "/accounts/new")
    page.get_by_role("link", name="Import accounts from CSV").click()
    upload(page, tmp_path, good(company, "=SUM(A1)", "مستشفى السلام"))
    page.get_by_role("button", name="Import 2 accounts").click()
    expect(page.get_by_text("2 accounts were imported from list.csv.")).to_be_visible()
    expect(page.get_by_role("heading", name="What comes next")).to_be_focused()
    page.reload()
    expect(page.get_by_text("2 accounts were imported already from list.csv.")).to_be_visible()
    page.get_by_role("link", name="Go to the dashboard").click()
    expect(page.get_by_role("link", name="=SUM(A1)", exact=True)).to_be_visible()


def test_the_keyboard_alone_imports_a_file(people: People, company: Company, tmp_path: Path) -> None:
    page = people.open(company.email, "/accounts/import")
    (tmp_path / "list.csv").write_bytes(good(company, "Ann"))
    page.get_by_label("CSV file").focus()
    expect(page.get_by_label("CSV file")).to_be_focused()
    with page.expect_file_chooser() as chooser:
        # A key overtakes the browser's order to tell of the chooser; what the page answers comes after that.
        page.evaluate("0")
        page.keyboard.press("Space")
    chooser.value.set_files(tmp_path / "list.csv")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Check file")).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Import 1 account").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 account was imported from list.csv.")).to_be_visible()


def test_faults_are_listed_and_downloaded(people: People, company: Company, tmp_path: Path) -> None:
    page = people.open(company.email, "/accounts/import")
    upload(page, tmp_path, sheet("Ann,ann.example,,", "=Bob,bob@import.example,Frankfrt,"))
    expect(page.get_by_role("heading", name="2 faults in 2 rows")).to_be_visible()
    expect(page.get_by_role("row", name="Account email ann.example")).to_contain_text("Enter an address")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download all faults").click()
    assert b"Germany (Frankfurt)" in Path(download.value.path()).read_bytes()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name="Check file")).to_be_visible()


def test_the_template_comes_as_a_file_and_the_page_stays_connected(people: People, company: Company) -> None:
    page = people.profile(company.email).new_page()
    with page.expect_websocket() as socket:
        page.goto("/accounts/import")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download template").click()
    assert download.value.suggested_filename == "accounts-template.csv"
    assert not socket.value.is_closed()


def test_anothers_import_is_not_there(people: People, company: Company, tmp_path: Path) -> None:
    page = people.open(company.email, "/accounts/import")
    upload(page, tmp_path, good(company, "Ann"))
    expect(page.get_by_role("button", name="Import 1 account")).to_be_visible()
    stranger = people.open("admin@other.example", page.url)
    expect(stranger.get_by_role("heading", name="There is no such import")).to_be_visible()


@pytest.mark.parametrize("browser_helps", [True, False])
def test_a_file_that_is_too_large_is_told(
    people: People, company: Company, tmp_path: Path, browser_helps: bool
) -> None:
    page = people.open(company.email, "/accounts/import")
    (tmp_path / "large.csv").write_bytes(b"x" * 11_000_000)
    field = page.get_by_label("CSV file")
    field.set_input_files(tmp_path / "large.csv")
    assert field.evaluate("field => field.validationMessage").startswith("The file is larger than 10 MB.")
    if not browser_helps:
        field.evaluate("field => field.setCustomValidity('')")
        page.get_by_role("button", name="Check file").click()
        expect(page.get_by_text("The file is larger than 10 MB. Split it into several files.")).to_be_visible()
