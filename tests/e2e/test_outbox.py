"""The outbox of a demo: found from the sign-in page, read by anybody, absent elsewhere."""

import re

from playwright.sync_api import expect
from sqlmodel import Session, col, select

from portal_app import db
from portal_app.mail.letter import Letter
from portal_app.mail.links import absolute
from portal_app.mail.service import queue
from portal_app.models import Partner
from portal_app.settings import reset_settings
from tests.e2e.people import ADMIN, Company, People


def letter(subject: str) -> Letter:
    return Letter(
        subject,
        ("Somebody asked for a new password for Amélie Devereux.", "If it was not you, do nothing."),
        action=("Set a new password", absolute("/login?from=mail")),
        small=("The link is good for one hour and for one use.",),
        items=(("Bäckerei Müßiggang & Söhne", absolute("/accounts/1"), "Ends Dec 5, 2026, 3:07 PM"),),
    )


def put(session: Session, to: str, subject: str, partner_id: int | None) -> None:
    queue(session, to, letter(subject), kind="test", partner_id=partner_id)


def of_demo(session: Session) -> int:
    return session.exec(select(Partner.id).where(col(Partner.is_demo)).order_by(col(Partner.id))).first() or 0


def test_somebody_who_is_not_signed_in_reads_a_mail_and_follows_its_link(
    people: People, company: Company, portal, monkeypatch
) -> None:
    monkeypatch.setenv("PORTAL_PORT", str(portal.port))
    reset_settings()
    demo = db.read(of_demo)
    for number in range(26):
        db.write(put, ADMIN, f"Older mail {number}", demo)
    db.write(put, company.email, "A real partner's mail", company.partner_id)
    db.write(put, ADMIN, "Reset your password", demo)
    page = people.open(path="/login")
    page.get_by_role("link", name="Read their mail in the outbox").click()
    expect(page.get_by_role("heading", name="Outbox", level=1)).to_be_visible()
    table = page.get_by_role("table", name="Mail, newest first")
    expect(table.locator("tbody tr")).to_have_count(25)
    expect(table.locator("tbody tr").first).to_contain_text("Reset your password")
    expect(table).not_to_contain_text("A real partner's mail")
    page.get_by_role("link", name="Next").click()
    expect(page).to_have_url(re.compile(r"page=2"))
    expect(table).to_contain_text("Older mail 0")
    page.go_back()
    page.get_by_role("link", name="Reset your password").click()
    expect(page.get_by_role("heading", name="Reset your password", level=1)).to_be_visible()
    rendered = page.frame_locator("iframe[title='The mail as HTML']")
    expect(rendered.get_by_role("link", name="Set a new password")).to_have_attribute("target", "_blank")
    page.reload()
    page.get_by_role("region", name="Text").get_by_role("link", name="/login?from=mail").click()
    expect(page).to_have_url(re.compile(r"/login/?\?from=mail"))
    page.goto("/outbox?mail=999999")
    expect(page.get_by_role("heading", name="Page not found")).to_be_visible()
