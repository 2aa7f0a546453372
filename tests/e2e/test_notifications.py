"""Notifications: who is added hears of a failed backup; Backup Radar once an operator has turned it on."""

from threading import Event

from playwright.sync_api import Locator, Page, expect
from sqlmodel import Session, col, select

from portal_app import clock, db
from portal_app.auth.permissions import Permission
from portal_app.mail.outbox import letter_of
from portal_app.models import Account, BackupTask, OutboxMail, Partner, Role
from portal_app.notifications import looking
from tests import factories
from tests.e2e.people import OPERATOR, Company, People
from tests.notifications.news import run

PAGE = "/settings/notifications"
KINDS = (
    "Summary report",
    "Recovery notification",
    "Exceptions notification",
    "Auto discovery notification",
    "Trial accounts report",
)


def row(page: Page, name: str) -> Locator:
    return page.get_by_role("row").filter(has_text=name)


def fill(page: Page, email: str, name: str, *kinds: str) -> None:
    page.get_by_label("Email", exact=True).fill(email)
    page.get_by_label("Display name").fill(name)
    for kind in kinds:
        page.get_by_role("checkbox", name=kind).check()
    page.get_by_role("button", name="Save", exact=True).click()


def add(page: Page, email: str, name: str, *kinds: str) -> None:
    page.get_by_role("button", name="+ Add new recipient").click()
    fill(page, email, name, *kinds)
    expect(row(page, name)).to_be_visible()


def outcome(page: Page) -> Locator:
    return page.get_by_role("main").locator(".callout")


def mails_to(email: str) -> list[OutboxMail]:
    wanted = select(OutboxMail).where(OutboxMail.recipient == email).order_by(col(OutboxMail.id))
    return db.read(lambda session: list(session.exec(wanted)))


def test_a_recipient_is_added_corrected_and_deleted(people: People, company: Company) -> None:
    page = people.open(company.email, PAGE)
    expect(page.get_by_role("heading", name="Notifications", level=1)).to_be_visible()
    tabs = page.get_by_role("navigation", name="Settings").get_by_role("link")
    expect(tabs).to_have_text(["Account", "User Management", "Security", "IP Restrictions", "Notifications", "API"])
    expect(page.get_by_text("No recipients yet")).to_be_visible()
    page.get_by_role("button", name="+ Add new recipient").click()
    fill(page, "ann", "")
    expect(page.get_by_text("Enter an address such as name@company.com.")).to_be_visible()
    expect(page.get_by_text("Choose at least one.")).to_be_visible()
    expect(page.get_by_label("Email", exact=True)).to_have_value("ann")
    fill(page, "ann@readers.example", "Ann", *KINDS)
    expect(row(page, "Ann")).to_contain_text(", ".join(KINDS))

    page.get_by_role("button", name="Edit Ann").click()
    expect(page.get_by_label("Email", exact=True)).to_have_value("ann@readers.example")
    page.get_by_role("checkbox", name="Trial accounts report").uncheck()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(row(page, "Ann")).not_to_contain_text("Trial accounts report")
    page.reload()
    expect(row(page, "Ann")).to_contain_text("Auto discovery notification")
    expect(row(page, "Ann")).not_to_contain_text("Trial accounts report")

    page.get_by_role("button", name="Delete Ann").click()
    page.get_by_role("button", name="Cancel").click()
    expect(row(page, "Ann")).to_be_visible()
    page.get_by_role("button", name="Delete Ann").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_text("No recipients yet")).to_be_visible()


def test_the_general_settings_and_a_test(people: People, company: Company) -> None:
    page = people.open(company.email, PAGE)
    page.get_by_role("button", name="Send a test").click()
    expect(outcome(page)).to_contain_text("Add a recipient first.")
    add(page, f"test-{company.partner_id}@readers.example", "Tess", "Summary report")
    expect(page.get_by_role("radio", name="Daily")).to_be_checked()
    page.get_by_role("radio", name="Weekly").check()
    page.get_by_role("radio", name="Exceptions only").check()
    page.get_by_role("radio", name="Link").check()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(outcome(page)).to_contain_text("Saved.")
    page.reload()
    for name in ("Weekly", "Exceptions only", "Link"):
        expect(page.get_by_role("radio", name=name)).to_be_checked()
    page.get_by_role("button", name="Send a test").click()
    expect(outcome(page)).to_contain_text("A test goes to 1 recipient.")
    (mail,) = mails_to(f"test-{company.partner_id}@readers.example")
    letter = letter_of(mail)
    assert letter and "every Monday, with exceptions only" in " ".join(letter.paragraphs)


def test_a_failed_backup_is_mailed(people: People, company: Company) -> None:
    (number,) = company.add("Acme")
    to = f"failures-{company.partner_id}@readers.example"

    def begin(session: Session) -> None:
        factories.save(session, BackupTask(account_id=number, key="k", name="Mail", created_at=clock.now()))

    db.write(begin)
    page = people.open(company.email, PAGE)
    add(page, to, "Fay", "Exceptions notification")
    db.write(lambda session: run(session, session.get_one(Account, number), "failed", message="The disk is full."))
    # The server looks each minute; whoever is first tells it.
    for look in looking.looks(Event()):
        look()
    (mail,) = mails_to(to)
    assert mail.subject == "Backup failed: Acme: Mail"


def test_backup_radar_is_there_once_an_operator_has_turned_it_on(people: People, company: Company) -> None:
    page = people.open(company.email, PAGE)
    expect(page.get_by_role("radio", name="Daily")).to_be_visible()
    expect(page.get_by_label("Backup Radar address")).to_have_count(0)
    code = db.read(lambda session: session.get_one(Partner, company.partner_id).code)
    operators = people.open(OPERATOR, f"/operator/partners/{code}/billing")
    operators.get_by_role("switch", name="Backup Radar").click()
    expect(operators.get_by_role("switch", name="Backup Radar")).to_be_checked()
    page.reload()
    page.get_by_label("Backup Radar address").fill("radar@")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Enter an address such as name@company.com.")).to_be_visible()
    page.get_by_label("Backup Radar address").fill("radar@readers.example")
    page.get_by_role("radio", name="Zip").check()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(outcome(page).filter(has_text="Saved.")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Backup Radar address")).to_have_value("radar@readers.example")
    expect(page.get_by_role("radio", name="Zip")).to_be_checked()


def test_who_sees_some_accounts_does_not_see_the_page(people: People, company: Company) -> None:
    (number,) = company.add("Acme")

    def colleague(session: Session) -> str:
        partner, granted = session.get(Partner, company.partner_id), [str(Permission.NOTIFICATIONS_MANAGE)]
        user = factories.user(session, partner, role=Role.CUSTOM, permissions=granted)
        factories.give_accounts(session, user, session.get_one(Account, number))
        return str(user.email)

    page = people.open(db.write(colleague), PAGE)
    expect(page.get_by_text("you see some of them")).to_be_visible()
    expect(page.get_by_role("navigation", name="Settings").get_by_role("link", name="Notifications")).to_have_count(0)
