"""The daily work: each day exactly once, whatever runs twice, dies or was asleep (spec 4.4).

A day is claimed by its row in `cycle_run`. Every batch locks that row and finds itself still the holder, so a
holder that was believed dead and replaced stops before its next change (fencing). Counts are kept in the batch's
own transaction: what a killed holder did is neither lost nor counted twice.
"""

import logging
import os
import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import partial
from threading import Event
from typing import TypeVar

from sqlalchemy.exc import IntegrityError, OperationalError
from sqlmodel import Session, col, delete, select

from portal_app import clock, db
from portal_app.accounts import import_service, trials
from portal_app.accounts.trials import Counts
from portal_app.auth import repeats
from portal_app.billing import collecting, ledger
from portal_app.billing import cycle as billing
from portal_app.billing.ledger import Written
from portal_app.deployment import is_demo
from portal_app.errors import Invalid
from portal_app.files import service as files
from portal_app.mail import outbox
from portal_app.models import CycleRun, LoginSession, LoginTicket
from portal_app.portal_import import service as portal_import
from portal_app.tickets import uploads as ticket_files
from portal_app.webhooks import outbox as webhooks

R = TypeVar("R")

LEASE = timedelta(minutes=5)
FARTHEST = timedelta(days=3660)
ATTEMPTS = 5
# SQLite's writers don't queue: whoever waits looks again after at most 0.1 s, and must find the door open then.
PAUSE_SECONDS = 0.11
_RETRIED = {"40001", "40P01"}  # PostgreSQL: serialization failure, deadlock

log = logging.getLogger(__name__)


class Outcome(StrEnum):
    DONE = "done"
    ALREADY = "already"
    BUSY = "busy"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class CycleResult:
    """How a run ended: the days that this run finished, what it did, and the day at which it stopped."""

    outcome: Outcome
    day: date
    days: tuple[date, ...] = ()
    counts: Counts = field(default_factory=Counts)

    @property
    def sentence(self) -> str:
        """The outcome for the person who asked for it."""
        if self.outcome == Outcome.ALREADY:
            return f"The work of {self.day} is done already."
        if self.outcome == Outcome.BUSY:
            return f"Another process is doing the work of {self.day}."
        if self.outcome == Outcome.STOPPED:
            return f"Stopped in the work of {self.day}; the next run goes on from there."
        done = ", ".join(f"{count} {name}" for name, count in self.counts.as_dict().items() if count and name != "seen")
        return f"The work of {len(self.days)} day(s) up to {self.day} is done: {done or 'nothing was due'}."


class _Busy(Exception):
    """Another process holds the day, or took it over from this one."""


class _Stopped(Exception):
    """The process is ending."""


def run_cycle(on: date | None = None, stop: Event | None = None) -> CycleResult:
    """Do the work of every day since the last finished one, up to `on` (UTC; default: today).

    Invalid for a future day outside a demo. `stop`, once set, ends the run after the batch in hand.
    """
    today = clock.today()
    on = on or today
    if on > today:
        db.read(_check_future, on, today)
    last = db.read(_last_finished)
    if last is not None and last >= on:
        return CycleResult(Outcome.ALREADY, on)
    first = last + timedelta(days=1) if last else min(on, today)
    return _run_days(first, on, stop or Event())


def sweep(now: datetime, stop: Event | None = None) -> Counts:
    """Do what fell due since the last look. One probe of an index when nothing did."""
    done, stop = Counts(), stop or Event()
    while not stop.is_set() and db.read(trials.is_due, now):
        batch = _retrying(lambda: db.write(trials.advance, now, trials.BATCH))
        if not batch.seen:  # all that is due is locked by somebody who works on it: the next look finds it
            break
        done += batch
        _let_others_write(batch.seen, stop)
    return done + _bill(now, ledger.advance, stop)


def prune(session: Session, now: datetime) -> None:
    """Forget sign-ins and files that ended, uploads nobody imported, what old mail said and programs were answered."""
    session.exec(delete(LoginSession).where(col(LoginSession.ends_at) <= now))
    session.exec(delete(LoginTicket).where(col(LoginTicket.ends_at) <= now))
    import_service.prune(session)
    portal_import.prune(session)
    outbox.prune(session, now)
    files.prune(session)
    repeats.prune(session, now)
    ticket_files.prune(session)
    webhooks.prune(session, now)


def _check_future(session: Session, on: date, today: date) -> None:
    if not is_demo(session):
        raise Invalid(f"{on} is in the future: only a demo can run ahead of its clock.")
    if on - today > FARTHEST:
        raise Invalid(f"{on} is too far ahead: a demo can run {FARTHEST.days:,} days ahead of its clock.")


def _last_finished(session: Session) -> date | None:
    finished = select(CycleRun.day).where(col(CycleRun.finished_at).is_not(None))
    return session.exec(finished.order_by(col(CycleRun.day).desc()).limit(1)).first()


def _run_days(day: date, last: date, stop: Event) -> CycleResult:
    holder = f"{socket.gethostname()[:40]}:{os.getpid()}:{secrets.token_hex(8)}"
    days: list[date] = []
    counts = Counts()

    def result(outcome: Outcome) -> CycleResult:
        return CycleResult(outcome, min(day, last), tuple(days), counts)

    try:
        while day <= last:
            if _claim_day(day, holder):
                counts += _work(day, holder, stop)
                days.append(day)
            day += timedelta(days=1)
    except _Busy:
        return result(Outcome.BUSY)
    except _Stopped:
        return result(Outcome.STOPPED)
    return result(Outcome.DONE if days else Outcome.ALREADY)


def _work(day: date, holder: str, stop: Event) -> Counts:
    done = Counts()
    try:
        while True:
            if stop.is_set():
                raise _Stopped
            batch = _retrying(lambda: db.write(_batch, day, holder))
            if not batch.seen:
                break
            done += batch
            _let_others_write(batch.seen, stop)
        billed = _bill(_as_of(day), partial(_bill_as_holder, day, holder), stop)
        done += billed
        collecting.run(_as_of(day), lambda: not stop.is_set())
        if stop.is_set():
            raise _Stopped
        db.write(_finish, day, holder, Counts(held=billed.held))
    except BaseException:
        _release(day, holder)
        raise
    return done


def _batch(session: Session, day: date, holder: str) -> Counts:
    """One batch of a day, as its holder; _Busy without any effect when another process took the day over."""
    run = _hold_on(session, day, holder)
    done = trials.advance(session, _as_of(day), trials.BATCH, clock.now())
    run.counts = _added(run.counts, done)
    return done


def _bill(now: datetime, write: Callable[..., Written], stop: Event) -> Counts:
    """The bills of every partner at an instant, `write` by `write`; whole up to where `stop` ends it."""
    done = Counts()
    for written in billing.run(now, lambda *of: _retrying(lambda: db.write(write, *of))):
        if written is None:
            done += Counts(held=1)
            continue
        done += _counted(written)
        _let_others_write(written.accounts, stop)
        if stop.is_set():
            break
    return done


def _bill_as_holder(day: date, holder: str, session: Session, partner_id: int, today: date) -> Written:
    run = _hold_on(session, day, holder)
    written = ledger.advance(session, partner_id, today)
    run.counts = _added(run.counts, _counted(written))
    return written


def _counted(written: Written) -> Counts:
    return Counts(bills=written.bills, billed=written.accounts)


def _as_of(day: date) -> datetime:
    """The instant up to which a day's work looks."""
    now = clock.now()
    return now if day == now.date() else clock.end_of(day)


def _hold_on(session: Session, day: date, holder: str) -> CycleRun:
    run = _hold(session, day, holder)
    run.held_until = clock.now() + LEASE
    return run


def _finish(session: Session, day: date, holder: str, held: Counts) -> None:
    now = clock.now()
    prune(session, now)
    run = _hold(session, day, holder)
    run.counts, run.finished_at = _added(run.counts, held), now


def _hold(session: Session, day: date, holder: str) -> CycleRun:
    # The lock on the row lasts as long as the transaction: whoever wants to take over waits until it is through.
    mine = (col(CycleRun.day) == day, col(CycleRun.holder) == holder, col(CycleRun.finished_at).is_(None))
    run = session.exec(select(CycleRun).where(*mine).with_for_update()).first()
    if run is None:
        raise _Busy
    return run


def _claim_day(day: date, holder: str) -> bool:
    """Whether the day is now ours to do; False when it is finished, _Busy when another process is at it."""
    for _ in range(2):
        try:
            return db.write(_claim, day, holder)
        except IntegrityError:  # two claimed at the same instant: the second look finds the winner
            continue
    raise _Busy


def _claim(session: Session, day: date, holder: str) -> bool:
    now = clock.now()
    run = session.exec(select(CycleRun).where(col(CycleRun.day) == day).with_for_update()).first()
    if run is None:
        session.add(CycleRun(day=day, holder=holder, held_until=now + LEASE, started_at=now))
        session.flush()
        return True
    if run.finished_at is not None:
        return False
    if now < run.held_until <= now + 2 * LEASE:
        raise _Busy
    # The lease has lapsed; or it lies so far ahead that the clock must have been set back under it.
    run.holder, run.held_until = holder, now + LEASE
    return True


def _release(day: date, holder: str) -> None:
    """Let the next process begin at once. Best effort: the lease lapses by itself."""
    try:
        db.write(_let_go, day, holder)
    except (_Busy, OperationalError):
        log.info("The claim of %s ends with its lease.", day)


def _let_go(session: Session, day: date, holder: str) -> None:
    _hold(session, day, holder).held_until = clock.now()


def _let_others_write(seen: int, stop: Event) -> None:
    if seen >= trials.BATCH:
        stop.wait(PAUSE_SECONDS)


def _added(kept: dict[str, int], done: Counts) -> dict[str, int]:
    return {name: kept.get(name, 0) + count for name, count in done.as_dict().items()}


def _retrying(do: Callable[[], R]) -> R:
    """`do()`, again when PostgreSQL broke a ring of waiting transactions at its expense; it had no effect then."""
    for _ in range(ATTEMPTS - 1):
        try:
            return do()
        except OperationalError as fault:
            if getattr(fault.orig, "sqlstate", None) not in _RETRIED:
                raise
    return do()
