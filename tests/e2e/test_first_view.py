"""The dashboard's first rows come with the page itself; they are those of the live table, for the same people only."""

import pytest
from playwright.sync_api import Page

from portal_app import build
from tests.e2e.people import ADMIN, BILLING, LIMITED, OTHER_ADMIN, People, ready

CELLS = """rows => rows.map(row => [...row.cells].map(cell => {
  const badge = cell.querySelector('.badge');
  return [cell.className, cell.dataset.label ?? '', badge ? badge.className : '', cell.textContent.trim()];
}))"""


def cells(page: Page) -> list:
    """Look and words of each cell, the delete button's own words aside."""
    found = page.locator("table.table tbody tr[role=row]").evaluate_all(CELLS)
    return [row[:-1] for row in found]


def without_scripts(people: People, email: str, path: str) -> Page:
    """What the server sends, before any script has run."""
    people.expect_fault(r"^failed: .*\.js csp$")
    return people.open(email, path, java_script_enabled=False)


@pytest.mark.parametrize("path", ["/", "/?status=annual&sort=-size", "/?search=alex", "/?page=2&size=50"])
def test_they_are_the_live_rows(people: People, path: str) -> None:
    sent = cells(without_scripts(people, ADMIN, path))
    live = cells(ready(people.open(ADMIN, path)))
    assert len(sent) > 0
    assert sent == live


def test_another_partner_gets_its_own(people: People) -> None:
    mine = {row[2][3] for row in cells(without_scripts(people, ADMIN, "/"))}
    theirs = {row[2][3] for row in cells(without_scripts(people, OTHER_ADMIN, "/"))}
    assert theirs
    assert not mine & theirs


@pytest.mark.parametrize("email", [BILLING, LIMITED, ""])
def test_who_may_not_see_all_of_it_gets_none(people: People, email: str) -> None:
    assert cells(without_scripts(people, email, "/")) == []


def test_a_page_loads_its_own_parts_only(people: People) -> None:
    """Neither Emotion nor the parts of another page come along: the first load has a weight to keep."""
    built = {path.name: path.read_text() for path in (build.CLIENT / "assets").glob("*.js")}
    of_another_page = {name for name, text in built.items() if "Retype password" in text}
    page = ready(people.open(ADMIN, "/"))
    loaded = page.evaluate("performance.getEntriesByType('resource').map(one => one.name.split('/').pop())")
    assert of_another_page
    assert any(name in built for name in loaded)
    assert not of_another_page & set(loaded)
    assert [name for name, text in built.items() if "emotion" in text] == []
