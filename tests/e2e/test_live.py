"""What an open page does when the world changes: others' changes, lost rights, a lost connection."""

import json
import re
from datetime import timedelta
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from playwright.sync_api import Browser, expect
from sqlmodel import Session, col, update

from portal_app import clock, db
from portal_app.auth import tokens
from portal_app.auth.actor import system
from portal_app.auth.permissions import Permission
from portal_app.models import User, UserState
from tests.e2e.people import ADMIN, Company, People, ready, sign_in
from tests.e2e.servers import Portal


def post(address: str, token: str, body: dict[str, object]) -> int:
    """What a backup engine does."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    request = Request(f"{address}/api/v1/backup-runs", json.dumps(body).encode(), headers)  # noqa: S310
    try:
        with urlopen(request, timeout=30) as answer:  # noqa: S310
            return int(answer.status)
    except HTTPError as refusal:
        return refusal.code


def test_a_reported_backup_shows_on_the_open_dashboard(people: People, portal: Portal, company: Company) -> None:
    company.add("Watched", email=f"watched{company.partner_id}@example.com")
    page = ready(people.open(company.email))
    row = page.get_by_role("row").filter(has=page.get_by_role("link", name="Watched"))
    expect(row).to_contain_text("No Backups")
    page.evaluate("window.stillTheSamePage = true")
    token = db.write(tokens.create_token, system(), company.partner_id, "Engine", [Permission.BACKUPS_RUN])
    ended = clock.now() - timedelta(minutes=1)
    told = {
        "account": f"WATCHED{company.partner_id}@example.com",
        "task": "files",
        "run": "1",
        "started": (ended - timedelta(minutes=4)).isoformat(),
        "finished": ended.isoformat(),
        "outcome": "failed",
    }
    assert post(portal.address, token, told) == 201
    expect(row).to_contain_text("Failed")
    widget = page.get_by_role("region", name="Backup Status")
    expect(widget.get_by_role("link", name=re.compile("^1\\s*Failed"))).to_be_visible()
    assert page.evaluate("window.stillTheSamePage")
    assert post(portal.address, token, told) == 200
    assert post(portal.address, "ppt_" + "x" * 43, told) == 401


def test_a_colleagues_new_account_appears(people: People, company: Company) -> None:
    company.add("First")
    page = ready(people.open(company.email))
    page.get_by_role("checkbox", name="Select First").check()
    expect(page.get_by_text("1 selected")).to_be_visible()
    company.add("Second")
    expect(page.get_by_role("link", name="Second")).to_be_visible()
    expect(page.get_by_role("heading", name="Total Accounts")).to_have_text("2 of 2 Total Accounts")
    expect(page.get_by_role("checkbox", name="Select First")).to_be_checked()


def test_a_disabled_user_is_out_at_the_next_event(people: People, company: Company) -> None:
    company.add("Gone for you")
    page = ready(people.open(company.email))
    page.get_by_role("searchbox", name="Search", exact=True).focus()

    def disable(session: Session) -> None:
        session.execute(update(User).where(col(User.email) == company.email).values(state=UserState.DISABLED))

    db.write(disable)
    page.keyboard.type("gone")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    expect(page.get_by_text("Gone for you")).to_have_count(0)


def test_a_lost_connection_is_told_and_mends_itself(browser: Browser, own_portal: Portal) -> None:
    people = People(browser, own_portal.address, {})
    people.expect_fault(r"ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|WebSocket|websocket|answer 5")
    page = people.open(path="/login")
    sign_in(page, ADMIN)
    ready(page)
    page.evaluate("window.stillTheSamePage = true")
    strip = page.get_by_role("status").filter(has_text="The connection is lost.")
    expect(strip).to_have_count(0)
    own_portal.stop()
    expect(strip).to_be_visible(timeout=30_000)
    own_portal.start()
    expect(strip).to_have_count(0, timeout=60_000)
    ready(page)
    page.get_by_role("region", name="Billing Status").get_by_role("link", name="Overdue").click()
    expect(page.get_by_role("heading", name="Total Accounts")).to_have_text(re.compile("^8 of 60"))
    page.get_by_role("checkbox", name="Select all rows on this page").check()
    expect(page.get_by_text("8 selected")).to_be_visible()
    people.leave()
