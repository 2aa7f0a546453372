"""The handlers behind Backups and the form of a task, through the guard."""

from typing import Any

import pytest
from sqlmodel import Session, col, select

from portal_app import db
from portal_app.auth.permissions import Permission
from portal_app.backups import tasks
from portal_app.backups.engine import sources
from portal_app.errors import Invalid
from portal_app.models import BackupTask, Job, JobState, User
from tests.backups.test_tasks import FILES, REPORTED, S3
from tests.cast import Cast, cookie_of, make_cast
from tests.security.pipeline import Answer, Pipeline, Tab, name_of, play

LIST, FORM = "backups_state", "task_form_state"


@pytest.fixture
def people(database: Any) -> Cast:
    return db.write(make_cast)


@pytest.fixture
def files(people: Cast) -> int:
    return db.write(tasks.add, people.actor("alice"), people.bobs_account.id, FILES)


@pytest.fixture
def mail(people: Cast) -> int:
    return db.write(tasks.add, people.actor("alice"), people.bobs_account.id, REPORTED)


async def opened(made: Pipeline, user: User, account: Any, query: str = "") -> tuple[Tab, Answer]:
    tab = made.tab(cookie_of(user), path=f"/accounts/{account.id}/backups{query}")
    return tab, await tab.send(name_of(f"{LIST}.load"))


async def do(tab: Tab, act: str, **given: Any) -> Answer:
    return await tab.send(name_of(act if "." in act else f"{LIST}.{act}"), given)


def refusal(answer: Answer) -> str:
    return str(getattr(answer.errors[0], "sentence", "")) if answer.errors else ""


def names(answer: Answer) -> list[str]:
    return [line["name"] for line in answer.var("lines") or []]


def rows() -> dict[str, BackupTask]:
    return {row.name: row for row in db.read(lambda session: session.exec(select(BackupTask)).all())}


def jobs() -> list[Job]:
    return list(db.read(lambda session: session.exec(select(Job).order_by(col(Job.id))).all()))


def test_the_list_is_searched_filtered_and_sorted_by_its_address(people: Cast, files: int, mail: int) -> None:
    account = people.bobs_account
    db.write(tasks.set_active, people.actor("alice"), account.id, [mail], active=False)

    async def scene(made: Pipeline) -> None:
        # The cast's account has one task of its own.
        _, answer = await opened(made, people.alice, account)
        every = names(answer)
        assert len(every) == 3
        assert every == sorted(every, key=str.casefold)
        assert answer.var("count") == "3 of 3 backup tasks"
        asked = {"?view=paused": ["Mail"], "?search=ASH": ["Files of Alpha Ash"], "?view=nonsense&search=mai": ["Mail"]}
        for query, expected in asked.items():
            assert names((await opened(made, people.alice, account, query))[1]) == expected, query
        _, answer = await opened(made, people.alice, account, "?sort=-name&size=25&page=9")
        assert names(answer) == every[::-1]
        assert (await opened(made, people.alice, account, "?search=zzz"))[1].var("filtered") is True

    play(scene)


def test_a_stranger_sees_no_such_account(people: Cast, files: int) -> None:
    async def scene(made: Pipeline) -> None:
        _, answer = await opened(made, people.mallory, people.bobs_account)
        assert answer.var("missing") is True
        assert not names(answer)

    play(scene)


def test_who_may_only_look_may_do_nothing(people: Cast, files: int) -> None:
    async def scene(made: Pipeline) -> None:
        tab, answer = await opened(made, people.bob, people.bobs_account)
        assert "Files" in names(answer)
        assert not any(answer.var(one) for one in ("may_manage", "may_delete", "may_run"))
        acts: dict[str, dict[str, Any]] = {
            "tick": {"line_id": files, "ticked": True},
            "set_ticked": {"active": False},
            "switch": {"task_id": files, "active": False},
            "back_up": {"task_id": files},
            "ask_delete": {"task_id": files},
            "delete": {},
        }
        for act, given in acts.items():
            assert (await do(tab, act, **given)).var("denied"), act
        assert rows()["Files"].active
        assert jobs() == []

    play(scene)


def test_ticked_tasks_are_paused_and_activated(people: Cast, files: int, mail: int) -> None:
    async def scene(made: Pipeline) -> None:
        tab, _ = await opened(made, people.alice, people.bobs_account)
        for one in (files, mail, 987_654):
            answer = await do(tab, "tick", line_id=one, ticked=True)
        assert answer.var("ticked") in (None, [files, mail])
        answer = await do(tab, "set_ticked", active=False)
        assert answer.var("text") == "2 of 2 tasks paused."
        assert not rows()["Files"].active
        await do(tab, "switch", task_id=files, active=True)
        await do(tab, "tick_page", ticked=True)
        answer = await do(tab, "set_ticked", active=True)
        assert answer.var("text") == "1 of 3 tasks activated. 2 were so already."

    play(scene)


def test_a_backup_is_started_once_shown_and_stopped(people: Cast, files: int, mail: int) -> None:
    async def scene(made: Pipeline) -> None:
        tab, _ = await opened(made, people.alice, people.bobs_account)
        answer = await do(tab, "back_up", task_id=files)
        assert answer.var("jobs")[str(files)]["words"] == "Waiting for its turn"
        answer = await do(tab, "back_up", task_id=files)
        assert "already" in refusal(answer)
        (job,) = jobs()
        assert names((await opened(made, people.alice, people.bobs_account, "?view=running"))[1]) == ["Files"]
        db.write(_progress, job.id, {"percent": 240, "words": "Copying"})
        answer = (await opened(made, people.alice, people.bobs_account))[1]
        shown = answer.var("jobs")[str(files)]
        assert (shown["percent"], shown["known"], shown["words"]) == (100, True, "Copying")
        answer = await do(tab, "stop", job_id=job.id)
        assert jobs()[0].cancel_requested
        # A tool outside runs it: nothing to start here.
        answer = await do(tab, "back_up", task_id=mail)
        assert "tool outside" in refusal(answer)
        assert len(jobs()) == 1

    play(scene)


def _progress(session: Session, job_id: int | None, progress: dict[str, Any]) -> None:
    job = session.get(Job, job_id)
    assert job
    job.state, job.progress = JobState.RUNNING, progress
    session.add(job)


def test_a_strangers_task_and_job_are_none(people: Cast, files: int) -> None:
    async def scene(made: Pipeline) -> None:
        await do((await opened(made, people.alice, people.bobs_account))[0], "back_up", task_id=files)
        tab, _ = await opened(made, people.mallory, people.accounts_b[0])
        for act, given in {
            "back_up": {"task_id": files},
            "stop": {"job_id": jobs()[0].id},
            "switch": {"task_id": files, "active": False},
        }.items():
            assert "no such" in refusal(await do(tab, act, **given)), act
        assert not jobs()[0].cancel_requested
        assert rows()["Files"].active

    play(scene)


def test_delete_asks_for_the_name(people: Cast, files: int) -> None:
    async def scene(made: Pipeline) -> None:
        tab, _ = await opened(made, people.alice, people.bobs_account)
        assert (await do(tab, "ask_delete", task_id=files)).var("asked_name") == "Files"
        await do(tab, "type_name", text="files")
        assert "not the same" in (await do(tab, "delete")).var("ask_error")
        await do(tab, "type_name", text="Files")
        answer = await do(tab, "delete")
        assert answer.var("asked_name") == ""
        assert "Files" not in rows()

    play(scene)


def typed(kind: str = "s3", **given: Any) -> dict[str, Any]:
    fields = {"name": "Docs", "service": "s3", "every": "weekly", "hour": "4", "keep": "365", "discovery": "ask"}
    return {"intent": "save"} | fields | {f"source-{kind}-{key}": value for key, value in S3.items()} | given


async def form(made: Pipeline, user: User, path: str) -> tuple[Tab, Answer]:
    tab = made.tab(cookie_of(user), path=path)
    return tab, await tab.send(name_of(f"{FORM}.load"))


def test_the_form_adds_a_task_and_goes_back_to_the_list(people: Cast) -> None:
    account = people.bobs_account.id

    async def scene(made: Pipeline) -> None:
        tab, answer = await form(made, people.alice, f"/accounts/{account}/tasks/new")
        assert (answer.var("ready"), answer.var("hour"), answer.var("keep")) == (True, "2", "90")
        answer = await do(tab, f"{FORM}.save", form=typed(name=""))
        assert answer.var("errors") == {"name": "Enter a name."}
        assert not rows().keys() & {"Docs", ""}
        answer = await do(tab, f"{FORM}.save", form=typed())
        assert answer.redirects == [f"/accounts/{account}/backups"]
        task = rows()["Docs"]
        assert (task.every, task.hour, task.keep_days, task.account_id) == ("weekly", 4, 365, account)
        # Sent once more, it is not added twice.
        await do(tab, f"{FORM}.save", form=typed(name="Docs 2"))
        assert "Docs 2" not in rows()

    play(scene)


def test_the_form_of_a_task_shows_no_secret_and_keeps_it(people: Cast, files: int) -> None:
    account = people.bobs_account.id

    async def scene(made: Pipeline) -> None:
        tab, answer = await form(made, people.alice, f"/accounts/{account}/tasks/{files}/edit")
        assert "very-secret" not in str(answer.deltas)
        assert answer.var("source")["source-s3-bucket"] == "files"
        form_sent = typed(name="Files", **{"source-s3-secret_access_key": ""})
        answer = await do(tab, f"{FORM}.save", form=form_sent)
        assert answer.redirects
        task = rows()["Files"]
        assert sources.unseal(task, people.partner_a.id or 0).values["secret_access_key"] == "very-secret"
        assert "very-secret" not in str(await tab.values())

    play(scene)


@pytest.mark.parametrize("path", ["/accounts/{other}/tasks/{task}/edit", "/accounts/{mine}/tasks/x/edit"])
def test_a_task_that_is_not_there_has_no_form(people: Cast, files: int, path: str) -> None:
    where = path.format(other=people.accounts_a[1].id, mine=people.bobs_account.id, task=files)

    async def scene(made: Pipeline) -> None:
        tab, answer = await form(made, people.alice, where)
        assert answer.var("missing") is True
        await do(tab, f"{FORM}.save", form=typed(name="Stolen"))
        assert "Stolen" not in rows()

    play(scene)


def test_check_really_looks_and_saves_nothing(people: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    account = people.bobs_account.id
    looked: list[str] = []

    def check(source: sources.Source) -> None:
        looked.append(source.values["bucket"])
        if source.values["bucket"] == "gone":
            raise Invalid(bucket="There is no such bucket.")

    monkeypatch.setattr(sources, "check", check)

    async def scene(made: Pipeline) -> None:
        tab, _ = await form(made, people.alice, f"/accounts/{account}/tasks/new")
        answer = await do(tab, f"{FORM}.check", form=typed(intent="check"))
        assert "answers" in answer.var("checked")
        answer = await do(tab, f"{FORM}.check", form=typed(intent="check", **{"source-s3-bucket": "gone"}))
        assert answer.var("errors") == {"source-bucket": "There is no such bucket."}
        assert (answer.var("checked"), answer.var("checking")) == ("", False)
        answer = await do(tab, f"{FORM}.check", form=typed(intent="check", **{"source-s3-access_key_id": ""}))
        assert set(answer.var("errors")) == {"source-access_key_id"}
        assert looked == ["files", "gone"]
        # Sent to be saved, it is not checked; sent to be checked, it is not saved.
        await do(tab, f"{FORM}.check", form=typed())
        await do(tab, f"{FORM}.save", form=typed(intent="check"))
        assert (looked, "Docs" in rows()) == (["files", "gone"], False)

    play(scene)


def test_a_customers_user_without_the_right_has_no_form(people: Cast) -> None:
    async def scene(made: Pipeline) -> None:
        _, answer = await form(made, people.dave, f"/accounts/{people.bobs_account.id}/tasks/new")
        assert answer.var("denied") == Permission.TASKS_MANAGE.refusal

    play(scene)
