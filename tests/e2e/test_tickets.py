"""A partner asks with a file, an operator answers; the answer is there without a reload, and in the mail."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import FilePayload, Page, expect
from sqlmodel import Session, col, select

from portal_app import crypto, db
from portal_app.mail.letter import unpack
from portal_app.mail.service import place_of
from portal_app.models import OutboxMail, Partner, Ticket, User
from portal_app.tickets import kinds, service
from tests import factories
from tests.e2e.people import OPERATOR, PHONE, WIDE, Company, People
from tests.e2e.test_frame import serious

SAME = "window.stillTheSamePage"
PNG: FilePayload = {"name": "screen.png", "mimeType": "image/png", "buffer": b"\x89PNG\r\n\x1a\n" + b"0" * 64}
NOTE, ANSWER = "They always forget the consent.", "Please renew the consent."


def new_ticket(page: Page, text: str = "Nothing since Monday.") -> None:
    page.get_by_label("Topic").select_option("Backups and restores")
    page.get_by_label("Subject").fill("It stopped")
    page.get_by_label("Your message").fill(text)


def messages(page: Page) -> Any:
    # Not by role: a message has a list of files.
    return page.get_by_role("list", name="Conversation").locator("> li")


def _mails(session: Session, to: str) -> list[str]:
    found = session.exec(select(OutboxMail).where(col(OutboxMail.recipient) == to)).all()
    letters = [unpack(crypto.unseal(mail.sealed, binding=place_of(mail))) for mail in found]
    return ["\n".join([one.subject, *one.paragraphs, *(one.action or ())]) for one in letters]


def test_a_ticket_with_a_file_is_answered_live_and_by_mail(people: People, company: Company, tmp_path: Path) -> None:
    company.add("Ash & Co", "Birch")
    code = db.read(lambda session: session.get_one(Partner, company.partner_id).code)
    page = people.open(company.email, "/support/tickets")
    expect(page.get_by_role("heading", name="No tickets yet")).to_be_visible()
    page.get_by_role("link", name="Open a Ticket").first.click()
    expect(page.get_by_role("heading", name="Open a Ticket")).to_be_visible()
    new_ticket(page)
    page.get_by_role("searchbox", name="Search accounts", exact=True).fill("ash")
    page.get_by_role("list", name="Accounts found").get_by_role("button", name="Ash & Co").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("group", name="Account").get_by_text("Ash & Co")).to_be_visible()
    page.get_by_label("Files", exact=True).set_input_files([PNG])
    expect(page.get_by_role("list", name="Files to send")).to_contain_text("screen.png")
    page.get_by_role("button", name="Send ticket").click()
    expect(page.get_by_role("heading", name="It stopped")).to_be_visible()
    expect(messages(page)).to_have_count(1)
    expect(page.get_by_role("definition").filter(has_text="Ash & Co")).to_be_visible()
    page.evaluate(f"{SAME} = true")

    staff = people.open(OPERATOR, f"/operator/tickets?partner={code}")
    staff.get_by_role("link", name="It stopped").click()
    with staff.expect_download() as kept:
        staff.get_by_role("link", name="screen.png").click()
    kept.value.save_as(tmp_path / "kept.png")
    assert (tmp_path / "kept.png").read_bytes() == PNG["buffer"]
    staff.get_by_label("Internal note").check()
    expect(staff.get_by_role("button", name="Keep note")).to_be_visible()
    staff.get_by_role("textbox", name="Internal note").fill(NOTE)
    staff.get_by_role("button", name="Keep note").click()
    expect(messages(staff)).to_have_count(2)
    staff.get_by_label("Answer", exact=True).first.check()
    staff.get_by_role("textbox", name="Answer").fill(ANSWER)
    staff.get_by_role("button", name="Send answer").click()
    expect(messages(staff)).to_have_count(3)
    expect(staff.get_by_role("textbox", name="Answer")).to_have_value("")

    expect(messages(page)).to_have_count(2)
    expect(messages(page).last).to_contain_text(ANSWER)
    expect(page.get_by_text("Something new was written here.")).to_be_visible()
    assert page.evaluate(SAME)
    assert NOTE not in page.content()
    (mail,) = db.read(_mails, company.email)
    assert ANSWER in mail
    assert NOTE not in mail
    assert "/support/tickets/" in mail
    _thanks_and_closes(page, staff)


def _thanks_and_closes(page: Page, staff: Page) -> None:
    page.get_by_label("Your message").fill("That was it.")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(messages(page)).to_have_count(3)
    expect(messages(staff)).to_have_count(4)
    page.get_by_role("button", name="Close ticket").click()
    expect(page.get_by_text("This ticket is closed. Your message opens it again.")).to_be_visible()
    page.get_by_role("link", name="My Tickets").click()
    row = page.get_by_role("row", name=re.compile("It stopped"))
    expect(row).to_contain_text("Closed")
    page.get_by_label("State").select_option("Open")
    expect(page.get_by_role("heading", name="No ticket matches")).to_be_visible()


def test_what_was_typed_is_never_lost(people: People, company: Company) -> None:
    (account,) = company.add("Elm")
    page = people.open(company.email, f"/support/tickets/new?account={account}&subject=From+a+link")
    expect(page.get_by_label("Subject")).to_have_value("From a link")
    expect(page.get_by_role("group", name="Account")).to_contain_text("Elm")
    page.get_by_label("Your message").fill("A long story")
    page.get_by_label("Files", exact=True).set_input_files([PNG, {**PNG, "name": "fake.pdf"}])
    expect(page.get_by_text(kinds.NOT_ITS_KIND)).to_be_visible()
    people.expect_fault("422")
    page.get_by_role("button", name="Send ticket").click()
    expect(page.get_by_text("Choose what it is about.")).to_be_visible()
    expect(page.get_by_label("Topic")).to_be_focused()
    page.reload()
    expect(page.get_by_label("Your message")).to_have_value("A long story")
    expect(page.get_by_role("list", name="Files to send").get_by_role("listitem")).to_have_count(1)
    page.get_by_role("button", name="Remove screen.png").click()
    expect(page.get_by_role("list", name="Files to send")).to_have_count(0)
    db.write(lambda session: session.delete(session.get_one(factories.Account, account)))
    page.get_by_label("Topic").select_option("Billing")
    page.get_by_role("button", name="Send ticket").click()
    expect(page.get_by_text("This account is not there any more.")).to_be_visible()
    page.get_by_role("button", name="Choose another").click()
    page.get_by_role("button", name="Send ticket").click()
    expect(page.get_by_role("heading", name="From a link")).to_be_visible()
    page.goto("/support/tickets/new")
    expect(page.get_by_label("Your message")).to_have_value("")


def _asked(session: Session, email: str) -> Ticket:
    user = session.exec(select(User).where(col(User.email) == email)).one()
    new = {"topic": "other", "subject": "How do I find this?", "text": "Where is it?\n\nI looked."}
    return service.open_ticket(session, factories.actor(user), **new)


@pytest.mark.parametrize(("window", "theme"), [(WIDE, "dark"), (PHONE, "light")], ids=["1440 dark", "390 light"])
def test_axe_finds_no_serious_fault(people: People, company: Company, window: dict[str, int], theme: Any) -> None:
    ticket = db.write(_asked, company.email)
    seen = {
        company.email: ("/support/tickets", "/support/tickets/new", f"/support/tickets/{ticket.id}"),
        OPERATOR: ("/operator/tickets", f"/operator/tickets/{ticket.id}"),
    }
    for who, paths in seen.items():
        page = people.open(who, viewport=window, color_scheme=theme)
        for path in paths:
            page.goto(path)
            shown = page.get_by_role("row") if path.endswith("tickets") else page.get_by_label("Files", exact=True)
            expect(shown.last).to_be_visible()
            expect(page.locator(".skeleton, .skeleton-row")).to_have_count(0)
            assert serious(page) == [], path
            overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert overflow <= 0, path
