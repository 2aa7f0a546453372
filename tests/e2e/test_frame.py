"""What stands round every page: search, help, theme, navigation, errors; how still and how accessible it is."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.e2e.people import ADMIN, CUSTOMER, LIMITED, OPERATOR, PHONE, WIDE, Company, People, ready

AXE = Axe()
LIGHT, DARK = "rgb(250, 250, 251)", "rgb(14, 16, 20)"
# Reads the shifts since the page began; those within half a second of an input don't count.
SHIFTS = """() => new Promise((done) => {
  const moved = [];
  const part = ({ node }) => (node?.outerHTML ?? node?.textContent ?? "").slice(0, 160);
  new PerformanceObserver((list) => {
    for (const one of list.getEntries()) if (!one.hadRecentInput) moved.push([one.value, one.sources.map(part)]);
  }).observe({ type: "layout-shift", buffered: true });
  requestAnimationFrame(() => requestAnimationFrame(() => done(moved)));
})"""


@pytest.mark.parametrize("keys", ["/", "Control+k"])
def test_the_search_opens_by_key_finds_and_closes(people: People, keys: str) -> None:
    page = ready(people.open(ADMIN))
    search = page.get_by_role("searchbox", name="Search accounts")
    page.keyboard.press(keys)
    expect(search).to_be_focused()
    page.keyboard.type("HALCYON")
    hit = page.get_by_role("link", name="Halcyon Robotics · devops@halcyon-robotics.example")
    expect(hit).to_be_visible()
    page.keyboard.press("Escape")
    expect(hit).to_be_hidden()
    expect(search).to_have_value("")
    page.keyboard.type("halcyon")
    expect(hit).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(hit).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Halcyon Robotics", level=1)).to_be_visible()
    expect(search).to_have_value("")


def test_a_slash_in_a_field_is_a_slash(people: People) -> None:
    page = ready(people.open(ADMIN))
    field = page.get_by_role("searchbox", name="Search", exact=True)
    field.focus()
    page.keyboard.type("a/b")
    expect(field).to_have_value("a/b")
    expect(page.get_by_role("heading", name="No account matches")).to_be_visible()


def test_the_search_finds_nothing_of_others(people: People) -> None:
    page = ready(people.open(ADMIN))
    page.get_by_role("searchbox", name="Search accounts").fill("Kestrel Avionics")
    expect(page.get_by_text("Nothing matches.")).to_be_visible()


def test_the_skip_link_moves_the_focus(people: People) -> None:
    page = ready(people.open(ADMIN))
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
    page.keyboard.press("Tab")
    # What is overdue stands before the page.
    expect(page.get_by_role("link", name="Pay now")).to_be_focused()


def test_light_and_dark_survive_a_reload(people: People) -> None:
    page = ready(people.open(ADMIN, color_scheme="light"))
    paper = page.locator("body")
    expect(paper).to_have_css("background-color", LIGHT)
    page.get_by_role("button", name="Switch light and dark").click()
    expect(paper).to_have_css("background-color", DARK)
    page.reload()
    ready(page)
    expect(paper).to_have_css("background-color", DARK)
    page.get_by_role("button", name="Switch light and dark").click()
    expect(paper).to_have_css("background-color", LIGHT)


def test_help_is_that_of_the_page_and_escape_closes_it(people: People) -> None:
    page = ready(people.open(ADMIN))
    opener = page.get_by_role("button", name="Help", exact=True)
    opener.click()
    panel = page.get_by_role("group", name="Help: Dashboard")
    expect(panel).to_be_visible()
    expect(panel).to_contain_text("Tick boxes")
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(opener).to_be_focused()


def test_before_the_scripts_are_there_nothing_can_be_pressed_in_vain(people: People) -> None:
    people.expect_fault("csp$")  # every script is refused
    page = people.open(ADMIN, "/settings/security", java_script_enabled=False)
    waiting = page.get_by_role("button", name="Activate 2FA")
    expect(waiting).to_have_css("pointer-events", "none")
    waiting.focus()
    expect(waiting).not_to_be_focused()
    works = page.get_by_role("button", name="Log Out")
    expect(works).to_have_css("pointer-events", "auto")
    works.focus()
    expect(works).to_be_focused()
    page.goto("/forgot")
    page.get_by_label("Email", exact=True).fill(ADMIN)
    expect(page.get_by_role("button", name="Send the link")).to_be_disabled()


def test_an_unknown_address_says_so_and_leads_home(people: People) -> None:
    people.expect_fault(r"404.*/no/such/page|Not Found")
    page = people.open(ADMIN, "/no/such/page")
    expect(page.get_by_role("heading", name="Page not found")).to_be_visible()
    page.get_by_role("link", name="Go to the start page").click()
    ready(page)


def test_on_a_phone_the_navigation_opens_and_closes(people: People) -> None:
    page = people.open(ADMIN, "/accounts/new", viewport=PHONE)
    dashboard = page.get_by_role("navigation", name="Main").get_by_role("link", name="Dashboard")
    expect(page.get_by_role("button", name="Add", exact=True)).to_be_enabled()
    expect(dashboard).to_be_hidden()
    page.get_by_role("button", name="Menu").click()
    expect(page.get_by_role("navigation", name="Main")).to_contain_text(ADMIN)
    dashboard.click()
    ready(page)
    expect(dashboard).to_be_hidden()


PAGES = {
    "login": ("", "/login", "Sign in to the Partner Portal"),
    "dashboard": (ADMIN, "/", "Total Accounts"),
    "nothing found": (ADMIN, "/?search=zzz", "No account matches"),
    "add": (ADMIN, "/accounts/new", "User Settings"),
    "account": (CUSTOMER, "/", "Backup tasks"),
    "partners": (OPERATOR, "/operator", "Partners"),
    "denied": (LIMITED, "/accounts/new", "Access denied"),
    "forgot": ("", "/forgot", "Forgot password"),
    "import": (ADMIN, "/accounts/import", "Import"),
    "audit": (ADMIN, "/security-audit", "Security Audit"),
    "own account": (ADMIN, "/settings/account", "Account"),
    "users": (ADMIN, "/settings/users", "User Management"),
    "new user": (ADMIN, "/settings/users/new", "Add new user"),
    "security": (ADMIN, "/settings/security", "Passkeys"),
    "addresses": (ADMIN, "/settings/ip-restrictions", "IP Restrictions"),
    "tokens": (ADMIN, "/settings/api", "API"),
    "learning": (ADMIN, "/learning", "Learning Hub"),
    "course": (ADMIN, "/learning/first-steps", "First steps"),
    "lesson": (ADMIN, "/learning/first-steps/reading-the-dashboard", "Reading the dashboard"),
    "outbox": (ADMIN, "/outbox", "Outbox"),
    "no such account": (ADMIN, "/accounts/987654321", "There is no such account"),
}


@pytest.mark.parametrize("window", [WIDE, PHONE], ids=["1440", "390"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_no_serious_fault_in_either_theme(people: People, name: str, window: dict[str, int]) -> None:
    who, path, heading = PAGES[name]
    page = people.open(who, path, viewport=window, color_scheme="light")
    expect(page.get_by_role("heading", name=heading).first).to_be_visible()
    expect(page.locator(".skeleton")).to_have_count(0)
    if page.get_by_role("banner").count():
        expect(page.get_by_role("banner")).to_contain_text(who)
    assert serious(page) == []
    page.emulate_media(color_scheme="dark")
    page.reload()
    expect(page.get_by_role("heading", name=heading).first).to_be_visible()
    expect(page.locator(".skeleton")).to_have_count(0)
    expect(page.locator("body")).to_have_css("background-color", DARK)
    assert serious(page) == []
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 0, f"The page is {overflow} px too wide."


@pytest.mark.parametrize(("window", "theme"), [(WIDE, "dark"), (PHONE, "light")], ids=["1440 dark", "390 light"])
def test_axe_finds_no_serious_fault_in_what_opens(people: People, window: dict[str, int], theme: str) -> None:
    page = ready(people.open(ADMIN, "/?status=trial_expiring", viewport=window, color_scheme=theme))
    expect(page.locator(".skeleton")).to_have_count(0)
    page.get_by_role("checkbox", name="Select").nth(1).check()
    page.get_by_role("button", name="Subscribe", exact=True).click()
    expect(page.get_by_role("button", name="Annual")).to_be_visible()
    assert serious(page) == []
    page.get_by_role("button", name="Annual").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert serious(page) == []
    page.keyboard.press("Escape")
    page.get_by_role("button", name=re.compile("Delete trial")).first.click()
    expect(page.get_by_role("alertdialog")).to_be_visible()
    assert serious(page) == []
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Help", exact=True).click()
    assert serious(page) == []


def test_axe_finds_no_serious_fault_in_a_faulty_form(people: People, company: Company) -> None:
    page = people.open(company.email, "/accounts/new")
    page.get_by_label("Data Center Location").select_option("google_cloud")
    expect(page.get_by_label("Service account key (JSON)")).to_be_visible()
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_label("Account name", exact=True)).to_be_focused()
    assert serious(page) == []


def serious(page: Page) -> list[str]:
    found = AXE.run(page).response["violations"]
    return [
        f"{one['id']}: {node['html'][:160]} {node['failureSummary']}"
        for one in found
        if one["impact"] in {"serious", "critical"}
        for node in one["nodes"]
    ]


def stands_still(page: Page) -> None:
    moved = page.evaluate(SHIFTS)
    assert sum(value for value, _ in moved) <= 0.05, moved


@pytest.mark.parametrize("window", [WIDE, PHONE], ids=["1440", "390"])
def test_a_cold_dashboard_does_not_jump(people: People, window: dict[str, int]) -> None:
    page = ready(people.open(ADMIN, viewport=window))
    expect(page.locator(".skeleton")).to_have_count(0)
    stands_still(page)


@pytest.mark.parametrize("path", ["/login", "/accounts/new"])
def test_other_pages_do_not_jump(people: People, path: str) -> None:
    page = people.open("" if path == "/login" else ADMIN, path)
    expect(page.get_by_role("button", name=re.compile("^(Sign in|Add)$"))).to_be_enabled()
    stands_still(page)
