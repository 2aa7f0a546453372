"""An account's Backups: the list, a new task, what is done with tasks, and a running backup seen live."""

import re
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect
from sqlmodel import Session, col, select

from portal_app import clock, db
from portal_app.auth.actor import system
from portal_app.backups import tasks
from portal_app.backups.task_forms import WantedTask
from portal_app.models import BackupTask, Job, JobState, Partner, UserAccount
from tests import factories
from tests.e2e.people import PHONE, WIDE, Company, People
from tests.e2e.test_frame import serious

S3 = {"bucket": "files", "access_key_id": "AKIA", "secret_access_key": "s3cr3t"}


def files(name: str = "Files", **given: Any) -> WantedTask:
    return WantedTask(**{"name": name, "service": "s3", "source_kind": "s3", "source": S3} | given)


def add(company: Company, account: int, *wanted: WantedTask) -> list[int]:
    return [db.write(tasks.add, system(company.partner_id), account, one) for one in wanted]


def backups(people: People, company: Company, account: int, **options: Any) -> Page:
    page = people.open(company.email, f"/accounts/{account}/backups", **options)
    expect(page.get_by_role("heading", name="Backups", exact=True)).to_be_visible()
    expect(page.get_by_role("heading", name="of")).to_be_visible()
    return page


def line(page: Page, name: str) -> Locator:
    return page.get_by_role("table", name="Backup tasks").get_by_role("row").filter(has_text=name)


def task_of(account: int, name: str) -> BackupTask | None:
    wanted = select(BackupTask).where(col(BackupTask.account_id) == account, col(BackupTask.name) == name)
    return db.read(lambda session: session.exec(wanted).first())


def test_a_new_task_is_added_by_keyboard_and_faults_lose_nothing(people: People, company: Company) -> None:
    (account,) = company.add("Adder")
    page = people.open(company.email, f"/accounts/{account}/backups")
    expect(page.get_by_role("heading", name="Nothing is backed up yet")).to_be_visible()
    page.get_by_role("link", name="+ Add Backup Task").first.click()
    expect(page.get_by_role("heading", name="Add Backup Task")).to_be_visible()
    page.get_by_label("Service").select_option(label="Dropbox")
    page.get_by_label("What is backed up").select_option(label="WebDAV")
    # By its whole name: the S3 form that is still there has an Endpoint URL, and goes with what is typed into it.
    expect(page.get_by_label("URL", exact=True)).to_be_visible()
    page.get_by_label("What is backed up").select_option(label="S3 bucket")
    page.get_by_label("Bucket").fill("documents")
    page.get_by_label("Access key ID").fill("AKIA7")
    page.get_by_label("How often").select_option(label="Weekly")
    page.get_by_label("How long backups are kept").select_option(label="1 year")
    page.get_by_role("radio", name="Ask").check()
    # Enter in a field saves; it does not check.
    page.get_by_label("Access key ID").press("Enter")
    expect(page.get_by_label("Name", exact=True)).to_be_focused()
    expect(page.get_by_text("Enter a name.")).to_be_visible()
    expect(page.get_by_label("Bucket")).to_have_value("documents")
    expect(page.get_by_label("Service")).to_have_value("dropbox")
    expect(page.get_by_role("radio", name="Ask")).to_be_checked()
    assert serious(page) == []
    page.get_by_label("Name", exact=True).fill("Documents")
    page.get_by_label("Secret access key").fill("never-shown-again")
    page.get_by_role("button", name="Add Backup Task").click()
    expect(page.get_by_text("Documents was added.")).to_be_visible()
    expect(line(page, "Documents").get_by_role("cell", name="Dropbox")).to_be_visible()
    task = task_of(account, "Documents")
    assert task
    assert (task.every, task.hour, task.keep_days, task.discovery) == ("weekly", 2, 365, "ask")
    page.get_by_role("link", name="Edit Documents").click()
    expect(page.get_by_role("heading", name="Edit Backup Task")).to_be_visible()
    expect(page.get_by_label("Bucket")).to_have_value("documents")
    expect(page.get_by_label("Secret access key")).to_have_value("")
    expect(page.get_by_label("How often")).to_have_value("weekly")
    page.get_by_label("Name", exact=True).fill("Papers")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Papers was saved.")).to_be_visible()
    assert task_of(account, "Papers")


def test_check_says_by_the_field_what_is_wrong_and_saves_nothing(people: People, company: Company) -> None:
    (account,) = company.add("Checker")
    page = people.open(company.email, f"/accounts/{account}/tasks/new")
    page.get_by_label("Endpoint URL").fill("https://127.0.0.1:9")
    page.get_by_label("Bucket").fill("files")
    page.get_by_label("Access key ID").fill("AKIA")
    page.get_by_label("Secret access key").fill("typed-once")
    page.get_by_role("button", name="Check").click()
    endpoint = page.get_by_label("Endpoint URL")
    expect(endpoint).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Secret access key")).to_have_value("typed-once")
    assert (
        db.read(lambda session: session.exec(select(BackupTask).where(col(BackupTask.account_id) == account)).all())
        == []
    )


def test_search_and_view_live_in_the_address_and_ticked_tasks_are_paused(people: People, company: Company) -> None:
    (account,) = company.add("Sifter")
    add(company, account, files("Alpha"), files("Beta"), files("Gamma", engine="reported"))
    page = backups(people, company, account)
    expect(page.get_by_role("heading", name="3 of 3 backup tasks")).to_be_visible()
    expect(line(page, "Gamma")).to_contain_text("Outside tool")
    expect(line(page, "Gamma").get_by_role("button", name="Back up now")).to_have_count(0)
    for name in ("Alpha", "Gamma"):
        page.get_by_role("checkbox", name=f"Select {name}").check()
    expect(page.get_by_text("2 selected")).to_be_visible()
    page.get_by_role("button", name="Pause", exact=True).click()
    expect(page.get_by_text("2 of 2 tasks paused.")).to_be_visible()
    expect(line(page, "Alpha").get_by_role("switch")).to_have_attribute("aria-checked", "false")
    page.get_by_label("View", exact=True).select_option(label="Paused")
    expect(page.get_by_role("heading", name="2 of 3 backup tasks")).to_be_visible()
    page.get_by_role("searchbox", name="Search", exact=True).fill("gam")
    expect(page.get_by_role("heading", name="1 of 3 backup tasks")).to_be_visible()
    expect(page).to_have_url(re.compile(r"view=paused.*search=gam|search=gam.*view=paused"))
    page.reload()
    expect(page.get_by_role("heading", name="1 of 3 backup tasks")).to_be_visible()
    line(page, "Gamma").get_by_role("switch", name="Back up Gamma").click()
    expect(page.get_by_role("heading", name="No task matches")).to_be_visible()
    page.get_by_role("link", name="Show all tasks").click()
    expect(line(page, "Gamma").get_by_role("switch")).to_have_attribute("aria-checked", "true")


def test_a_running_backup_is_followed_without_a_reload(people: People, company: Company) -> None:
    (account,) = company.add("Runner")
    (task,) = add(company, account, files())
    page = backups(people, company, account)
    job = db.write(_run, company.partner_id, account, task)
    expect(line(page, "Files")).to_contain_text("Copying Sales · 10 %")
    db.write(_tell, job, 64)
    expect(line(page, "Files").get_by_role("progressbar")).to_have_js_property("value", 64)
    line(page, "Files").get_by_role("button", name="Cancel the backup of Files").click()
    expect(line(page, "Files")).to_contain_text("Stopping")
    db.write(_end, job)
    expect(line(page, "Files").get_by_role("progressbar")).to_have_count(0)
    expect(line(page, "Files").get_by_role("button", name="Back up now Files")).to_be_visible()


def _run(session: Session, partner_id: int, account: int, task: int) -> int:
    now = clock.now()
    job = Job(
        kind="backup",
        partner_id=partner_id,
        account_id=account,
        task_id=task,
        state=JobState.RUNNING,
        run_at=now,
        created_at=now,
        started_at=now,
        # No worker takes it over.
        lease_until=now + timedelta(days=1),
        progress={"percent": 10, "words": "Copying Sales"},
    )
    return int(factories.save(session, job).id)


def _tell(session: Session, job_id: int, percent: int) -> None:
    job = session.get_one(Job, job_id)
    job.progress = {"percent": percent, "words": "Copying Sales"}
    session.add(job)


def _end(session: Session, job_id: int) -> None:
    job = session.get_one(Job, job_id)
    job.state, job.finished_at = JobState.CANCELED, clock.now()
    session.add(job)


def test_a_task_is_deleted_once_its_name_is_typed(people: People, company: Company) -> None:
    (account,) = company.add("Deleter")
    add(company, account, files())
    page = backups(people, company, account)
    page.get_by_role("button", name="Delete Files").click()
    dialog = page.get_by_role("alertdialog", name="Delete this backup task?")
    expect(dialog).to_contain_text("deleted from the storage")
    expect(dialog.get_by_role("button", name="Delete task and data")).to_be_disabled()
    assert serious(page) == []
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.get_by_role("button", name="Delete Files").click()
    dialog.get_by_label("Task name").fill("Files")
    dialog.get_by_role("button", name="Delete task and data").click()
    expect(page.get_by_text("Files was deleted.")).to_be_visible()
    expect(page.get_by_role("heading", name="Nothing is backed up yet")).to_be_visible()


def test_who_may_only_look_sees_no_act(people: People, company: Company) -> None:
    (account,) = company.add("Looked at")
    add(company, account, files())
    email = db.write(_looker, company.partner_id, account)
    page = people.open(email, f"/accounts/{account}/backups")
    expect(line(page, "Files")).to_be_visible()
    expect(page.get_by_role("checkbox")).to_have_count(0)
    expect(line(page, "Files").get_by_role("button")).to_have_count(0)
    expect(line(page, "Files").get_by_role("switch")).to_have_count(0)
    expect(page.get_by_role("link", name="+ Add Backup Task")).to_have_count(0)
    page.goto(f"/accounts/{account}/tasks/new")
    expect(page.get_by_role("heading", name="Access denied")).to_be_visible()


def _looker(session: Session, partner_id: int, account: int) -> str:
    granted = ["dashboard:view", "accounts:access"]
    partner = session.get_one(Partner, partner_id)
    user = factories.user(session, partner, role="custom", permissions=granted, all_accounts=False)
    session.add(UserAccount(user_id=user.id, account_id=account))
    session.flush()
    return str(user.email)


@pytest.mark.parametrize(("window", "theme"), [(WIDE, "light"), (PHONE, "dark")], ids=["1440 light", "390 dark"])
def test_axe_finds_no_serious_fault(people: People, company: Company, window: dict[str, int], theme: Any) -> None:
    (account,) = company.add("Axe")
    tasks_there = add(company, account, files("A name of sixty characters, as long as anybody will ever make"), files())
    db.write(_run, company.partner_id, account, tasks_there[1])
    page = backups(people, company, account, viewport=window, color_scheme=theme)
    expect(page.get_by_role("progressbar")).to_be_visible()
    assert serious(page) == []
    for path in ("tasks/new", f"tasks/{tasks_there[0]}/edit"):
        page.goto(f"/accounts/{account}/{path}")
        expect(page.get_by_label("Bucket")).to_be_visible()
        assert serious(page) == []
        overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert overflow <= 0
