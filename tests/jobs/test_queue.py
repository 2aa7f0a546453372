"""Jobs on both databases: claimed once, kept by a lease, fenced, canceled, given back."""

from datetime import datetime, timedelta
from threading import Event

import pytest

from portal_app import clock, db
from portal_app.auth.actor import system
from portal_app.errors import Invalid
from portal_app.jobs import queue, worker
from portal_app.jobs.worker import Canceled, Work, Worker
from portal_app.models import Job, JobState
from tests.backups.conftest import at_once
from tests.backups.portals import wait_for

KIND, SECRET = "test", "person@example.com"
Store = dict[str, str]


@pytest.fixture(autouse=True)
def _store(store: Store) -> None:
    """Each test on SQLite and on PostgreSQL."""


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "BEAT_SECONDS", 0.02)
    monkeypatch.setattr(worker, "IDLE_SECONDS", 0.02)


def add(**given) -> int | None:
    return db.write(queue.add, system(), KIND, **given)


def claim() -> Job | None:
    return db.write(queue.claim, [KIND])


def job(number: int) -> Job:
    return db.read(lambda session: session.get(Job, number))


def later(monkeypatch: pytest.MonkeyPatch, by: timedelta) -> datetime:
    at = clock.now() + by
    monkeypatch.setattr(clock, "now", lambda: at)
    return at


def test_each_job_is_claimed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = {add() for _ in range(40)}
    claimed: list[list[int]] = at_once(lambda _: _all(), 6)
    flat = [one for some in claimed for one in some]
    assert sorted(flat) == sorted(numbers)


def _all() -> list[int]:
    found = []
    # Whoever finds the last ones locked by others may look away too early: it looks until none is left.
    while db.read(queue.is_any_due, [KIND]):
        if one := claim():
            found.append(one.id)
    return found


def test_of_an_open_key_there_is_one_and_of_a_slot_one_for_ever() -> None:
    assert [number for number in at_once(lambda _: add(open_key="k", slot="s"), 4) if number] == [1]
    db.write(queue.finish, claim(), JobState.DONE)
    assert add(open_key="k", slot="s") is None
    assert add(open_key="k") is not None


def test_the_oldest_first_and_none_before_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    late, early = add(run_at=clock.now() + timedelta(hours=2)), add()
    assert claim().id == early
    assert claim() is None
    later(monkeypatch, timedelta(hours=3))
    # The first one's lease is over, too, and it waits longer.
    assert [claim().id, claim().id] == [early, late]


def test_a_lease_is_renewed_and_lapses(monkeypatch: pytest.MonkeyPatch) -> None:
    number = add()
    mine = claim()
    later(monkeypatch, queue.LEASE - timedelta(seconds=1))
    assert db.write(queue.beat, mine, {"percent": 5}) is False
    later(monkeypatch, timedelta(seconds=2))
    assert claim() is None
    later(monkeypatch, queue.LEASE)
    other = claim()
    assert (other.id, other.attempts) == (number, 2)
    assert job(number).progress == {"percent": 5}


def test_who_lost_a_job_can_write_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    number = add()
    slow = claim()
    later(monkeypatch, queue.LEASE)
    quick = claim()
    for write in (
        lambda session: queue.beat(session, slow),
        lambda session: queue.finish(session, slow, JobState.DONE),
        lambda session: queue.again_later(session, slow, timedelta()),
        lambda session: queue.give_back(session, slow),
    ):
        with pytest.raises(queue.Lost):
            db.write(write)
    db.write(queue.finish, quick, JobState.DONE, result={"by": "quick"})
    assert job(number).result == {"by": "quick"}
    with pytest.raises(queue.Lost):
        db.write(queue.finish, quick, JobState.FAILED)


def test_a_waiting_job_is_canceled_at_once_and_its_key_is_free() -> None:
    number = add(open_key="k")
    db.write(queue.cancel, number)
    assert job(number).state == JobState.CANCELED
    assert claim() is None
    assert add(open_key="k")


def test_what_was_given_back_is_no_attempt() -> None:
    number = add()
    db.write(queue.give_back, claim())
    assert (job(number).state, job(number).attempts) == (JobState.WAITING, 0)
    assert claim().attempts == 1


# --- the worker -----------------------------------------------------------------------------------


def test_results_and_faults_in_words(caplog: pytest.LogCaptureFixture) -> None:
    answers = iter([lambda: {"n": 1}, lambda: _raise(Invalid("Not so.")), lambda: _raise(RuntimeError(SECRET))])
    numbers = [add() for _ in range(3)]
    assert Worker({KIND: lambda _work: next(answers)()}, 1).run_due() == 3
    good, refused, broken = map(job, numbers)
    assert (good.state, good.result, good.fault) == (JobState.DONE, {"n": 1}, "")
    assert (refused.state, refused.fault) == (JobState.FAILED, "Not so.")
    assert (broken.state, broken.fault) == (JobState.FAILED, worker.BROKEN)
    assert SECRET not in caplog.text


def _raise(fault: Exception):
    raise fault


def test_a_handler_may_end_its_job_with_its_effect() -> None:
    def handler(work: Work) -> None:
        db.write(queue.finish, work.job, JobState.DONE, result={"own": 1})
        work.has_ended = True

    number = add()
    Worker({KIND: handler}, 1).run_due()
    assert job(number).result == {"own": 1}


def test_a_running_job_is_canceled_and_tells_how_far_it_was() -> None:
    begun = Event()

    def handler(work: Work) -> None:
        work.progress = {"percent": 40}
        begun.set()
        assert work.stop.wait(20)
        work.check()

    number = add()
    with _running(handler):
        assert begun.wait(20)
        wait_for(lambda: job(number).progress)
        db.write(queue.cancel, number)
        wait_for(lambda: job(number).state == JobState.CANCELED)
    assert job(number).progress == {"percent": 40}


def test_a_worker_that_ends_gives_its_jobs_back() -> None:
    begun = Event()

    def handler(work: Work) -> None:
        begun.set()
        assert work.stop.wait(20)
        raise Canceled

    number = add()
    with _running(handler):
        assert begun.wait(20)
    assert (job(number).state, job(number).attempts) == (JobState.WAITING, 0)


def test_so_many_at_once_and_the_others_wait() -> None:
    go, begun = Event(), []

    def handler(work: Work) -> None:
        begun.append(work.job.id)
        assert go.wait(20)

    numbers = [add() for _ in range(5)]
    with _running(handler, at_once=2):
        wait_for(lambda: len(begun) == 2)
        assert not db.read(lambda s: [n for n in numbers if s.get(Job, n).state == JobState.DONE])
        assert len(begun) == 2
        go.set()
        wait_for(lambda: all(job(n).state == JobState.DONE for n in numbers))
    assert sorted(begun) == numbers


def test_a_worker_that_lost_its_job_stops_and_leaves_no_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = Event()

    def handler(work: Work) -> None:
        # The worker's own beat may come between the two, and renew the lease.
        other = next(filter(None, (later(monkeypatch, queue.LEASE * 2) and claim() for _ in range(100))))
        db.write(queue.finish, other, JobState.DONE, result={"by": "the other"})
        assert work.stop.wait(20)
        stopped.set()
        raise Canceled

    number = add()
    Worker({KIND: handler}, 1).run_due()
    assert stopped.is_set()
    assert job(number).result == {"by": "the other"}


class _running:
    """A worker in a thread of its own."""

    def __init__(self, handler, at_once: int = 1) -> None:
        import threading  # noqa: PLC0415

        self.worker = Worker({KIND: handler}, at_once)
        self.thread = threading.Thread(target=self.worker.run)

    def __enter__(self) -> None:
        self.thread.start()

    def __exit__(self, *_: object) -> None:
        self.worker.stop()
        self.thread.join(20)
        assert not self.thread.is_alive()
