"""What the tests run in a process of its own: the daily work, perhaps killed somewhere."""

import os
import signal
import threading
from collections.abc import Callable
from datetime import datetime
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from typing import Any

from sqlalchemy import event
from sqlmodel import Session

from portal_app import clock, db
from portal_app.accounts import trials
from portal_app.billing.gateways import sandbox
from portal_app.jobs import cycle
from portal_app.settings import reset_settings
from tests.jobs.lives import at

Moment = tuple[str, float]


def run(environment: dict[str, str], now: datetime, batch: int, moment: Moment | None = None) -> None:
    """The daily work at the instant; SIGKILL at the moment, if there is one."""
    _prepare(environment, now, batch)
    if moment:
        _arm(*moment)
    cycle.run_cycle()


def race(environment: dict[str, str], now: datetime, batch: int, start: Barrier, outcomes: "Queue[str]") -> None:
    """The daily work and a sweep, at the same time as others."""
    _prepare(environment, now, batch)
    start.wait(30)
    outcomes.put(cycle.run_cycle().outcome)
    cycle.sweep(clock.now())


def _prepare(environment: dict[str, str], now: datetime, batch: int) -> None:
    os.environ |= environment
    reset_settings()
    db.reset_engine()
    clock.now = at(now)
    trials.BATCH = batch
    cycle.PAUSE_SECONDS = 0


def _arm(kind: str, amount: float) -> None:
    """Die after some seconds, or at the moment of that number: a statement, a commit, a question to the processor.

    `before` and `after` a statement, at a `commit` that is lost and when one is `committed`, when the processor is to
    be asked (`asking`), and when it has `answered` and nobody has heard.
    """
    if kind == "seconds":
        timer = threading.Timer(amount, _die)
        timer.daemon = True
        timer.start()
        return
    if kind in {"asking", "answered"}:
        _arm_asking(kind, _countdown(int(amount)))
        return
    if kind == "committed":
        event.listen(Session, "after_commit", _countdown(int(amount)))
        return
    names = {"before": "before_cursor_execute", "after": "after_cursor_execute", "commit": "commit"}
    event.listen(db.engine(), names[kind], _countdown(int(amount)))


def _arm_asking(kind: str, hear: Callable[..., None]) -> None:
    ask = sandbox._ask

    def asking(*given: Any) -> Any:
        if kind == "asking":
            hear()
        answer = ask(*given)
        if kind == "answered":
            hear()
        return answer

    sandbox._ask = asking


def _countdown(left: int) -> Callable[..., None]:
    counter = iter(range(left))

    def hear(*_args: Any) -> None:
        if next(counter, None) is None:
            _die()

    return hear


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
