"""The rows that come with the page itself: the same as the live ones, and for nobody else's eyes."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.people import ADMIN, BILLING, CUSTOMER, LIMITED, OPERATOR, Company, People, ready

CELLS = """() => [...document.querySelectorAll("table.table tbody tr")].map((row) =>
  [...row.querySelectorAll("td")].map((cell) => `${cell.className} ${cell.dataset.label ?? ""} ${cell.textContent}`))"""
LOOKS = """() => [...document.querySelectorAll("table.table tbody td:is(.col-name, .col-status) > *")].map((one) =>
  `${one.tagName} ${one.querySelector(".badge")?.className ?? one.className}`)"""


def without_scripts(people: People, email: str, path: str = "/") -> Page:
    """The page as it arrives."""
    return people.open(email, path, java_script_enabled=False)


def names(page: Page) -> list[str]:
    return page.locator("td.col-name").all_inner_texts()


def plain(cells: list[list[str]]) -> list[list[str]]:
    """Cells without what only the live row has: the words for screen readers on its buttons."""
    return [
        [re.sub(r"Delete trial .*| +$", "", cell).replace("col-tick  ", "col-tick ") for cell in row] for row in cells
    ]


@pytest.mark.parametrize("path", ["/", "/?status=monthly&sort=-size", "/?search=an&page=2"])
@pytest.mark.parametrize("email", [ADMIN, LIMITED])
def test_they_look_like_the_live_rows(people: People, email: str, path: str) -> None:
    first, live = without_scripts(people, email, path), ready(people.open(email, path))
    assert plain(first.evaluate(CELLS)) == plain(live.evaluate(CELLS))
    assert first.evaluate(LOOKS) == live.evaluate(LOOKS)


@pytest.mark.parametrize("email", ["", BILLING, CUSTOMER, OPERATOR])
def test_who_may_not_see_the_dashboard_gets_no_rows(people: People, email: str) -> None:
    page = without_scripts(people, email)
    allowed = email == BILLING and bool(names(page))
    assert allowed or names(page) == []


def test_an_odd_name_is_text(people: People, company: Company) -> None:
    company.add("<img src=x onerror=alert(1)> & 'Co' \"Ltd\"")
    page = without_scripts(people, company.email)
    assert names(page) == ["<img src=x onerror=alert(1)> & 'Co' \"Ltd\""]


def test_no_proxy_or_browser_keeps_the_page_with_rows(people: People) -> None:
    answer = people.profile(ADMIN).request.get("/")
    assert answer.headers["cache-control"] == "no-store" and "Ada" not in answer.headers["vary"]


def test_a_click_with_a_key_held_opens_a_tab_and_leaves_this_one(people: People, company: Company) -> None:
    company.add(*(f"Customer {number:03}" for number in range(30)))
    page = ready(people.open(company.email))
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Next").click(modifiers=["Control"])
    expect(ready(opened.value).locator("td.col-name").first).to_have_text("Customer 025")
    assert names(page)[0] == "Customer 000" and "page" not in page.url


def test_back_goes_to_the_question_before(people: People, company: Company) -> None:
    company.add(*(f"Customer {number:03}" for number in range(60)))
    page = ready(people.open(company.email))
    first = page.locator("td.col-name").first
    page.get_by_role("link", name="Next").click()
    expect(first).to_have_text("Customer 025")
    page.reload()
    page.get_by_role("link", name="Next").click()
    expect(first).to_have_text("Customer 050")
    page.go_back()
    expect(first).to_have_text("Customer 025")
    page.go_back()
    expect(first).to_have_text("Customer 000")
