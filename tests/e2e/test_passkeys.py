"""Passkeys, with the browser's own virtual authenticator. They need a name: the portal is opened as localhost."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlmodel import Session, col, select

from portal_app import clock, db
from portal_app.models import LoginSession, User
from tests import factories
from tests.e2e.people import Company, People, ready, sign_in
from tests.e2e.servers import Portal

DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def visitors(browser: Browser, portal: Portal) -> Iterator[People]:
    found = People(browser, f"http://localhost:{portal.port}", {})
    yield found
    found.leave()


@pytest.fixture
def page(visitors: People) -> Page:
    """A browser with a device that keeps passkeys and knows its owner."""
    opened = visitors.open(path="/login")
    session = opened.context.new_cdp_session(opened)
    session.send("WebAuthn.enable")
    session.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})
    return opened


def _log_out(page: Page) -> None:
    page.get_by_role("button", name="Log Out").click()
    expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_enabled()


def _user(session: Session, email: str) -> User:
    return session.exec(select(User).where(col(User.email) == email)).one()


def _grow_old(session: Session, email: str) -> None:
    mine = col(LoginSession.user_id) == _user(session, email).id
    for login in session.exec(select(LoginSession).where(mine)):
        login.confirmed_at = clock.now() - timedelta(hours=1)


def _ask_for_codes(session: Session, email: str, on: bool) -> None:
    _user(session, email).totp_enabled_at = clock.now() if on else None


def test_a_passkey_from_the_first_to_the_last(page: Page, company: Company) -> None:
    sign_in(page, company.email, factories.PASSWORD)
    ready(page)
    page.goto("/settings/security")
    section = page.get_by_role("region", name="Passkeys")
    section.get_by_role("button", name="Add a passkey").click()
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("Enter a name")).to_be_visible()
    page.get_by_label("Name", exact=True).fill("Laptop")
    page.get_by_role("button", name="Continue").click()
    row = section.get_by_role("row").filter(has_text="Laptop")
    expect(row).to_contain_text("Not used yet")

    section.get_by_role("button", name="Add a passkey").click()
    page.get_by_label("Name", exact=True).fill("The same")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("This device keeps a passkey of yours already.")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()

    _log_out(page)
    page.get_by_role("button", name="Use a passkey").click()
    ready(page)

    _log_out(page)
    db.write(_ask_for_codes, company.email, True)
    sign_in(page, company.email, factories.PASSWORD)
    page.get_by_role("button", name="Use a passkey").click()
    ready(page)
    db.write(_ask_for_codes, company.email, False)

    page.goto("/settings/security")
    expect(row).to_be_visible()
    expect(row).not_to_contain_text("Not used yet")
    row.get_by_role("button", name="Rename this passkey").click()
    page.get_by_label("Name", exact=True).fill("Old laptop")
    page.get_by_label("Name", exact=True).press("Enter")
    old = section.get_by_role("row").filter(has_text="Old laptop")
    db.write(_grow_old, company.email)
    old.get_by_role("button", name="Remove this passkey").click()
    expect(page.get_by_role("heading", name="Confirm it's you")).to_be_visible()
    page.get_by_role("button", name="Use a passkey").click()
    page.get_by_role("button", name="Remove passkey").click()
    expect(section.get_by_text("No passkeys")).to_be_visible()
    _log_out(page)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("alert").filter(has_text="passkey")).to_be_visible()
