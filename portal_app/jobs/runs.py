"""The runs of the daily work, as operators see them, and one that an operator asks for."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import Session, col, select

from portal_app import clock, db
from portal_app.audit.service import record
from portal_app.audit.tags import Activity
from portal_app.auth.actor import Actor
from portal_app.jobs import cycle
from portal_app.models import CycleRun

SHOWN = 100
_WORDS = {"bills": "bills issued", "billed": "accounts billed", "held": "partners whose bills wait"}


@dataclass(frozen=True, slots=True)
class RunRow:
    """The work of one day. It is under way while `held_until` lies ahead, and was broken off when that has passed."""

    day: date
    started_at: datetime
    finished_at: datetime | None
    held_until: datetime
    counts: dict[str, int]


def listed(session: Session, actor: Actor) -> list[RunRow]:
    """The days worked on last. Raises Denied."""
    actor.require_provider()
    found = session.exec(select(CycleRun).order_by(col(CycleRun.day).desc()).limit(SHOWN))
    return [RunRow(run.day, run.started_at, run.finished_at, run.held_until, dict(run.counts)) for run in found]


def run_again(actor: Actor) -> str:
    """Do what is due and not done, of today and of days before; says what that was. What is done stays as it is.

    Runs in a thread, in short transactions of its own. Raises Denied.
    """
    actor.require_provider()
    db.write(record, actor, Activity.SETTINGS_CHANGED, "Daily work run by hand")
    result = cycle.run_cycle()
    if result.outcome != cycle.Outcome.ALREADY:
        return result.sentence
    done = words_of(cycle.sweep(clock.now()).as_dict())
    return f"Done now: {done}." if done else "Everything that is due is done already."


def words_of(counts: dict[str, int]) -> str:
    """Such as "bills issued: 12, accounts billed: 340"; empty when nothing was due."""
    done = {_WORDS.get(name, name): count for name, count in counts.items() if count and name != "seen"}
    return ", ".join(f"{what}: {count:,}" for what, count in done.items())
