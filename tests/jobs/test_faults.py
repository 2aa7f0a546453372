"""Whatever dies, races or is refused: the same end state as undisturbed, every effect once."""

import multiprocessing
import random
import signal
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from portal_app import clock, db
from portal_app.accounts import trials
from portal_app.jobs import cycle
from portal_app.settings import reset_settings
from tests import stores
from tests.jobs import victim
from tests.jobs.lives import NOW, at, fill, outcome
from tests.jobs.victim import Moment
from tests.stores import Template

# A server that forks: every process is new, and none inherits a thread or a connection of the tests.
processes: Any = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(["tests.jobs.victim"])

ACCOUNTS = 360
BATCH = 8
ROUNDS = 24
# Just over the lease: a dead holder's day is free, and the last round is in the same stretch of every life.
BETWEEN = cycle.LEASE + timedelta(seconds=1)


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory, migrated: Template) -> Iterator[dict[str, Any]]:
    """What one undisturbed run makes of the same accounts, in a database of its own."""
    folder = tmp_path_factory.mktemp("undisturbed")
    with pytest.MonkeyPatch.context() as patch:
        stores.enter(migrated.copy(folder), patch)
        patch.setattr(clock, "now", at(NOW))
        _forget()
        db.write(fill, ACCOUNTS)
        cycle.run_cycle()
        found = outcome()
    _forget()
    return found


def _forget() -> None:
    reset_settings()
    db.reset_engine()


def moment(draw: random.Random) -> Moment:
    kind = draw.choice(("before", "after", "commit", "seconds"))
    return kind, draw.uniform(0, {"commit": 5.0, "seconds": 0.02}.get(kind, 40.0))


def live(target: Callable[..., None], *args: Any) -> int:
    """Run a process to its end; its exit code."""
    process = processes.Process(target=target, args=args)
    process.start()
    process.join(60)
    return process.exitcode


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.long)])
def test_killed_anywhere_and_run_again(
    store: dict[str, str], expected: dict[str, Any], seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = random.Random(seed)
    monkeypatch.setattr(clock, "now", at(NOW))
    db.write(fill, ACCOUNTS)
    ends = []
    for number in range(ROUNDS):
        ends.append(live(victim.run, store, NOW + number * BETWEEN, BATCH, moment(draw)))
        if ends[-1] == 0:
            break
    assert ends.count(-signal.SIGKILL) >= ROUNDS // 2, ends
    assert live(victim.run, store, NOW + ROUNDS * BETWEEN, BATCH) == 0
    assert outcome() == expected


def test_two_processes_at_once(
    store: dict[str, str], expected: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", at(NOW))
    db.write(fill, ACCOUNTS)
    start, outcomes = processes.Barrier(3), processes.Queue()
    both = [processes.Process(target=victim.race, args=(store, NOW, BATCH, start, outcomes)) for _ in range(3)]
    for process in both:
        process.start()
    found = sorted(outcomes.get(timeout=60) for _ in both)
    for process in both:
        process.join(60)
    assert [process.exitcode for process in both] == [0, 0, 0]
    assert found.count("done") == 1
    assert set(found) <= {"done", "busy", "already"}
    cycle.sweep(NOW)
    assert outcome() == expected


class Broken(Exception):
    def __init__(self, sqlstate: str) -> None:
        super().__init__("for the log only")
        self.sqlstate = sqlstate


@pytest.mark.parametrize("sqlstate", ["40001", "40P01"])
def test_a_broken_ring_of_waits_is_tried_again(sqlstate: str, database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", at(NOW))
    db.write(fill, 6)
    real, faults = trials.advance, [Broken(sqlstate)] * (cycle.ATTEMPTS - 1)

    def advance(*args: Any) -> trials.Counts:
        done = real(*args)
        if faults:
            raise OperationalError("", None, faults.pop())
        return done

    monkeypatch.setattr(trials, "advance", advance)
    assert cycle.run_cycle().counts.seen == 5
    assert faults == []


def test_another_fault_of_the_database_is_not_hidden(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []

    def advance(*args: Any) -> trials.Counts:
        calls.append(args)
        raise OperationalError("", None, Broken("57014"))

    monkeypatch.setattr(trials, "advance", advance)
    with pytest.raises(OperationalError):
        cycle.run_cycle()
    assert len(calls) == 1
