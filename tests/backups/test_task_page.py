"""The handlers behind a task's page, Restore & Export and Activity, through the guard."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session, col, select

from portal_app import clock, db
from portal_app.auth.permissions import Permission
from portal_app.backups import restore_reading, task_reading, tasks
from portal_app.backups.entities import service as entities
from portal_app.backups.entities.rows import SeenEntity
from portal_app.errors import Denied, NotFound
from portal_app.models import BackupEntity, BackupRun, BackupTask, Discovery, Job, Outcome, User
from tests import factories
from tests.backups.test_tasks import FILES, REPORTED
from tests.cast import Cast, cookie_of, make_cast
from tests.security.pipeline import Answer, Pipeline, Tab, name_of, play

TASK, RESTORE, ACTIVITY = "task_state", "restore_state", "activity_state"


@pytest.fixture
def people(database: Any) -> Cast:
    return db.write(make_cast)


@pytest.fixture
def files(people: Cast) -> int:
    """A task with three entities, one of which waits, and a run with a snapshot."""
    wanted = replace(FILES, discovery=Discovery.ASK)
    task_id = db.write(tasks.add, people.actor("alice"), people.bobs_account.id, wanted)

    def fill(session: Session) -> None:
        task = session.get_one(BackupTask, task_id)
        known = [SeenEntity(key=name, name=name, kind="folder", outcome=Outcome.SUCCESSFUL) for name in ("hr", "sales")]
        entities.note_seen(session, task, known, clock.now())
        entities.note_seen(session, task, [*known, SeenEntity(key="new", name="new")], clock.now())
        _run(session, task, "Two files were locked.", snapshot="abc", log="hr: fine")

    db.write(fill)
    return task_id


def _run(session: Session, task: BackupTask, message: str = "", **given: Any) -> int:
    number = len(session.exec(select(BackupRun)).all())
    at = clock.now() - timedelta(hours=number)
    values = {"run_key": f"r{number}", "started_at": at, "finished_at": at, "outcome": "partial", "received_at": at}
    run = BackupRun(account_id=task.account_id, task_id=task.id or 0, message=message, **values | given)
    return int(factories.save(session, run).id)


async def opened(made: Pipeline, user: User, path: str, state: str = TASK) -> tuple[Tab, Answer]:
    tab = made.tab(cookie_of(user), path=path)
    return tab, await tab.send(name_of(f"{state}.load"))


def place(people: Cast, rest: str) -> str:
    return f"/accounts/{people.bobs_account.id}/{rest}"


async def do(tab: Tab, act: str, state: str = TASK, **given: Any) -> Answer:
    return await tab.send(name_of(f"{state}.{act}"), given)


def standing(name: str) -> str:
    wanted = select(BackupEntity.standing).where(col(BackupEntity.name) == name)
    return str(db.read(lambda session: session.exec(wanted).one()))


def ids() -> dict[str, int]:
    return {row.name: row.id or 0 for row in db.read(lambda session: session.exec(select(BackupEntity)).all())}


def jobs() -> list[Job]:
    return list(db.read(lambda session: session.exec(select(Job).order_by(col(Job.id))).all()))


def refusal(answer: Answer) -> str:
    return str(getattr(answer.errors[0], "sentence", "")) if answer.errors else ""


def test_a_task_shows_both_numbers_its_entities_and_its_runs(people: Cast, files: int) -> None:
    async def scene(made: Pipeline) -> None:
        tab, answer = await opened(made, people.bob, place(people, f"tasks/{files}"))
        facts = [(one["label"], one["text"]) for one in answer.var("facts")]
        assert facts[:2] == [("Entities", "2"), ("Billed entities", "2")]
        assert ("Source", "S3 bucket: https://s3.example.com / files") in facts
        assert "very-secret" not in str(answer.deltas)
        assert [line["name"] for line in answer.var("lines")] == ["hr", "new", "sales"]
        assert (answer.var("count"), answer.var("waiting")) == ("3 of 3 entities", 1)
        assert [run["message"] for run in answer.var("runs")] == ["Two files were locked."]
        answer = await do(tab, "show_log", run_id=answer.var("runs")[0]["id"])
        assert answer.var("log") == "hr: fine"

    play(scene)


def test_entities_are_searched_and_filtered_by_the_address(people: Cast, files: int) -> None:
    async def scene(made: Pipeline) -> None:
        for query, expected in {
            "search=SAL": ["sales"],
            "standing=waiting": ["new"],
            "state=success": ["hr", "sales"],
        }.items():
            _, answer = await opened(made, people.alice, place(people, f"tasks/{files}?{query}"))
            assert [line["name"] for line in answer.var("lines")] == expected, query

    play(scene)


def test_who_manages_tasks_decides_about_entities(people: Cast, files: int) -> None:
    async def scene(made: Pipeline) -> None:
        tab, _ = await opened(made, people.bob, place(people, f"tasks/{files}"))
        assert (await do(tab, "decide", decision="add", entity_id=ids()["new"])).var("denied")
        assert standing("new") == "waiting"
        tab, _ = await opened(made, people.alice, place(people, f"tasks/{files}"))
        answer = await do(tab, "decide", decision="add", entity_id=ids()["new"])
        assert answer.var("text") == "1 entity added."
        assert standing("new") == "active"
        await do(tab, "tick_page", ticked=True)
        answer = await do(tab, "decide", decision="archive", entity_id=0)
        assert answer.var("text") == "3 entities archived."
        await do(tab, "tick", line_id=ids()["hr"], ticked=True)
        assert (await do(tab, "decide", decision="reactivate", entity_id=0)).var("text") == "1 entity reactivated."
        assert (standing("hr"), standing("sales")) == ("active", "archived")
        assert refusal(await do(tab, "decide", decision="burn", entity_id=ids()["hr"]))

    play(scene)


@pytest.mark.parametrize(
    "path", ["accounts/{other}/tasks/{task}", "accounts/{mine}/tasks/x", "accounts/{mine}/tasks/0"]
)
def test_a_task_that_is_not_the_accounts_is_missing(people: Cast, files: int, path: str) -> None:
    where = "/" + path.format(other=people.accounts_a[1].id, mine=people.bobs_account.id, task=files)

    async def scene(made: Pipeline) -> None:
        tab, answer = await opened(made, people.alice, where)
        assert answer.var("missing") is True
        assert refusal(await do(tab, "decide", decision="archive", entity_id=ids()["hr"]))
        assert refusal(await do(tab, "back_up"))
        assert standing("hr") == "active"

    play(scene)


def test_the_runs_of_a_stranger_are_none(people: Cast, files: int) -> None:
    account, mallory = people.bobs_account.id, people.actor("mallory")
    run = db.read(lambda session: session.exec(select(BackupRun).where(col(BackupRun.task_id) == files)).one())
    assert db.read(task_reading.runs, mallory, account, files, None) == []
    with pytest.raises(NotFound):
        db.read(task_reading.run_log, mallory, account, files, run.id)
    with pytest.raises(NotFound):
        db.read(task_reading.run_log, people.actor("alice"), people.accounts_a[1].id, files, run.id)
    with pytest.raises(Denied):
        db.read(task_reading.runs, people.actor("carol"), account, files, None)


def test_what_can_be_restored_is_for_who_may(people: Cast, files: int) -> None:
    db.write(tasks.add, people.actor("alice"), people.bobs_account.id, REPORTED)
    account, alice = people.bobs_account.id, people.actor("alice")
    with pytest.raises(Denied):
        db.read(restore_reading.tasks, people.actor("bob"), account)
    with pytest.raises(Denied):
        db.read(restore_reading.backups, people.actor("bob"), account, files)
    assert db.read(restore_reading.tasks, people.actor("mallory"), account) == []
    assert db.read(restore_reading.backups, people.actor("mallory"), account, files) == []
    assert db.read(restore_reading.backups, alice, people.accounts_a[1].id, files) == []
    exporter = replace(alice, permissions=frozenset({Permission.ACCOUNTS_ACCESS, Permission.DATA_EXPORT}))
    # A task that a tool outside reports keeps nothing here.
    assert [one.name for one in db.read(restore_reading.tasks, exporter, account)] == ["Files"]
    assert len(db.read(restore_reading.backups, exporter, account, files)) == 1


def test_a_restore_is_started_asked_about_and_stopped(people: Cast, files: int) -> None:
    async def scene(made: Pipeline) -> None:
        tab, answer = await opened(made, people.alice, place(people, "restore"), RESTORE)
        assert (answer.var("task"), len(answer.var("dates"))) == (str(files), 1)
        await do(tab, "choose_which", RESTORE, value="chosen")
        answer = await do(tab, "restore", RESTORE, to="copy")
        assert answer.var("error") == "Tick what is to be brought back."
        await do(tab, "tick", RESTORE, entity_id=ids()["hr"], ticked=True)
        # The original place is never written to without the question.
        await do(tab, "restore", RESTORE, to="original")
        assert jobs() == []
        await do(tab, "ask_original", RESTORE)
        await do(tab, "restore", RESTORE, to="original")
        (job,) = jobs()
        assert (job.kind, job.payload["to"], job.payload["entities"]) == ("restore", "original", [ids()["hr"]])
        answer = await do(tab, "restore", RESTORE, to="copy")
        assert "under way" in answer.var("error")
        answer = await do(tab, "export", RESTORE)
        assert [row["what"] for row in answer.var("rows")] == ["Export", "Restore"]
        answer = await do(tab, "stop", RESTORE, job_id=job.id)
        assert answer.var("rows")[1]["state"] == "Canceled"

    play(scene)


def test_restore_and_export_are_two_rights(people: Cast, files: int) -> None:
    granted = [Permission.DASHBOARD_VIEW, Permission.ACCOUNTS_ACCESS, Permission.DATA_EXPORT]

    def make(session: Session) -> User:
        permissions = [str(one) for one in granted]
        return factories.user(session, people.partner_a, role="custom", permissions=permissions)

    exporter = db.write(make)

    async def scene(made: Pipeline) -> None:
        tab, answer = await opened(made, exporter, place(people, "restore"), RESTORE)
        assert answer.var("may_export") is True
        assert not answer.var("may_restore")
        assert (await do(tab, "restore", RESTORE, to="copy")).var("denied") == Permission.DATA_RESTORE.refusal
        await do(tab, "export", RESTORE)
        assert [job.kind for job in jobs()] == ["export"]
        _, answer = await opened(made, people.bob, place(people, "restore"), RESTORE)
        assert answer.var("denied")
        tab, answer = await opened(made, people.mallory, place(people, "restore"), RESTORE)
        assert answer.var("missing") is True
        assert "Choose a task" in (await do(tab, "export", RESTORE)).var("error")

    play(scene)


def test_the_activity_page_shows_and_filters(people: Cast, files: int) -> None:
    async def scene(made: Pipeline) -> None:
        _, answer = await opened(made, people.bob, place(people, "activity"), ACTIVITY)
        assert {"Backup tasks", "Account accessed"} <= {line["what"] for line in answer.var("lines")}
        _, answer = await opened(made, people.bob, place(people, "activity?kind=export"), ACTIVITY)
        assert (answer.var("kind"), answer.var("lines")) == ("export", [])
        _, answer = await opened(made, people.mallory, place(people, "activity"), ACTIVITY)
        assert answer.var("missing") is True

    play(scene)
