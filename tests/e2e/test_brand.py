"""A second portal, of another brand, out of the same built pages: nothing in it tells of the first."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from portal_app import build, colours
from tests.brand.conftest import DEFAULT_WORDS, other_brand
from tests.e2e.people import ADMIN, People, ready, sign_in
from tests.e2e.servers import Portal
from tests.stores import Template

NAME = "Fjord & <Søn>"
LIGHT, DARK = colours.light("#ffdd00"), colours.dark("#ffdd00")


@pytest.fixture
def fjord(pages: None, demo_of_now: Template, browser: Browser, tmp_path: Path) -> Iterator[People]:
    """People at the second portal."""
    folder = tmp_path / "fjord"
    folder.mkdir()
    server = Portal(demo_of_now.copy(folder))
    server.settings = other_brand(tmp_path)
    visitors = People(browser, server.address, {})
    try:
        server.start()
        yield visitors
        visitors.leave()
    finally:
        server.stop()


def _ink(page: Page, name: str) -> str:
    return page.evaluate(f"getComputedStyle(document.documentElement).getPropertyValue('{name}')")


def _expect_no_default_brand(page: Page) -> None:
    whole = page.content()
    assert not [word for word in DEFAULT_WORDS if word in whole]


def test_a_portal_of_another_brand(fjord: People) -> None:
    page = fjord.open(path="/login", color_scheme="light")
    expect(page).to_have_title(f"Sign in · {NAME}")
    expect(page.get_by_role("heading", name="Sign in to the Reseller Desk")).to_be_visible()
    expect(page.get_by_role("link", name="Privacy")).to_have_attribute("href", "https://fjord.test/privacy")
    expect(page.get_by_role("link", name="Terms")).to_be_hidden()
    logo = page.locator(".brand-logo").evaluate("element => getComputedStyle(element).backgroundImage")
    assert page.request.get(re.search(r'url\("(.*?)"\)', logo)[1]).ok
    expect(page.get_by_role("button", name="Sign in")).to_have_css("background-color", "rgb(255, 221, 0)")
    _expect_no_default_brand(page)

    sign_in(page, ADMIN)
    ready(page)
    expect(page).to_have_title(f"Dashboard · {NAME}")
    expect(page.get_by_role("banner").get_by_text(NAME)).to_be_visible()
    expect(page.get_by_role("link", name="help@fjord.test").first).to_have_attribute("href", "mailto:help@fjord.test")
    assert _ink(page, "--accent-text") == LIGHT.text
    page.get_by_role("button", name="Switch light and dark").click()
    expect(page.locator("html")).to_have_class(re.compile("dark"))
    assert _ink(page, "--accent-text") == DARK.text
    _expect_no_default_brand(page)

    page.get_by_role("link", name="Settings").click()
    expect(page).to_have_title(f"Account · {NAME}")
    page.goto("/nothing/here")
    expect(page.get_by_role("heading", name="Page not found")).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text(NAME)
    _expect_no_default_brand(page)
    fjord.expect_fault("404")


def test_its_mail(fjord: People) -> None:
    page = fjord.open(path="/forgot")
    page.get_by_label("Email", exact=True).fill(ADMIN)
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_text("If there is a user with this address")).to_be_visible()
    page.goto("/outbox")
    page.get_by_role("link", name="Choose a new password").first.click()
    expect(page.get_by_text("help@fjord.test").first).to_be_visible()
    letter = page.frame_locator("iframe").locator("body")
    expect(letter).to_contain_text(NAME)
    expect(letter.locator("img")).to_have_attribute("src", re.compile("^data:image/png"))
    assert not [word for word in DEFAULT_WORDS if word in letter.inner_html()]


@pytest.mark.usefixtures("pages")
def test_the_built_pages_hold_no_brand() -> None:
    files = [file for file in build.CLIENT.rglob("*") if file.suffix in {".html", ".js", ".css", ".json"}]
    assert files
    found = [(file.name, word) for file in files for word in DEFAULT_WORDS[:3] if word in file.read_text()]
    assert found == []
