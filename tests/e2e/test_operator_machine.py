"""An operator adds a storage location, does a failed job again, drops a mail and sends it after all."""

from typing import Any

import pytest
from playwright.sync_api import expect
from sqlmodel import select

from portal_app import clock, db
from portal_app.mail.letter import Letter
from portal_app.mail.service import queue
from portal_app.models import DataCenter, Job, JobState, OutboxMail, Partner
from tests.e2e.people import OPERATOR, PHONE, WIDE, Company, People
from tests.e2e.test_frame import serious


def code_of(company: Company) -> str:
    return db.read(lambda session: session.get_one(Partner, company.partner_id).code)


def test_a_storage_location_is_added_and_becomes_a_default(people: People, company: Company) -> None:
    code = code_of(company).lower()
    page = people.open(OPERATOR, "/operator/storage")
    page.get_by_role("link", name="+ Add storage location").click()
    form = page.get_by_role("region", name="Location", exact=True)
    form.get_by_label("Code").fill("Not a code")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(form.get_by_text("Enter the location's name.")).to_be_visible()
    form.get_by_label("Name").fill(f"Place of {code}")
    form.get_by_label("Code").fill(code)
    page.get_by_label("Folder").fill(f"disk-2/{code}")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text(f"Place of {code} was added.")).to_be_visible()
    page.get_by_role("link", name=f"Place of {code}").click()
    expect(page.get_by_role("region", name="Facts").get_by_text(f"disk-2/{code}")).to_be_visible()
    page.get_by_role("button", name="Check storage").click()
    expect(page.get_by_text("The storage was written to, read and cleaned.")).to_be_visible()

    page.goto(f"/operator/partners/{code.upper()}")
    page.get_by_label("Location of new accounts").select_option(f"Place of {code}")
    page.get_by_role("button", name="Save location").click()
    expect(page.get_by_text(f"New accounts begin in Place of {code}.")).to_be_visible()

    page.goto(f"/operator/storage/{code}")
    page.get_by_role("button", name="Retire location").click()
    dialog = page.get_by_role("dialog", name="Retire this location?")
    expect(dialog.get_by_text("It is the default of one partner.")).to_be_visible()
    dialog.get_by_role("button", name="Retire", exact=True).click()
    expect(page.get_by_role("button", name="Open again")).to_be_visible()
    kept = db.read(lambda session: session.exec(select(DataCenter).where(DataCenter.code == code)).one())
    assert not kept.active


def test_a_failed_job_is_done_again_and_stopped(people: People, company: Company) -> None:
    code = code_of(company)

    def fail(session) -> int:
        values = {"kind": "forget", "partner_id": company.partner_id, "payload": {"storage": {}, "vaults": []}}
        ended = {"state": JobState.FAILED, "fault": "The storage can't be reached.", "finished_at": clock.now()}
        job = Job(**values, **ended, attempts=3, run_at=clock.now(), created_at=clock.now(), made_by="Portal")
        session.add(job)
        session.flush()
        return job.id or 0

    number = db.write(fail)
    page = people.open(OPERATOR, f"/operator/jobs?partner={code}")
    expect(page.get_by_role("heading", name="1 of ")).to_be_visible()
    page.get_by_role("link", name=str(number), exact=True).click()
    expect(page.get_by_text("The storage can't be reached.")).to_be_visible()
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)
    page.get_by_role("button", name="Retry").click()
    expect(page.get_by_role("heading", name=f"Deletion of data {number + 1}")).to_be_visible()


def test_a_mail_is_dropped_and_sent_after_all(people: People, company: Company) -> None:
    to = f"ash-{company.partner_id}@people.example"
    letter = Letter("Hello Ash", ("Plain words.",), action=("Sign in", "https://portal.example/reset?token=secret"))
    db.write(queue, to, letter, kind="reset", partner_id=company.partner_id)
    page = people.open(OPERATOR, f"/operator/mail?search={to}")
    page.get_by_role("link", name="Hello Ash").click()
    text = page.get_by_role("region", name="Text")
    expect(text.get_by_text("Plain words.")).to_be_visible()
    expect(text.get_by_text("Sign in: [link hidden]")).to_be_visible()
    expect(page.get_by_text("token=secret")).to_have_count(0)
    page.get_by_role("button", name="Drop").click()
    page.get_by_role("dialog").get_by_role("button", name="Drop mail").click()
    expect(page.get_by_text("The mail was dropped.")).to_be_visible()
    page.get_by_role("button", name="Send again").click()
    expect(page.get_by_text("The mail is on its way again.")).to_be_visible()
    kept = db.read(lambda session: session.exec(select(OutboxMail).where(OutboxMail.recipient == to)).one())
    assert kept.state == "waiting"


PAGES = (
    ("/operator/storage", "Storage"),
    ("/operator/storage/new", "Storage"),
    ("/operator/storage/fr-paris", "Storage"),
    ("/operator/jobs", "Jobs"),
    ("/operator/mail", "Mail"),
)


@pytest.mark.parametrize(("window", "theme"), [(WIDE, "dark"), (PHONE, "light")], ids=["1440 dark", "390 light"])
def test_axe_finds_no_serious_fault(people: People, window: dict[str, int], theme: Any) -> None:
    """And the row of tabs shows the open one, however short it is."""
    page = people.open(OPERATOR, "/operator", viewport=window, color_scheme=theme)
    for path, name in PAGES:
        page.goto(path)
        tabs = page.get_by_role("navigation", name="Operator console")
        expect(tabs.get_by_role("link", name=name, exact=True)).to_be_in_viewport(ratio=0.9)
        expect(page.locator(".skeleton")).to_have_count(0)
        assert serious(page) == [], path
        overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert overflow <= 0, path
