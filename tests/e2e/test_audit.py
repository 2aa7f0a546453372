"""The security audit in a browser: filter, reload, pages, export."""

import csv
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests.e2e.people import ADMIN, People

PAGE = "/security-audit"


def rows(page: Page) -> Locator:
    return page.get_by_role("table", name="Security audit").locator("tbody tr:not(.skeleton-row)")


def opened(people: People, path: str = PAGE) -> Page:
    page = people.open(ADMIN, path)
    expect(page.get_by_role("heading", name="Security Audit", level=1)).to_be_visible()
    expect(rows(page).first).to_be_visible()
    return page


def test_filters_stay_and_the_export_holds_what_is_filtered(people: People) -> None:
    page = opened(people)
    page.get_by_label("Activity", exact=True).select_option("Sign-in")
    page.get_by_label("Status", exact=True).select_option("failed")
    page.get_by_label("User", exact=True).fill("admin@")
    expect(page).to_have_url(f"{people.address}{PAGE}?activity=Sign-in&status=failed&user=admin%40")
    others = rows(page).filter(has_not=page.get_by_role("cell", name="admin@demo.example", exact=True))
    expect(others.or_(rows(page).filter(has_text="Completed"))).to_have_count(0)
    expect(rows(page).first).to_be_visible()
    count = rows(page).count()
    assert 0 < count < 25
    page.reload()
    expect(rows(page)).to_have_count(count)
    expect(page.get_by_label("User", exact=True)).to_have_value("admin@")
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    text = Path(download.value.path()).read_text(encoding="utf-8-sig")
    lines = list(csv.DictReader(text.splitlines()))
    assert len(lines) == count
    assert {(line["User Activity"], line["Status"], line["Performed By"]) for line in lines} == {
        ("Sign-in", "Failed", "admin@demo.example")
    }
    page.get_by_role("button", name="Remove filter Status: Failed").click()
    expect(page).to_have_url(f"{people.address}{PAGE}?activity=Sign-in&user=admin%40")


def test_pages_follow_each_other_and_back_returns(people: People) -> None:
    page = opened(people)
    first = rows(page).first.inner_text()
    page.get_by_role("link", name="Next").click()
    expect(rows(page).first).not_to_have_text(first)
    page.go_back()
    page.go_forward()
    page.get_by_role("link", name="Previous").click()
    expect(page.get_by_role("link", name="Previous")).to_have_attribute("aria-disabled", "true")


def test_an_account_leads_to_its_page_and_that_is_recorded(people: People) -> None:
    page = opened(people, f"{PAGE}?activity=Account+accessed")
    first = rows(page).get_by_role("link").first
    name = first.inner_text()
    first.click()
    expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()
    page.get_by_role("link", name="Security Audit").click()
    expect(rows(page).first).to_contain_text("Account accessed")
    expect(rows(page).first).to_contain_text(name)
