"""The state of Cycle Runs."""

from typing import TypedDict

import anyio.to_thread
import reflex as rx

from portal_app import clock, db
from portal_app.auth import guard
from portal_app.auth.actor import Actor
from portal_app.billing.words import date_text
from portal_app.errors import PortalError
from portal_app.jobs import runs
from portal_app.jobs.runs import RunRow
from portal_app.shell.state import NoticeState, enter
from portal_app.times import Moment, moment

PATH = "/operator/cycles"


class RunLine(TypedDict):
    """A day's run, in words."""

    day: str
    outcome: str
    kind: str
    started: Moment
    finished: Moment
    did: str


class CycleRunsState(rx.State):
    """The runs of the last days."""

    loading: bool = True
    lines: list[RunLine] = []
    busy: bool = False

    @rx.event
    @guard.operators()
    async def load(self):
        """Show the last runs."""
        actor = await enter(self)
        await self._show(actor)

    @rx.event
    @guard.operators()
    async def run(self):
        """Do what is due and not done."""
        if self.busy:
            return
        self.busy = True
        yield
        kind = "green"
        try:
            said = await anyio.to_thread.run_sync(runs.run_again, guard.actor())
        except PortalError as refusal:
            kind, said = "red", refusal.sentence
        finally:
            self.busy = False
        await self._show(guard.actor())
        yield NoticeState.tell(kind, said)

    async def _show(self, actor: Actor) -> None:
        self.lines = [_line(row, actor.time_zone) for row in await db.look(runs.listed, actor)]
        self.loading = False


def _line(row: RunRow, time_zone: str) -> RunLine:
    outcome, kind = _outcome(row)
    return RunLine(
        day=date_text(row.day),
        outcome=outcome,
        kind=kind,
        started=moment(row.started_at, time_zone),
        finished=moment(row.finished_at, time_zone),
        did=runs.words_of(row.counts) or "Nothing was due",
    )


def _outcome(row: RunRow) -> tuple[str, str]:
    if row.finished_at:
        return ("Done, with some held back", "orange") if row.counts.get("held") else ("Done", "green")
    return ("Under way", "grey") if row.held_until > clock.now() else ("Broken off", "red")
