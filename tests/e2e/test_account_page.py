"""The page of a customer's account."""

import re
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Page, expect
from sqlmodel import Session, col, func, select

from portal_app import clock, db
from portal_app.audit.tags import Activity
from portal_app.auth.actor import system
from portal_app.backups.intake import RunReport
from portal_app.backups.service import record_run
from portal_app.models import AuditEvent
from tests.e2e.people import ADMIN, CUSTOMER, LIMITED, OPERATOR, OTHER_ADMIN, Company, People, ready


def report(company: Company, account_id: int, run: int, at: datetime, **given: object) -> None:
    """A run as an engine tells it."""
    told = {
        "account": account_id,
        "task": "files",
        "run": f"run-{run}",
        "started": at.isoformat(),
        "finished": (at + timedelta(minutes=3)).isoformat(),
        "outcome": "successful",
        "entities": 7,
        "size_bytes": 5_000_000,
    }
    db.write(record_run, system(company.partner_id), RunReport.read(told | given))


def test_a_click_on_the_name_opens_tasks_and_runs_and_is_audited(people: People, company: Company) -> None:
    (account_id,) = company.add("Watched & Co")
    for run in range(30):
        report(company, account_id, run, clock.now() - timedelta(days=1, minutes=30 - run))
    report(company, account_id, 31, clock.now() - timedelta(hours=1), outcome="failed", message="The disk is full.")
    page = ready(people.open(company.email))
    page.get_by_role("link", name="Watched & Co").click()
    expect(page.get_by_role("heading", name="Watched & Co", level=1)).to_be_visible()
    expect(page.get_by_role("heading", name="1 Backup task")).to_be_visible()
    tabs = page.get_by_role("navigation", name="Account")
    expect(tabs.get_by_role("link", name="Overview")).to_have_attribute("aria-current", "page")
    tasks, runs = page.get_by_role("table", name="Backup tasks"), page.get_by_role("table", name="Last runs")
    expect(tasks.locator("tbody tr")).to_have_count(1)
    expect(tasks.get_by_role("cell", name="Failed")).to_be_visible()
    expect(runs.locator("tbody tr").first).to_contain_text("The disk is full.")
    expect(runs.locator("tbody tr")).to_have_count(25)
    page.get_by_role("button", name="Show older runs").click()
    expect(runs.locator("tbody tr")).to_have_count(31)
    expect(page.get_by_role("button", name="Show older runs")).to_be_hidden()
    assert opened(account_id) == 1
    page.get_by_role("main").get_by_role("link", name="Dashboard").click()
    ready(page)


def opened(account_id: int) -> int:
    def read(session: Session) -> int:
        rows = select(func.count()).where(
            col(AuditEvent.account_id) == account_id, col(AuditEvent.activity) == Activity.ACCOUNT_ACCESSED
        )
        return session.exec(rows).one()

    return db.read(read)


def test_an_open_account_page_shows_a_new_run(people: People, company: Company) -> None:
    (account_id,) = company.add("Live")
    page = people.open(company.email, f"/accounts/{account_id}")
    expect(page.get_by_role("heading", name="No runs yet")).to_be_visible()
    report(company, account_id, 1, clock.now() - timedelta(minutes=5), outcome="partial", entities_failed=2)
    expect(page.get_by_role("table", name="Last runs").get_by_role("row", name="7, 2 failed")).to_be_visible()
    expect(page.locator(".badge-pill").filter(has_text="Partially Failed")).to_be_visible()


@pytest.mark.parametrize("who", [ADMIN, LIMITED, OTHER_ADMIN, CUSTOMER])
def test_a_foreign_account_answers_exactly_as_an_unknown_one(people: People, company: Company, who: str) -> None:
    (foreign,) = company.add("Nobody else's")
    seen = []
    for number in (foreign, 987_654_321):
        page = people.open(who, f"/accounts/{number}")
        expect(page.get_by_role("heading", name="There is no such account")).to_be_visible()
        seen.append((page.title(), page.get_by_role("main").inner_text()))
        assert "Nobody else's" not in page.content()
    assert seen[0] == seen[1]
    assert opened(foreign) == 0


@pytest.mark.parametrize("name", ["abc", "0", "1e5", "99999999999999999999", "%F0%9F%8D%B3", "-1"])
def test_nonsense_is_an_unknown_account(people: People, name: str) -> None:
    page = people.open(ADMIN, f"/accounts/{name}")
    expect(page.get_by_role("heading", name="There is no such account")).to_be_visible()


def test_a_customer_sees_its_own_account_and_no_price(people: People) -> None:
    page = people.open(CUSTOMER, "/")
    expect(page.get_by_role("heading", name=re.compile("Backup tasks"))).to_be_visible()
    expect(page).to_have_url(re.compile(r"/accounts/\d+"))
    expect(page.get_by_role("navigation", name="Main").get_by_role("link", name="My account")).to_be_visible()
    expect(page.get_by_role("searchbox")).to_have_count(0)
    expect(page.get_by_role("main").get_by_role("link", name="Dashboard")).to_have_count(0)
    assert "€" not in page.content()


def test_the_operator_sees_the_partners(people: People) -> None:
    page = people.open(OPERATOR, "/")
    row = page.get_by_role("table", name="Partners").get_by_role("row").filter(has_text="DDEVR001")
    expect(row).to_contain_text("Devereux IT Services")
    expect(row.get_by_role("cell", name="60", exact=True)).to_be_visible()
    main = page.get_by_role("navigation", name="Main")
    expect(main.get_by_role("link", name="Partners")).to_have_attribute("aria-current", "page")


@pytest.mark.parametrize(("who", "path"), [(ADMIN, "/operator"), (LIMITED, "/accounts/new"), (OPERATOR, "/accounts/1")])
def test_pages_of_others_are_denied_with_a_way_back(people: People, who: str, path: str) -> None:
    page = people.open(who, path)
    expect(page.get_by_role("heading", name="Access denied")).to_be_visible()
    expect(page.get_by_role("banner")).to_contain_text(who)
    page.get_by_role("link", name="Go to the start page").click()
    expect(page.get_by_role("heading", name="Access denied")).to_be_hidden()
    _is_home(page)


def _is_home(page: Page) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("Dashboard|Partners"))
