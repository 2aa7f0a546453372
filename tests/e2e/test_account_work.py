"""From a folder to a restored file, through the pages: add, back up, look, restore, export, read what happened."""

import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sqlmodel import Session

from portal_app import clock, db
from portal_app.auth.actor import system
from portal_app.backups import tasks
from portal_app.backups.entities import service as entities
from portal_app.backups.entities.rows import SeenEntity
from portal_app.backups.task_forms import WantedTask
from portal_app.models import BackupRun, BackupTask, Outcome, Partner
from tests import factories
from tests.e2e.people import CUSTOMER, PHONE, WIDE, Company, People
from tests.e2e.servers import Portal
from tests.e2e.test_frame import serious

S3 = {"bucket": "files", "access_key_id": "AKIA", "secret_access_key": "s3cr3t"}
# A real backup on a machine that has other things to do.
PATIENTLY = 90_000


@pytest.fixture
def folder(portal: Portal, people: People, company: Company, tmp_path: Path) -> Iterator[Path]:
    """A folder that the running portal may back up: it is told of it at its next start."""
    (tmp_path / "hr").mkdir()
    (tmp_path / "sales").mkdir()
    (tmp_path / "hr" / "list.txt").write_text("Alice\nBob\n")
    (tmp_path / "sales" / "offer.bin").write_bytes(bytes(range(256)) * 64)
    portal.stop()
    with db.reading() as session:
        code = session.get_one(Partner, company.partner_id).code
    portal.settings["PORTAL_BACKUP_FOLDERS"] = f"{code}={tmp_path}"
    portal.start()
    yield tmp_path
    # No page is to see the portal go.
    for context in people.contexts:
        context.close()
    people.contexts.clear()
    portal.stop()
    del portal.settings["PORTAL_BACKUP_FOLDERS"]
    portal.start()


def tab(page: Page, name: str) -> None:
    page.get_by_role("navigation", name="Account").get_by_role("link", name=name).click()
    expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()


def test_from_a_folder_to_a_restored_file(people: People, company: Company, folder: Path) -> None:
    (account,) = company.add("Whole way")
    page = people.open(company.email, f"/accounts/{account}/tasks/new")
    page.get_by_label("What is backed up").select_option(label="Folder on the server")
    page.get_by_label("Name", exact=True).fill("Office")
    page.get_by_label("Path").fill(f"{folder}/none")
    page.get_by_role("button", name="Check").click()
    expect(page.get_by_text("There is no such folder.")).to_be_visible()
    page.get_by_label("Path").fill(str(folder))
    page.get_by_role("button", name="Check").click()
    expect(page.get_by_text("The source answers")).to_be_visible()
    page.get_by_role("button", name="Add Backup Task").click()
    page.get_by_role("button", name="Back up now Office").click()
    table = page.get_by_role("table", name="Backup tasks")
    expect(table.get_by_role("row", name="Office")).to_contain_text("Successful", timeout=PATIENTLY)
    page.get_by_role("link", name="Office", exact=True).click()
    held = page.get_by_role("table", name="Entities")
    expect(held.get_by_role("row")).to_have_count(3)
    page.get_by_role("button", name="Log of").click()
    expect(page.get_by_role("dialog").get_by_role("region", name="Log")).to_contain_text("hr")
    assert serious(page) == []
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Restore or export").click()
    expect(page.get_by_role("heading", name="Restore", exact=True)).to_be_visible()
    page.get_by_role("radio", name="Chosen entities").check()
    page.get_by_role("checkbox", name="hr").check()
    page.get_by_role("button", name="Restore", exact=True).click()
    past = page.get_by_role("table", name="Restores and exports")
    expect(past.get_by_role("row", name="Restore Office")).to_contain_text("Done", timeout=PATIENTLY)
    (restored,) = folder.glob("Restored*/hr/list.txt")
    assert restored.read_bytes() == (folder / "hr" / "list.txt").read_bytes()
    page.get_by_role("button", name="Export", exact=True).click()
    link = past.get_by_role("link", name="Download Export of Office")
    expect(link).to_be_visible(timeout=PATIENTLY)
    assert serious(page) == []
    with page.expect_download() as download:
        link.click()
    with zipfile.ZipFile(io.BytesIO(Path(download.value.path()).read_bytes())) as packed:
        (name,) = [one for one in packed.namelist() if one.endswith("list.txt")]
        assert packed.read(name) == b"Alice\nBob\n"
    tab(page, "Activity")
    happened = page.get_by_role("table", name="Activity")
    expect(happened.get_by_role("row", name=re.compile("Restore Office Done"))).to_be_visible()
    page.get_by_label("Kind", exact=True).select_option(label="Exports")
    expect(happened.get_by_role("row")).to_have_count(2)
    expect(page).to_have_url(re.compile("kind=export"))


def held(session: Session, company: Company, account: int) -> int:
    """A task with entities of every standing, and a run that kept something."""
    wanted = WantedTask(name="Files", service="s3", source_kind="s3", source=S3, discovery="ask")
    task_id = tasks.add(session, system(company.partner_id), account, wanted)
    task = session.get_one(BackupTask, task_id)
    failed = SeenEntity(key="c", name="Carol", kind="mailbox", outcome=Outcome.FAILED, error="The sign-in was refused.")
    good = [SeenEntity(key=f"m{one}", name=f"Mailbox {one:02}", outcome=Outcome.SUCCESSFUL) for one in range(30)]
    entities.note_seen(session, task, [*good, failed], clock.now())
    entities.note_seen(session, task, [*good, failed, SeenEntity(key="n", name="Newcomer")], clock.now())
    at = clock.now()
    values = {"run_key": "r", "started_at": at, "finished_at": at, "outcome": "partial", "received_at": at}
    run = BackupRun(account_id=account, task_id=task_id, snapshot="abc", message="One failed.", **values)
    factories.save(session, run)
    return task_id


def test_entities_are_searched_paged_and_decided_about(people: People, company: Company) -> None:
    (account,) = company.add("Holder")
    task = db.write(held, company, account)
    page = people.open(company.email, f"/accounts/{account}/tasks/{task}")
    expect(page.get_by_role("heading", name="32 of 32 entities")).to_be_visible()
    expect(page.get_by_role("region", name="Task")).to_contain_text("Billed entities31")
    table = page.get_by_role("table", name="Entities")
    expect(table.get_by_role("row", name="Carol")).to_contain_text("The sign-in was refused.")
    page.get_by_role("link", name="Next").click()
    expect(table.get_by_role("row", name="Newcomer")).to_contain_text("Waits for a decision")
    page.get_by_role("button", name="Add Newcomer").click()
    expect(page.get_by_text("1 entity added.")).to_be_visible()
    page.get_by_label("State", exact=True).select_option(label="Failed")
    expect(page.get_by_role("heading", name="1 of 32 entities")).to_be_visible()
    page.get_by_role("checkbox", name="Select Carol").check()
    page.get_by_role("button", name="Archive", exact=True).click()
    expect(page.get_by_text("1 entity archived.")).to_be_visible()
    page.get_by_label("State", exact=True).select_option(label="Archived")
    page.get_by_role("button", name="Reactivate Carol").click()
    expect(page.get_by_text("1 entity reactivated.")).to_be_visible()


def test_the_original_place_is_written_to_only_after_the_question(people: People, company: Company) -> None:
    (account,) = company.add("Original")
    db.write(held, company, account)
    page = people.open(company.email, f"/accounts/{account}/restore")
    page.get_by_role("button", name="Restore to the original place").click()
    dialog = page.get_by_role("dialog", name="Restore to the original place?")
    expect(dialog).to_contain_text("written over")
    assert serious(page) == []
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("heading", name="None yet")).to_be_visible()
    page.get_by_role("radio", name="Chosen entities").check()
    page.get_by_role("button", name="Restore", exact=True).click()
    expect(page.get_by_text("Tick what is to be brought back.")).to_be_visible()


def test_an_outside_tools_task_says_so_and_cant_be_started(people: People) -> None:
    page = people.open(CUSTOMER, "/")
    page.get_by_role("navigation", name="Account").get_by_role("link", name="Backups").click()
    page.get_by_role("table", name="Backup tasks").get_by_role("link").filter(has_text="OneDrive").click()
    expect(page.get_by_text("A tool outside the portal makes these backups")).to_be_visible()
    expect(page.get_by_role("button", name="Back up now")).to_have_count(0)
    tab(page, "Activity")
    expect(page.get_by_role("table", name="Activity").get_by_role("row", name="OneDrive").first).to_be_visible()
    assert "€" not in page.get_by_role("main").inner_text()


@pytest.mark.parametrize(("window", "theme"), [(WIDE, "dark"), (PHONE, "light")], ids=["1440 dark", "390 light"])
def test_axe_finds_no_serious_fault(people: People, company: Company, window: dict[str, int], theme: Any) -> None:
    (account,) = company.add("Axe at work")
    task = db.write(held, company, account)
    page = people.open(company.email, f"/accounts/{account}", viewport=window, color_scheme=theme)
    for path, heading in ((f"tasks/{task}", "Files"), ("restore", "Restore"), ("activity", "Activity")):
        page.goto(f"/accounts/{account}/{path}")
        expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
        expect(page.locator(".skeleton")).to_have_count(0)
        assert serious(page) == [], path
        overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert overflow <= 0, path
