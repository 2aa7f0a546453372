"""Signing in and out."""

from urllib.parse import urlsplit

from playwright.sync_api import Page, expect

from portal_app.demo.people import PASSWORD
from tests.e2e.people import ADMIN, CUSTOMER, LIMITED, OPERATOR, People, ready, sign_in


def is_at_login(page: Page) -> None:
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()


def test_everyone_arrives_at_the_page_of_theirs(people: People) -> None:
    for email, heading in ((ADMIN, "Dashboard"), (CUSTOMER, "Backup tasks"), (OPERATOR, "Partners")):
        page = people.open(path="/login")
        sign_in(page, email)
        expect(page.get_by_role("heading", name=heading).first).to_be_visible()
        expect(page.get_by_role("banner")).to_contain_text(email)


def test_a_wrong_password_is_told_and_the_email_stays(people: People) -> None:
    page = people.open(path="/login")
    sign_in(page, ADMIN, "not the password")
    expect(page.get_by_role("alert")).to_have_text("The email or the password is not right.")
    expect(page.get_by_label("Email", exact=True)).to_have_value(ADMIN)
    sign_in(page, ADMIN)
    ready(page)


def test_an_unknown_address_gets_the_same_answer(people: People) -> None:
    page = people.open(path="/login")
    sign_in(page, "nobody@nowhere.example")
    expect(page.get_by_role("alert")).to_have_text("The email or the password is not right.")


def test_empty_fields_are_named(people: People) -> None:
    page = people.open(path="/login")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("Enter your email address.")).to_be_visible()
    expect(page.get_by_text("Enter your password.")).to_be_visible()
    expect(page.get_by_label("Email", exact=True)).to_have_attribute("aria-invalid", "true")


def test_the_page_that_was_asked_for_opens_after_signing_in(people: People) -> None:
    page = people.open(path="/accounts/new")
    is_at_login(page)
    sign_in(page, ADMIN)
    expect(page.get_by_role("heading", name="Add New Account", level=1)).to_be_visible()
    assert urlsplit(page.url).path.rstrip("/") == "/accounts/new"


def test_the_password_is_never_in_an_address(people: People) -> None:
    """A form that is sent before the page's scripts are there must not put its fields into the address."""
    people.expect_fault("csp$")  # every script is refused
    page = people.profile(java_script_enabled=False).new_page()
    page.goto("/login")
    page.get_by_label("Email", exact=True).fill(ADMIN)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password", exact=True).press("Enter")
    expect(page.get_by_role("button", name="Sign in")).to_be_disabled()
    assert PASSWORD not in page.url
    assert page.locator("form", has=page.get_by_label("Email", exact=True)).get_attribute("method") == "post"


def test_a_reload_keeps_the_session_and_who_is_signed_in_does_not_sign_in_again(people: People) -> None:
    page = ready(people.open(ADMIN))
    page.reload()
    ready(page)
    page.goto("/login")
    ready(page)


def test_logging_out_in_one_tab_ends_the_other_at_its_next_click(people: People) -> None:
    page = people.open(path="/login")
    sign_in(page, LIMITED)
    ready(page)
    other = page.context.new_page()
    other.goto("/")
    ready(other)
    # The charts are the last that a load brings: after them the tab is quiet until somebody clicks.
    expect(other.locator(".chart-skeleton")).to_have_count(0)
    page.get_by_role("button", name="Log Out").click()
    is_at_login(page)
    other.get_by_role("link", name="Account Name").click()
    is_at_login(other)


def test_back_after_logging_out_shows_nothing(people: People) -> None:
    page = people.open(path="/login")
    sign_in(page, LIMITED)
    ready(page)
    page.get_by_role("button", name="Log Out").click()
    is_at_login(page)
    page.go_back()
    is_at_login(page)
    expect(page.get_by_text(LIMITED)).to_have_count(1)  # the sign-in page's own list of the demo's people
    expect(page.get_by_role("table")).to_have_count(0)


def test_the_session_cookie_is_out_of_reach_of_scripts(people: People) -> None:
    page = ready(people.open(ADMIN))
    assert page.evaluate("document.cookie") == ""
    stored = page.evaluate("JSON.stringify([Object.entries(localStorage), Object.entries(sessionStorage)])")
    assert people.signed_in[ADMIN] not in stored
