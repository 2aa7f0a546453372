"""Another person signs in in the tab that somebody left without signing out."""

from playwright.sync_api import expect

from tests.e2e.people import ADMIN, OTHER_ADMIN, People, ready, sign_in


def test_the_next_person_in_the_same_tab_sees_only_their_own(people: People) -> None:
    page = people.open(path="/login")
    sign_in(page, ADMIN)
    ready(page)
    token = page.evaluate("sessionStorage.getItem('token')")
    page.context.clear_cookies()
    page.goto("/")
    sign_in(page, OTHER_ADMIN)
    ready(page)
    expect(page.get_by_role("banner")).to_contain_text(OTHER_ADMIN)
    expect(page.locator("body")).not_to_contain_text(ADMIN)
    assert page.evaluate("sessionStorage.getItem('token')") != token
    page.reload()
    ready(page)
    expect(page.get_by_role("banner")).to_contain_text(OTHER_ADMIN)
