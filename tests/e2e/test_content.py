"""Support, News and the Partner Zone in a browser; the console's pages of content on a phone."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.people import OPERATOR, PHONE, Company, People
from tests.e2e.test_frame import serious


def _heading(page: Page, name: str, level: int = 1) -> None:
    expect(page.get_by_role("heading", name=name, level=level)).to_be_visible()


def test_an_article_is_found_read_and_reached_from_help(people: People, company: Company) -> None:
    page = people.open(company.email, "/support")
    _heading(page, "Help topics", 2)
    expect(page.get_by_role("link", name="A backup failed")).to_be_visible()
    page.get_by_label("Search articles").fill("card refus")
    expect(page).to_have_url(re.compile(r"/support/?\?q=card"))
    found = page.get_by_role("link", name="A card was refused")
    expect(found).to_be_visible()
    page.reload()
    expect(page.get_by_label("Search articles")).to_have_value("card refus")
    found.click()
    _heading(page, "A card was refused")
    page.get_by_role("navigation", name="On this page").get_by_role("link", name="Nothing is charged twice").click()
    expect(page.get_by_role("heading", name="Nothing is charged twice")).to_be_in_viewport()
    page.get_by_role("button", name="Help", exact=True).click()
    page.get_by_role("link", name="Open as an article").click()
    _heading(page, "Support")
    expect(page).to_have_url(re.compile("/support/articles/support"))


def test_news_are_unread_until_they_are_read(people: People, company: Company) -> None:
    page = people.open(company.email, "/news")
    _heading(page, "News")
    rows = page.get_by_role("main").get_by_role("listitem")
    unread = rows.filter(has=page.get_by_text("Unread", exact=True))
    expect(unread.first).to_be_visible()
    count = unread.count()
    news = page.get_by_role("navigation", name="Main").get_by_role("link", name="News")
    expect(news).to_contain_text(f"{count} unread")
    rows.first.get_by_role("link").click()
    expect(news).to_contain_text(f"{count - 1} unread")
    page.get_by_role("navigation", name="Back").get_by_role("link", name="News").click()
    expect(unread).to_have_count(count - 1)
    page.get_by_role("button", name="Mark all as read").click()
    expect(unread).to_have_count(0)
    expect(news).not_to_contain_text("unread")


def test_a_sheet_is_downloaded_from_the_partner_zone(people: People, company: Company) -> None:
    page = people.open(company.email, "/partner-zone")
    page.get_by_role("link", name=re.compile("Product sheet")).click()
    _heading(page, "Product sheet: cloud backup in one page")
    expect(page.get_by_role("img", name="Preview of the first page")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="product-sheet.pdf").click()
    assert Path(download.value.path()).read_bytes().startswith(b"%PDF-")


PAGES = {
    "support": ("", "/support", "Help topics"),
    "article": ("", "/support/articles/a-backup-failed", "A backup failed"),
    "news": ("", "/news", "News"),
    "post": ("", "/news/welcome", "Welcome to News"),
    "partner zone": ("", "/partner-zone", "Partner Zone"),
    "piece": ("", "/partner-zone/product-sheet", "Product sheet: cloud backup in one page"),
    "content": (OPERATOR, "/operator/content", "Content"),
    "editor": (OPERATOR, "/operator/content/new?kind=news&name=welcome", "New page"),
}


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_no_serious_fault(people: People, company: Company, name: str) -> None:
    who, path, heading = PAGES[name]
    page = people.open(who or company.email, path, viewport=PHONE, color_scheme="light")
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        page.reload()
        expect(page.get_by_role("heading", name=heading).first).to_be_visible()
        expect(page.locator(".skeleton")).to_have_count(0)
        assert serious(page) == []
        overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert overflow <= 0, f"The page is {overflow} px too wide."
