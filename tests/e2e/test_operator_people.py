"""An operator adds a partner, suspends it, and takes an account away; and a deployment's first day, with real mail."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyotp
import pytest
from playwright.sync_api import Browser, Page, expect

from portal_app import db
from portal_app.auth import second_factor
from portal_app.build import ROOT
from portal_app.models import Partner, User, UserKind
from tests import factories
from tests.e2e.people import PHONE, WIDE, Company, People, ready, sign_in
from tests.e2e.servers import Portal
from tests.e2e.test_frame import serious
from tests.mail.servers import Mailbox, serving
from tests.stores import Template
from tests.users.people import link_of

NEW = "a rather odd phrase 7"
LONGEST_SECONDS = 60


@pytest.fixture
def operator(data_dir: Path) -> str:
    """An operator of this test alone: their email."""
    return db.write(factories.user, kind=UserKind.OPERATOR, role="custom").email


def code_of(company: Company) -> str:
    return db.read(lambda session: session.get_one(Partner, company.partner_id).code)


def fill(page: Page, **values: str) -> None:
    for label, value in values.items():
        page.get_by_label(label.replace("_", " ").replace("0", "'"), exact=True).fill(value)


def add_partner(page: Page, code: str, email: str) -> None:
    page.get_by_role("link", name="+ Add partner").first.click()
    expect(page.get_by_role("heading", name="Add partner")).to_be_visible()
    fill(page, Partner_ID=code, Name="Acme", Time_zone="Europe/Paris", Administrator0s_email=email)
    page.get_by_label("Currency", exact=True).select_option("EUR")
    page.get_by_role("button", name="Add partner").click()
    expect(page.get_by_text("Enter the administrator's name")).to_be_visible()
    expect(page.get_by_label("Partner ID", exact=True)).to_have_value(code)
    fill(page, Administrator0s_name="Bo")
    page.get_by_role("button", name="Add partner").click()
    expect(page.get_by_text(f"An invitation is on its way to {email}")).to_be_visible()


def accept(page: Page, address: str) -> None:
    page.goto(address)
    fill(page, Password=NEW, Retype_password=NEW)
    page.get_by_role("button", name="Set password").click()
    page.get_by_role("link", name="Go to the sign-in page").click()


def answer(page: Page, question: str, act: str, reason: str = "") -> None:
    dialog = page.get_by_role("dialog", name=question)
    if reason:
        dialog.get_by_role("button", name=act).click()
        expect(dialog.get_by_text("Say why")).to_be_visible()
        dialog.get_by_label("Reason").fill(reason)
    dialog.get_by_role("button", name=act).click()


def test_a_partner_is_added_suspended_and_let_in_again(people: People, operator: str) -> None:
    page = people.open(operator, "/operator")
    number = db.read(lambda s: s.query(User).count())
    code, email = f"NEW{number:04}", f"bo{number}@acme.example"
    add_partner(page, code, email)
    row = page.get_by_role("row", name=re.compile(email))
    expect(row).to_contain_text("Invited")
    first = link_of(email)
    row.get_by_role("button", name="Send the invitation again").click()
    expect(page.get_by_text("A new invitation is on its way")).to_be_visible()
    guest = people.open(path=f"/invitation?token={first}")
    expect(guest.get_by_role("heading", name="This invitation can't be used")).to_be_visible()
    accept(guest, f"/invitation?token={link_of(email)}")
    sign_in(guest, email, NEW)
    ready(guest)
    page.get_by_role("button", name="Suspend").click()
    answer(page, "Suspend this partner?", "Suspend", "Unpaid bills")
    expect(page.get_by_text("The partner is suspended")).to_be_visible()
    guest.get_by_label("Search", exact=True).fill("a")
    expect(guest.get_by_role("heading", name="Sign in")).to_be_visible()
    page.get_by_role("button", name="Reactivate").click()
    answer(page, "Reactivate this partner?", "Reactivate", "Paid")
    expect(page.get_by_text("The partner can come in again")).to_be_visible()
    page.get_by_role("navigation", name="Partner", exact=True).get_by_role("link", name="Audit").click()
    expect(page.get_by_role("row", name=re.compile("suspended: Unpaid bills"))).to_contain_text(operator)
    expect(page.get_by_role("row", name=re.compile("Partner opened"))).to_have_count(1)


def test_an_account_is_taken_from_its_partner_and_given_back(people: People, company: Company, operator: str) -> None:
    ash, _ = company.add("Ash", "Birch")
    partner = people.open(company.email)
    expect(ready(partner).get_by_role("link", name="Ash", exact=True)).to_be_visible()
    page = people.open(operator, f"/operator/partners/{code_of(company)}/accounts")
    page.get_by_role("button", name="Take access away: Ash").click()
    expect(page.get_by_text("This customer has no users of its own")).to_be_visible()
    answer(page, "Take the partner's access away?", "Take access away", "The customer left")
    expect(page.get_by_text("Ash: only the customer can open it now.")).to_be_visible()
    partner.reload()
    row = ready(partner).get_by_role("row", name=re.compile("Ash"))
    expect(row).to_contain_text("Only the customer can open it")
    expect(partner.get_by_role("link", name="Ash", exact=True)).to_have_count(0)
    partner.goto(f"/accounts/{ash}")
    expect(partner.get_by_role("heading", name="There is no such account")).to_be_visible()
    partner.goto(f"/billing/accounts/{ash}")
    expect(partner.get_by_role("heading", name="Ash")).to_be_visible()
    page.get_by_role("button", name="Give access back: Ash").click()
    answer(page, "Give the partner its access back?", "Give access back", "A mistake")
    expect(page.get_by_text("Ash: the partner can open it again.")).to_be_visible()
    partner.goto(f"/accounts/{ash}")
    expect(partner.get_by_role("heading", name="Ash")).to_be_visible()


@pytest.mark.parametrize(("window", "theme"), [(WIDE, "dark"), (PHONE, "light")], ids=["1440 dark", "390 light"])
def test_axe_finds_no_serious_fault(
    people: People, company: Company, operator: str, window: dict[str, int], theme: Any
) -> None:
    company.add("Ash")
    code = code_of(company)
    page = people.open(operator, "/operator", viewport=window, color_scheme=theme)
    paths = ("", "/partners/new", f"/partners/{code}", f"/partners/{code}/accounts", "/operators", "/audit")
    for path in paths:
        page.goto(f"/operator{path}")
        expect(page.get_by_role("banner")).to_contain_text(operator)
        expect(page.locator(".skeleton")).to_have_count(0)
        assert serious(page) == [], path
        overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert overflow <= 0, path
    page.goto("/operator/operators")
    page.get_by_role("button", name="+ Add operator").click()
    expect(page.get_by_role("dialog", name="Add operator")).to_be_visible()
    assert serious(page) == []


class FirstDay:
    """An empty deployment that is no demo, with a mail server of its own."""

    def __init__(self, browser: Browser, portal: Portal, mailbox: Mailbox) -> None:
        self.people, self.portal, self.mailbox = People(browser, portal.address, {}), portal, mailbox

    def command(self, *words: str) -> None:
        own = {"PYTHONPATH": str(ROOT)} | self.portal.store | self.portal.settings
        others = {name: value for name, value in os.environ.items() if not name.startswith("PORTAL_")}
        command = [sys.executable, "-m", "portal_app", *words]
        subprocess.run(command, cwd=ROOT, env=others | own, check=True, capture_output=True)

    def link(self, to: str) -> str:
        """The link in the last invitation that the mail server took for the address."""
        ends = time.monotonic() + LONGEST_SECONDS
        while not (found := [message for recipient, message in self.mailbox.taken if recipient == to]):
            assert time.monotonic() < ends, f"no mail to {to}"
            self.mailbox.arrived.wait(1)
            self.mailbox.arrived.clear()
        body = found[-1].get_body(("plain",))
        token = re.search(r"/invitation\?token=[\w-]+", body.get_content() if body else "")
        assert token
        return token[0]

    def come_in(self, email: str) -> Page:
        """A new browser, from the mailed link to the sign-in."""
        page = self.people.open(path="/login")
        accept(page, self.link(email))
        sign_in(page, email, NEW)
        return page


@pytest.fixture
def first_day(pages: None, browser: Browser, migrated: Template, tmp_path: Path) -> Iterator[FirstDay]:
    folder = tmp_path / "first-day"
    folder.mkdir()
    mailbox = Mailbox()
    with serving(mailbox) as port:
        portal = Portal(migrated.bare(folder))
        smtp = {"PORTAL_SMTP_HOST": "127.0.0.1", "PORTAL_SMTP_PORT": str(port), "PORTAL_SMTP_SECURITY": "none"}
        portal.settings = smtp | {"PORTAL_DEMO": "0", "PORTAL_PUBLIC_URL": portal.address}
        day = FirstDay(browser, portal, mailbox)
        day.command("create-operator", "--email", "ann@provider.example", "--name", "Ann", "--invite")
        portal.start()
        try:
            yield day
            day.people.leave()
        finally:
            portal.stop()


def set_up_second_factor(page: Page) -> None:
    expect(page.get_by_role("heading", name="Set up two-factor authentication")).to_be_visible()
    secret = page.locator(".secret code").inner_text()
    page.get_by_label("6-digit code").fill(pyotp.TOTP(secret).generate_otp(second_factor._step()))
    page.get_by_role("button", name="Enable").click()
    page.get_by_role("button", name="Continue").click()


def test_the_first_day_of_a_deployment(first_day: FirstDay) -> None:
    """With an empty database and a real mail server: operator, partner, customer, a question and its answer."""
    ann = first_day.come_in("ann@provider.example")
    set_up_second_factor(ann)
    expect(ann.get_by_text("No partners yet")).to_be_visible()
    add_partner(ann, "ACME01", "bo@acme.example")
    bo = first_day.come_in("bo@acme.example")
    ready(bo)
    bo.goto("/settings/security")
    bo.get_by_role("button", name="Activate 2FA").click()
    secret = bo.get_by_role("dialog").locator("code").inner_text()
    bo.get_by_role("button", name="Next").click()
    bo.get_by_label("6-digit code").fill(pyotp.TOTP(secret).generate_otp(second_factor._step()))
    bo.get_by_role("button", name="Enable").click()
    expect(bo.get_by_text("Two-factor authentication is on.")).to_be_visible()
    bo.goto("/accounts/new")
    expect(bo.get_by_role("button", name="Add", exact=True)).to_be_enabled()
    fill(bo, Account_name="Ash", Account_email="it@ash.example", Password=NEW, Retype_password=NEW)
    bo.get_by_role("button", name="Add", exact=True).click()
    expect(bo.get_by_role("link", name="Ash", exact=True)).to_be_visible()
    ann.goto("/operator/partners/ACME01")
    expect(ann.get_by_role("row", name=re.compile("bo@acme.example"))).to_contain_text("App")
    ann.goto("/operator/operators")
    expect(ann.get_by_role("row", name=re.compile("ann@provider.example"))).to_contain_text("You")
    _asks_and_is_answered(bo, ann, first_day.mailbox)


def _asks_and_is_answered(bo: Page, ann: Page, mailbox: Mailbox) -> None:
    bo.goto("/support")
    bo.get_by_role("link", name="Open a Ticket").click()
    bo.get_by_label("Topic").select_option("Backups and restores")
    bo.get_by_label("Subject").fill("Where to begin?")
    bo.get_by_label("Your message").fill("How do I back up a folder?")
    bo.get_by_role("button", name="Send ticket").click()
    expect(bo.get_by_role("heading", name="Where to begin?")).to_be_visible()
    ann.goto("/operator/tickets")
    ann.get_by_role("link", name="Where to begin?").click()
    ann.get_by_role("textbox", name="Answer").fill("Add a backup task to the account.")
    ann.get_by_role("button", name="Send answer").click()
    expect(bo.get_by_role("list", name="Conversation")).to_contain_text("Add a backup task to the account.")
    ends = time.monotonic() + LONGEST_SECONDS
    while not any(to == "bo@acme.example" and "Where to begin?" in str(mail["Subject"]) for to, mail in mailbox.taken):
        assert time.monotonic() < ends, "the answer was not mailed"
        mailbox.arrived.wait(1)
        mailbox.arrived.clear()
