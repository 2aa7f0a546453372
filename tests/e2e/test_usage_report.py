"""The usage report, from the ticked rows to the mail."""

import io
import time
import zipfile

from playwright.sync_api import Page, expect
from sqlmodel import Session, select

from portal_app import db
from portal_app.auth.permissions import Permission
from portal_app.files import service as files
from portal_app.jobs.worker import Worker
from portal_app.mail.outbox import letter_of
from portal_app.models import Job, JobState, OutboxMail, Partner, Role
from portal_app.reports import usage
from tests import factories
from tests.e2e.people import Company, People, ready
from tests.e2e.test_subscribe_delete import dialog, tick

EXPORT = "Export Usage Report"
PATIENCE_SECONDS = 120
POLL_MS = 50


def report_of(page: Page, company: Company) -> str:
    """The CSV that was mailed to the company's administrator, made by the server's own worker or here."""
    wanted = select(OutboxMail).where(OutboxMail.recipient == company.email, OutboxMail.kind == usage.KIND)
    ends = time.monotonic() + PATIENCE_SECONDS
    while not (mail := db.read(lambda session: session.exec(wanted).first())):
        Worker({usage.KIND: usage.run}, 1).run_due()
        # Who has the job in hand ends it one way or the other.
        job = db.read(lambda session: session.exec(select(Job).where(Job.partner_id == company.partner_id)).one())
        assert job.state in (JobState.WAITING, JobState.RUNNING, JobState.DONE), job.fault
        assert time.monotonic() < ends, "no mail came"
        page.wait_for_timeout(POLL_MS)
    letter = letter_of(mail)
    assert letter
    ((_, source),) = letter.attachments
    with zipfile.ZipFile(io.BytesIO(files.attachment(source))) as archive:
        return archive.read("usage-report.csv").decode("utf-8-sig")


def ask(page: Page) -> None:
    page.get_by_role("button", name=EXPORT).click()
    expect(dialog(page).get_by_role("heading", name="Export usage report?")).to_be_visible()


def told(page: Page, email: str) -> None:
    words = f"Your usage report is being made. It comes to {email} by mail."
    expect(page.get_by_role("main").locator(".callout")).to_contain_text(words)


def test_the_ticked_accounts_and_no_others_come_by_mail(people: People, company: Company) -> None:
    company.add("Acme", "Bolt", "Cog")
    page = ready(people.open(company.email))
    expect(page.get_by_role("button", name=EXPORT)).to_have_count(0)
    tick(page, "Acme", "Cog")
    ask(page)
    expect(dialog(page).get_by_text("2 selected.")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(dialog(page)).to_have_count(0)
    assert db.read(lambda s: s.exec(select(Job).where(Job.partner_id == company.partner_id)).all()) == []
    ask(page)
    dialog(page).get_by_role("button", name="Confirm", exact=True).click()
    told(page, company.email)
    report = report_of(page, company)
    assert [line.partition(",")[0] for line in report.splitlines()] == ["Account", "Acme", "Cog"]


def test_all_that_match_on_every_page(people: People, company: Company) -> None:
    company.add(*(f"Firm {number:02}" for number in range(30)), "Other")
    page = ready(people.open(company.email, "/?search=firm"))
    page.get_by_role("checkbox", name="Select all rows on this page").check()
    page.get_by_role("button", name="Select all 30 that match").click()
    ask(page)
    expect(dialog(page).get_by_text("30 selected.")).to_be_visible()
    dialog(page).get_by_role("button", name="Confirm", exact=True).click()
    told(page, company.email)
    report = report_of(page, company)
    assert len(report.splitlines()) == 31
    assert "Other" not in report


def test_without_the_permission_there_is_no_button(people: People, company: Company) -> None:
    company.add("Acme")

    def add(session: Session) -> str:
        partner = session.get(Partner, company.partner_id)
        granted = [str(Permission.DASHBOARD_VIEW)]
        return str(factories.user(session, partner, role=Role.CUSTOM, permissions=granted).email)

    page = ready(people.open(db.write(add)))
    tick(page, "Acme")
    expect(page.get_by_role("button", name="Clear selection")).to_be_visible()
    expect(page.get_by_role("button", name=EXPORT)).to_have_count(0)
