"""Subscribing the ticked accounts and deleting a trial."""

import re

from playwright.sync_api import Locator, Page, expect
from sqlmodel import Session, col, func, select

from portal_app import db
from portal_app.audit.tags import Activity
from portal_app.models import Account, AccountStatus, AuditEvent
from tests.e2e.people import Company, People, ready


def dialog(page: Page) -> Locator:
    return page.get_by_role("dialog").or_(page.get_by_role("alertdialog"))


def row(page: Page, name: str) -> Locator:
    return page.get_by_role("row").filter(has=page.get_by_role("checkbox", name=f"Select {name}", exact=True))


def tick(page: Page, *names: str) -> None:
    for name in names:
        row(page, name).get_by_role("checkbox").check()
    expect(page.get_by_text(f"{len(names)} selected", exact=True)).to_be_visible()


def ask_to_subscribe(page: Page, plan: str) -> Locator:
    page.get_by_role("button", name="Subscribe", exact=True).first.click()
    page.get_by_role("button", name=plan, exact=True).click()
    expect(dialog(page)).to_be_visible()
    return dialog(page)


def ask_to_delete(page: Page, name: str) -> Locator:
    row(page, name).get_by_role("button", name=f"Delete trial {name}").click()
    expect(dialog(page)).to_be_visible()
    return dialog(page)


def outcome(page: Page) -> Locator:
    return page.get_by_role("main").locator(".callout")


def statuses(company: Company) -> dict[str, str]:
    def read(session: Session) -> dict[str, str]:
        found = session.exec(select(Account).where(col(Account.partner_id) == company.partner_id)).all()
        return {account.name: account.status for account in found}

    return db.read(read)


def audited(company: Company, activity: str) -> int:
    def read(session: Session) -> int:
        rows = select(func.count()).where(
            col(AuditEvent.partner_id) == company.partner_id, col(AuditEvent.activity) == activity
        )
        return session.exec(rows).one()

    return db.read(read)


def test_subscribe_names_the_count_and_leaves_subscribed_ones_alone(people: People, company: Company) -> None:
    company.add("First Trial", "Second Trial", "Third Trial")
    company.add("Paying", status=AccountStatus.MONTHLY)
    page = ready(people.open(company.email))
    tick(page, "First Trial", "Second Trial", "Paying")
    asked = ask_to_subscribe(page, "Annual")
    expect(asked).to_contain_text("3 selected")
    expect(asked.get_by_role("heading")).to_have_text("Subscribe annually?")
    asked.get_by_role("button", name="Subscribe").click()
    expect(outcome(page)).to_contain_text("2 accounts subscribed (Annual). 1 left alone")
    expect(dialog(page)).to_be_hidden()
    expect(row(page, "First Trial")).to_contain_text("Annual Subscribed")
    expect(page.get_by_role("checkbox", checked=True)).to_have_count(0)
    assert statuses(company) == {
        "First Trial": "annual",
        "Second Trial": "annual",
        "Third Trial": "trial_started",
        "Paying": "monthly",
    }


def test_a_double_click_subscribes_once(people: People, company: Company) -> None:
    company.add("Only One")
    page = ready(people.open(company.email))
    tick(page, "Only One")
    ask_to_subscribe(page, "Monthly").get_by_role("button", name="Subscribe").dblclick()
    expect(outcome(page)).to_have_text(re.compile(r"^1 account subscribed \(Monthly\)\."))
    assert statuses(company) == {"Only One": "monthly"}
    assert audited(company, Activity.SUBSCRIBED) == 1


def test_cancel_and_escape_leave_everything_as_it_is(people: People, company: Company) -> None:
    company.add("Stays Trial")
    page = ready(people.open(company.email))
    tick(page, "Stays Trial")
    ask_to_subscribe(page, "Monthly").get_by_role("button", name="Cancel").click()
    expect(dialog(page)).to_be_hidden()
    ask_to_subscribe(page, "Monthly")
    page.keyboard.press("Escape")
    expect(dialog(page)).to_be_hidden()
    expect(page.get_by_text("1 selected", exact=True)).to_be_visible()
    assert statuses(company) == {"Stays Trial": "trial_started"}


def test_all_that_match_are_subscribed_across_pages(people: People, company: Company) -> None:
    company.add(*(f"Trial {number:02}" for number in range(30)))
    page = ready(people.open(company.email))
    page.get_by_role("checkbox", name="Select all rows on this page").check()
    page.get_by_role("button", name="Select all 30 that match").click()
    asked = ask_to_subscribe(page, "Monthly")
    expect(asked).to_contain_text("30 selected")
    asked.get_by_role("button", name="Subscribe").click()
    expect(outcome(page)).to_contain_text("30 accounts subscribed (Monthly).")
    assert set(statuses(company).values()) == {"monthly"}


def test_of_two_tabs_that_subscribe_and_delete_the_same_trial_one_wins(people: People, company: Company) -> None:
    company.add("Contested")
    subscriber, deleter = ready(people.open(company.email)), ready(people.open(company.email))
    tick(subscriber, "Contested")
    asked = ask_to_subscribe(subscriber, "Monthly")
    named = ask_to_delete(deleter, "Contested")
    named.get_by_label("Account name").fill("Contested")
    expect(named.get_by_role("button", name="Delete trial")).to_be_enabled()
    # Two sockets: both clicks are on their way before either has an answer.
    asked.get_by_role("button", name="Subscribe").click(no_wait_after=True)
    named.get_by_role("button", name="Delete trial").click(no_wait_after=True)
    expect(outcome(subscriber)).to_be_visible()
    told = outcome(deleter).or_(named.locator(".field-error"))
    expect(told.first).not_to_be_empty()
    if statuses(company) == {"Contested": "monthly"}:
        expect(outcome(subscriber)).to_contain_text("1 account subscribed")
        expect(named).to_contain_text(re.compile("subscribed already|isn't a trial|no such account"))
    else:
        assert statuses(company) == {}
        expect(outcome(deleter)).to_contain_text("The trial of Contested was deleted.")
        expect(outcome(subscriber)).to_contain_text("None of the accounts is there any more.")
    assert audited(company, Activity.SUBSCRIBED) + audited(company, Activity.TRIAL_CANCELED) == 1


def test_deleting_a_trial_takes_its_name(people: People, company: Company) -> None:
    company.add("Keep Me", "Lose Me")
    page = ready(people.open(company.email))
    named = ask_to_delete(page, "Lose Me")
    act = named.get_by_role("button", name="Delete trial")
    expect(named.get_by_label("Account name")).to_be_focused()
    expect(act).to_be_disabled()
    named.get_by_label("Account name").fill("lose me")
    expect(act).to_be_disabled()
    named.get_by_label("Account name").fill("Lose Me")
    expect(act).to_be_enabled()
    act.click()
    expect(outcome(page)).to_contain_text("The trial of Lose Me was deleted.")
    expect(page.get_by_role("heading", name="Total Accounts")).to_have_text("1 of 1 Total Accounts")
    assert statuses(company) == {"Keep Me": "trial_started"}


def test_escape_closes_the_question_and_focus_returns_to_the_bin(people: People, company: Company) -> None:
    company.add("Stays")
    page = ready(people.open(company.email))
    ask_to_delete(page, "Stays")
    page.keyboard.press("Escape")
    expect(dialog(page)).to_be_hidden()
    expect(page.get_by_role("button", name="Delete trial Stays")).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog(page)).to_be_visible()
    expect(dialog(page).get_by_label("Account name")).to_have_value("")


def test_a_subscribed_account_has_no_bin(people: People, company: Company) -> None:
    company.add("Paying", status=AccountStatus.ANNUAL)
    company.add("Trying")
    page = ready(people.open(company.email))
    expect(page.get_by_role("button", name="Delete trial Trying")).to_be_visible()
    expect(row(page, "Paying").get_by_role("button")).to_have_count(0)


def test_names_with_signs_that_html_knows_can_be_deleted(people: People, company: Company) -> None:
    name = 'Vytautas & Co <Cloud> "Partners"'
    company.add(name)
    page = ready(people.open(company.email))
    named = ask_to_delete(page, name)
    expect(named).to_contain_text(name)
    named.get_by_label("Account name").fill(name)
    named.get_by_role("button", name="Delete trial").click()
    expect(outcome(page)).to_contain_text(f"The trial of {name} was deleted.")
    assert statuses(company) == {}
