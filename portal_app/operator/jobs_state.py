"""The states of the jobs: the list, whose question lives in the address, and one job."""

from functools import partial
from typing import TypedDict

import reflex as rx

from portal_app import db
from portal_app.auth import guard
from portal_app.auth.actor import Actor
from portal_app.errors import NotFound, PortalError
from portal_app.models import JobState
from portal_app.operator import job_list
from portal_app.operator.job_rows import KINDS, PATH, JobQuery, JobRow
from portal_app.paging import counted
from portal_app.shell.listing import ListState, answer_to, assign
from portal_app.shell.state import NoticeState, enter
from portal_app.shell.watching import keep_asking
from portal_app.times import Moment, moment
from portal_app.ui.choice import Option
from portal_app.ui.listing import choices

STATES = {
    JobState.WAITING: ("Waiting", "grey"),
    JobState.RUNNING: ("Running", "accent"),
    JobState.DONE: ("Done", "green"),
    JobState.FAILED: ("Failed", "red"),
    JobState.CANCELED: ("Canceled", "grey"),
}
# How often an open page looks: while something moves on it, and else.
SOON, LATER = 2.0, 15.0
_NEVER = Moment(text="", exact="")


class JobLine(TypedDict):
    """A job in words."""

    id: int
    href: str
    kind: str
    state: str
    state_kind: str
    partner: str
    account: str
    task: str
    percent: int
    running: bool
    words: str
    fault: str
    attempts: int
    made_by: str
    created: Moment
    next: Moment
    started: Moment
    finished: Moment
    may_stop: bool
    may_repeat: bool
    has_log: bool


class JobsState(ListState, rx.State):
    """A page of the jobs."""

    loading: bool = True
    lines: list[JobLine] = []
    kind: str = ""
    state: str = ""
    partner: str = ""
    partners: list[Option] = []
    sort: str = "id"
    descending: bool = True

    @rx.event
    @guard.operators()
    async def load(self):
        """Show what the address asks for."""
        actor = await enter(self)
        self.partners = choices("Partner", await db.look(job_list.partners, actor))
        await self._show(actor)
        self.loading = False
        yield JobsState.watch

    @rx.event
    @guard.operators()
    async def answer(self):
        """Show what the address asks for after a click on this very page, or Back, changed the question."""
        await self._show(guard.actor())

    @rx.event(background=True)
    @guard.operators()
    async def watch(self):
        """Keep the open page up to date."""
        await keep_asking(self, None, self._look_again)

    async def _look_again(self, actor: Actor) -> float:
        await self._show(actor)
        return SOON if any(line["running"] for line in self.lines) else LATER

    async def _show(self, actor: Actor) -> None:
        if self.router.url.path.rstrip("/") != PATH:
            return
        query = JobQuery.from_address(self.router.url.query_parameters)
        found, shown = await answer_to(query, partial(db.look, job_list.page, actor))
        lines = [_line(row, actor.time_zone) for row in found.rows]
        assign(self, {"lines": lines, "count": counted(found.matching, found.total, "job")} | shown)


class JobPageState(rx.State):
    """One job, and what may be done with it."""

    ready: bool = False
    missing: bool = False
    job: JobLine = JobLine(
        id=0,
        href="",
        kind="",
        state="",
        state_kind="grey",
        partner="",
        account="",
        task="",
        percent=0,
        running=False,
        words="",
        fault="",
        attempts=0,
        made_by="",
        created=_NEVER,
        next=_NEVER,
        started=_NEVER,
        finished=_NEVER,
        may_stop=False,
        may_repeat=False,
        has_log=False,
    )
    log: str = ""
    asking: bool = False
    busy: bool = False

    @rx.event
    @guard.operators()
    async def load(self):
        """Show the job of the address."""
        actor = await enter(self)
        self.reset()
        try:
            await self._show(actor)
        except NotFound:
            self.missing = True
            return
        yield JobPageState.watch

    @rx.event(background=True)
    @guard.operators()
    async def watch(self):
        """Keep the open page up to date."""
        await keep_asking(self, None, self._look_again)

    @rx.event
    @guard.operators()
    async def ask(self):
        """Ask whether the job is to be stopped."""
        self.asking = self.job["may_stop"]

    @rx.event
    @guard.operators()
    async def close(self):
        """Let it go on."""
        self.asking = False

    @rx.event
    @guard.operators()
    async def stop(self):
        """Stop the job that was asked about."""
        if self.busy or not self.asking:
            return
        self.busy = True
        yield
        said = ("green", f"Job {self.job['id']} is being stopped.")
        try:
            await db.work(job_list.stop, guard.actor(), self.job["id"])
        except PortalError as refusal:
            said = ("red", refusal.sentence)
        finally:
            self.busy = self.asking = False
        await self._show(guard.actor())
        yield NoticeState.tell(*said)

    @rx.event
    @guard.operators()
    async def repeat(self):
        """Do the job once more, and show the new one."""
        if self.busy or not self.job["id"]:
            return
        self.busy = True
        yield
        try:
            number = await db.work(job_list.repeat, guard.actor(), self.job["id"])
        except PortalError as refusal:
            yield NoticeState.tell("red", refusal.sentence)
        else:
            yield rx.redirect(f"{PATH}/{number}")
        finally:
            self.busy = False

    @rx.event
    @guard.operators()
    async def show_log(self):
        """Show what the engine said; that is audited."""
        if self.job["id"]:
            self.log = await db.work(job_list.log, guard.actor(), self.job["id"]) or "The engine said nothing."

    async def _look_again(self, actor: Actor) -> float:
        await self._show(actor)
        return SOON if self.job["running"] else LATER

    async def _show(self, actor: Actor) -> None:
        number = self.router.url.path.rstrip("/").rpartition("/")[2]
        if not (number.isascii() and number.isdecimal() and len(number) < 16):
            raise NotFound(job_list.NO_JOB)
        job = _line(await db.look(job_list.one, actor, int(number)), actor.time_zone)
        assign(self, {"job": job, "ready": True})


def _line(row: JobRow, time_zone: str) -> JobLine:
    state, kind = ("Stopping", "orange") if row.stopping else STATES[JobState(row.state)]
    is_waiting = row.state == JobState.WAITING
    return JobLine(
        id=row.id,
        href=f"{PATH}/{row.id}",
        kind=KINDS.get(row.kind, row.kind.capitalize()),
        state="Trying again" if is_waiting and row.fault else state,
        state_kind="orange" if is_waiting and row.fault else kind,
        partner=row.partner,
        account=row.account,
        task=row.task,
        percent=row.percent,
        running=row.state == JobState.RUNNING,
        words=row.words,
        fault=row.fault,
        attempts=row.attempts,
        made_by=row.made_by,
        created=moment(row.created_at, time_zone),
        next=moment(row.run_at if is_waiting else None, time_zone),
        started=moment(row.started_at, time_zone),
        finished=moment(row.finished_at, time_zone),
        may_stop=row.may_stop,
        may_repeat=row.may_repeat,
        has_log=row.has_log,
    )
