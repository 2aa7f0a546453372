"""The jobs of all partners: who may, what is shown, what Retry and Cancel do."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session, col, select

from portal_app import clock, db
from portal_app.auth.actor import Actor
from portal_app.errors import Conflict, Denied, NotFound
from portal_app.jobs import handlers, queue
from portal_app.jobs.worker import Worker
from portal_app.models import AuditEvent, BackupRun, BackupTask, Job, JobState
from portal_app.operator import job_list
from portal_app.operator.job_rows import KINDS, JobPage, JobQuery
from tests.cast import Cast
from tests.plans import asked, learn, of_pages

SECRET = "sealed-and-never-shown"


def task_of(cast: Cast, number: int = 0) -> int:
    wanted = select(BackupTask.id).where(BackupTask.account_id == cast.accounts_a[number].id)
    return db.read(lambda session: session.exec(wanted).one()) or 0


def made(cast: Cast, kind: str = "backup", *, state: JobState = JobState.FAILED, **given: Any) -> int:
    """A job of Alice's first account."""

    def make(session: Session) -> int:
        account = cast.accounts_a[0]
        task = session.exec(select(BackupTask).where(BackupTask.account_id == account.id)).one()
        values = {
            "kind": kind,
            "partner_id": cast.partner_a.id,
            "account_id": account.id,
            "task_id": task.id,
            "state": state,
            "run_at": clock.now(),
            "created_at": clock.now(),
            "made_by": "alice@people.example",
            "made_by_id": cast.alice.id,
            "payload": {"storage": SECRET, "run": 1, "entities": []},
            "finished_at": None if state in (JobState.WAITING, JobState.RUNNING) else clock.now(),
        }
        job = Job(**values | given)
        session.add(job)
        session.flush()
        return job.id or 0

    return db.write(make)


def job(number: int) -> Job:
    return db.read(lambda session: session.get_one(Job, number))


def seen(actor: Actor, **asked: str) -> JobPage:
    return db.read(job_list.page, actor, JobQuery.from_address(asked))


def ids(found: JobPage) -> list[int]:
    return [row.id for row in found.rows]


def sides(told: str) -> list[int | None]:
    wanted = select(AuditEvent.partner_id).where(col(AuditEvent.description).contains(told))
    return sorted(db.read(lambda session: session.exec(wanted).all()), key=lambda one: one or 0)


# --- access ---------------------------------------------------------------------------------------


def test_nobody_else_sees_or_touches_a_job(cast: Cast, stranger: Actor) -> None:
    number, running = made(cast), made(cast, "export", state=JobState.RUNNING)
    for act in (
        lambda: db.read(job_list.page, stranger, JobQuery()),
        lambda: db.read(job_list.one, stranger, number),
        lambda: db.read(job_list.partners, stranger),
        lambda: db.write(job_list.log, stranger, number),
        lambda: db.write(job_list.repeat, stranger, number),
        lambda: db.write(job_list.stop, stranger, running),
    ):
        with pytest.raises(Denied):
            act()
    assert not job(running).cancel_requested
    assert len(db.read(lambda session: session.exec(select(Job)).all())) == 2


# --- the list -------------------------------------------------------------------------------------


def test_every_kind_of_job_has_its_words() -> None:
    assert KINDS.keys() == handlers.BACKUPS.keys() | handlers.OTHERS.keys()


def test_filters_orders_and_search(cast: Cast, olga: Actor) -> None:
    failed = made(cast)
    report = made(
        cast, "usage report", state=JobState.DONE, partner_id=cast.partner_b.id, account_id=None, task_id=None
    )
    running = made(cast, "export", state=JobState.RUNNING, progress={"percent": 40, "words": "Mail (2 of 5)"})
    gone = made(cast, "forget", state=JobState.WAITING, account_id=999_999)
    assert ids(seen(olga)) == [gone, running, report, failed]
    assert ids(seen(olga, sort="id")) == [failed, report, running, gone]
    assert ids(seen(olga, sort="kind")) == [failed, running, gone, report]
    assert ids(seen(olga, state="failed")) == [failed]
    assert ids(seen(olga, kind="export")) == [running]
    assert ids(seen(olga, partner=cast.partner_b.code)) == [report]
    assert ids(seen(olga, partner="NOBODY01")) == []
    assert ids(seen(olga, search=str(failed))) == [failed]
    assert ids(seen(olga, search="alpha ASH")) == [running, failed]
    assert ids(seen(olga, search="alpha ash", kind="backup")) == [failed]
    assert ids(seen(olga, kind="no such kind", state="x", partner="a b")) == [gone, running, report, failed]
    row = seen(olga, kind="export").rows[0]
    assert (row.partner, row.account, row.task) == ("ALPHA001", "Alpha Ash", "Files of Alpha Ash")
    assert (row.percent, row.words, row.may_stop, row.may_repeat) == (40, "Mail (2 of 5)", True, False)
    assert SECRET not in repr(seen(olga))


def test_a_page_has_so_many(cast: Cast, olga: Actor) -> None:
    numbers = [made(cast) for _ in range(30)]
    second = seen(olga, page="2")
    assert ids(second) == numbers[:5][::-1]
    assert (second.matching, second.total) == (30, 30)


def test_the_address_keeps_what_was_asked() -> None:
    asked = {"kind": "backup", "state": "failed", "partner": "ALPHA001", "sort": "-finished", "search": "ash"}
    assert JobQuery.from_address(asked).parameters() == asked


# --- Retry ----------------------------------------------------------------------------------------


def test_a_failed_job_is_done_again_for_who_asked_for_it(cast: Cast, olga: Actor) -> None:
    number = made(cast)
    again = job(db.write(job_list.repeat, olga, number))
    before = job(number)
    same = ("kind", "partner_id", "account_id", "task_id", "payload", "made_by", "made_by_id")
    assert [getattr(again, name) for name in same] == [getattr(before, name) for name in same]
    assert (again.state, again.attempts, again.open_key) == (JobState.WAITING, 0, f"backup:{task_of(cast)}")
    assert before.state == JobState.FAILED
    assert sides(f"Job {number} (Backup) done again as job {again.id}") == [None, cast.partner_a.id]
    with pytest.raises(Conflict, match=f"as job {again.id}"):
        db.write(job_list.repeat, olga, number)


def test_not_while_another_is_under_way(cast: Cast, olga: Actor) -> None:
    number = made(cast, "export")
    other = db.write(queue.add, olga, "export", task_id=task_of(cast), open_key=f"export:{task_of(cast)}")
    with pytest.raises(Conflict, match="under way"):
        db.write(job_list.repeat, olga, number)
    db.write(queue.cancel, other)
    assert db.write(job_list.repeat, olga, number)


@pytest.mark.parametrize(
    "given",
    [
        {"kind": "portal import"},
        {"kind": "restore", "payload": {"to": "original"}},
        {"task_id": 999_999},
        {"state": JobState.DONE},
        {"state": JobState.RUNNING},
        {"state": JobState.CANCELED},
    ],
)
def test_what_is_not_done_again(cast: Cast, olga: Actor, given: dict[str, Any]) -> None:
    number = made(cast, **given)
    assert not db.read(job_list.one, olga, number).may_repeat
    with pytest.raises(Conflict):
        db.write(job_list.repeat, olga, number)
    with pytest.raises(NotFound):
        db.write(job_list.repeat, olga, number + 1)


# --- Cancel ---------------------------------------------------------------------------------------


def test_a_waiting_job_ends_and_a_running_one_is_asked_to(cast: Cast, olga: Actor) -> None:
    waiting, running = made(cast, state=JobState.WAITING), made(cast, "export", state=JobState.RUNNING)
    for number in (waiting, running):
        db.write(job_list.stop, olga, number)
    assert (job(waiting).state, job(running).state) == (JobState.CANCELED, JobState.RUNNING)
    assert job(running).cancel_requested
    assert db.read(job_list.one, olga, running).stopping
    assert sides(f"Job {waiting} (Backup) stopped") == [None, cast.partner_a.id]


@pytest.mark.parametrize("kind", ["forget", "portal import"])
def test_what_is_not_stopped(cast: Cast, olga: Actor, kind: str) -> None:
    number = made(cast, kind, state=JobState.WAITING)
    assert not db.read(job_list.one, olga, number).may_stop
    with pytest.raises(Conflict):
        db.write(job_list.stop, olga, number)
    assert job(number).state == JobState.WAITING


def test_a_job_that_ended_meanwhile_says_so(cast: Cast, olga: Actor) -> None:
    number = made(cast, "usage report", state=JobState.WAITING)
    Worker({"usage report": lambda _work: {"words": "Done."}}, 1).run_due()
    with pytest.raises(Conflict, match="ended before"):
        db.write(job_list.stop, olga, number)
    assert job(number).state == JobState.DONE
    assert sides("stopped") == []


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    begin = threading.Barrier(len(acts))

    def do(act: Callable[[], Any]) -> Any:
        begin.wait()
        try:
            return act()
        except Conflict as refusal:
            return refusal.sentence

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(do, acts))


def test_two_operators_at_once_make_one_job(office: Cast) -> None:
    olga, number = office.actor("olga"), made(office, "forget")
    said = at_once(*[lambda: db.write(job_list.repeat, olga, number)] * 2)
    assert sorted(isinstance(one, int) for one in said) == [False, True]
    assert len(db.read(lambda session: session.exec(select(Job)).all())) == 2


def test_stopped_or_done_but_never_both(office: Cast) -> None:
    """Whoever comes first decides, and the operator is told the truth."""
    olga, number = office.actor("olga"), made(office, "export", state=JobState.WAITING)
    taken = db.write(queue.claim, ["export"])
    said = at_once(
        lambda: db.write(job_list.stop, olga, number),
        lambda: db.write(queue.finish, taken, JobState.DONE),
    )
    assert job(number).state == JobState.DONE
    assert (said[0] == job_list.ENDED) == (not job(number).cancel_requested)


# --- the log --------------------------------------------------------------------------------------


def test_the_log_of_a_backup_is_audited_when_it_is_opened(cast: Cast, olga: Actor) -> None:
    number = made(cast)
    assert not db.read(job_list.one, olga, number).has_log

    def run(session: Session) -> None:
        at = {"started_at": clock.now(), "finished_at": clock.now(), "received_at": clock.now()}
        session.add(
            BackupRun(
                account_id=cast.accounts_a[0].id,
                task_id=task_of(cast),
                run_key=f"job-{number}",
                outcome="failed",
                log="Letters: refused",
                **at,
            )
        )

    db.write(run)
    assert db.read(job_list.one, olga, number).has_log
    assert sides("log opened") == []
    assert db.write(job_list.log, olga, number) == "Letters: refused"
    assert sides("log opened") == [None, cast.partner_a.id]
    with pytest.raises(NotFound):
        db.write(job_list.log, olga, made(cast, "export"))


# --- speed ----------------------------------------------------------------------------------------


@pytest.fixture
def many(cast: Cast) -> Cast:
    """20,000 jobs: enough for the planner, whose choice doesn't depend on more."""

    def fill(session: Session) -> None:
        now, account = clock.now(), cast.accounts_a[0]
        states = [JobState.DONE] * 8 + [JobState.FAILED, JobState.CANCELED]
        rows = [
            {
                "kind": list(KINDS)[number % 6],
                "state": states[number % 10],
                "partner_id": (cast.partner_a.id, cast.partner_b.id)[number % 2],
                "account_id": account.id if number % 100 == 0 else -number,
                "run_at": now,
                "created_at": now,
                "finished_at": now - timedelta(seconds=number),
                "payload": {},
                "progress": {},
                "result": {},
            }
            for number in range(20_000)
        ]
        session.execute(Job.__table__.insert(), rows)  # type: ignore[attr-defined]

    db.write(fill)
    learn()
    return cast


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"page": "300"},
        {"state": "failed"},
        {"kind": "backup"},
        {"partner": "ALPHA001"},
        {"partner": "ALPHA001", "state": "failed", "kind": "backup"},
        {"sort": "-finished"},
        {"sort": "kind"},
        {"sort": "state"},
        {"search": "alpha ash"},
        {"search": "777"},
    ],
)
def test_every_page_is_found_by_an_index(many: Cast, given: dict[str, str]) -> None:
    with asked() as statements:
        assert seen(many.actor("olga"), **given).rows
    plans = of_pages(statements, "job")
    assert plans
    slow = [one for one in plans if "job" in one.scanned]
    # Without a question, the newest by the key itself: a scan that stops after one page. PostgreSQL has no index of
    # the words in a mail or job, SQLite walks one that holds them.
    whole = {"page"} if db.engine().dialect.name == "sqlite" else {"page", "search"}
    assert len(slow) <= (1 if not given.keys() - whole else 0), slow
    # Found by their accounts, the few rows are sorted.
    assert "search" in given or not [one for one in plans if one.sorted], plans
