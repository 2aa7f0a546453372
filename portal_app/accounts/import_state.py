"""The state of Import Accounts. The file lies in the database; here is only what the page shows of it."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import anyio.to_thread
import reflex as rx

from portal_app import db
from portal_app.accounts import import_service as service
from portal_app.accounts.import_csv import Checked, counted
from portal_app.accounts.import_rows import FaultLine, SampleLine, Tally, report
from portal_app.accounts.import_service import Saved
from portal_app.auth import guard
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.auth.state import SessionState
from portal_app.errors import Denied, NotFound, PortalError
from portal_app.shell.state import enter

R = TypeVar("R")
Work = Callable[[Actor, str, Callable[[float], None]], R]

SECONDS_BETWEEN_LOOKS = 0.15
PAUSE_SECONDS = 0.0005
PROBLEMS = {
    "large": service.TOO_LARGE,
    "none": "Choose a file first.",
    "unreadable": "The file did not arrive whole. Please upload it again.",
    "elsewhere": "That file was sent from another site, so it was not taken. Upload it here.",
}
CHECKING, SAVING, NEXT = "Checking the file …", "Importing …", "Another import is under way; yours is next …"


FAILED = "Something went wrong. Nothing was changed."
LATE_FAULTS = "Nothing was imported: accounts changed since the file was checked. These faults are new."


@dataclass(frozen=True, slots=True)
class Ticket:
    """A work that was begun: for which load, on which import, in what words."""

    turn: int
    job: str
    words: str


class Left(Exception):
    """Nobody waits for the check any more."""


class Meter:
    """How far the work is: written by the thread that does it, read by the page."""

    def __init__(self) -> None:
        self.share, self.begun, self.left = 0.0, False, False

    def step(self, share: float) -> None:
        """Called by the work, from 0 to 1; ends a check that was left."""
        self.share, self.begun = share, True
        if self.left:
            raise Left
        # Python runs one thread at a time. Without a real pause the others get their turn only every 5 ms, several
        # times for one click of theirs.
        time.sleep(PAUSE_SECONDS)


class ImportAccountsState(rx.State):
    """`phase`: loading, upload, checking, faults, ready, saving, done, missing, stopped."""

    phase: str = "loading"
    problem: str = ""
    notice: str = ""
    job: str = ""
    file_name: str = ""
    work: str = ""
    percent: int = 0
    encoding_note: str = ""
    accounts: str = ""
    fault_count: str = ""
    faults: list[FaultLine] = []
    faults_left: bool = False
    sample: list[SampleLine] = []
    places: list[Tally] = []
    subscriptions: list[Tally] = []
    place_names: list[str] = []
    default_place: str = ""
    default_subscription: str = ""
    left_file: str = ""
    left_job: str = ""

    # Grows with each load: work that was begun for an earlier one shows nothing any more.
    _turn: int = 0
    _busy: bool = False

    @rx.event
    @guard.requires(Permission.ACCOUNTS_ADD)
    async def load(self):
        """Show what the address asks for: the form, or an uploaded file, which is then checked."""
        actor = await enter(self)
        turn = self._turn + 1
        self.reset()
        self._turn = turn
        asked = self.router.url.query_parameters
        if job := asked.get("job", ""):
            return await self._open(actor, str(job))
        self.problem = PROBLEMS.get(asked.get("problem", ""), "")
        await self._show_form(actor)
        return None

    @rx.event(background=True)
    @guard.requires(Permission.ACCOUNTS_ADD)
    async def check(self):
        """Check the file whole, and show its faults or what it would add."""
        async with self:
            ticket = self._begin(CHECKING) if self.phase == "checking" else None
        if ticket is not None:
            await self._do(ticket, service.check, self._show_checked)

    @rx.event(background=True)
    @guard.requires(Permission.ACCOUNTS_ADD)
    async def save(self):
        """Import all accounts of the file. A second click finds it under way, or done."""
        async with self:
            ticket = self._begin(SAVING) if self.phase == "ready" else None
            self.phase = "saving" if ticket else self.phase
        if ticket is not None:
            await self._do(ticket, service.save, self._show_saved)

    @rx.event
    @guard.requires(Permission.ACCOUNTS_ADD)
    async def cancel(self):
        """Forget the file."""
        if self.phase == "saving":
            return None
        await db.work(service.cancel, guard.actor(), self.job)
        return rx.redirect("/accounts/import")

    async def _open(self, actor: Actor, job: str) -> Any:
        try:
            upload = await db.look(service.find, actor, job)
        except NotFound:
            self.phase = "missing"
            return None
        self.job, self.file_name = upload.job, upload.file_name
        if upload.done:
            self._show_saved(Saved(upload.accounts, before=True))
            return None
        self.phase, self.work = "checking", CHECKING
        return ImportAccountsState.check

    async def _show_form(self, actor: Actor) -> None:
        form = await db.look(service.form, actor)
        self.place_names, self.default_place = list(form.places), form.place
        self.default_subscription = form.subscription
        if form.left is not None:
            self.left_file, self.left_job = form.left.file_name, form.left.job
        self.phase = "upload"

    def _begin(self, words: str) -> Ticket | None:
        if self._busy:
            return None
        self._busy, self.work, self.percent, self.problem = True, words, 0, ""
        return Ticket(self._turn, self.job, words)

    async def _do(self, ticket: Ticket, do: Work[R], show: Callable[[R], None]) -> None:
        """Do the work of one phase, then show its result; or why there is none."""
        try:
            async with self:
                actor = await guard.check_again(self, Permission.ACCOUNTS_ADD)
            result = await self._run(ticket, do, actor)
        except Left:
            return
        except PortalError as refusal:
            await self._end(ticket, self._turn_down, refusal)
        except Exception:
            await self._end(ticket, self._turn_down, PortalError(FAILED))
            raise
        else:
            await self._end(ticket, show, result)

    async def _run(self, ticket: Ticket, do: Work[R], actor: Actor) -> R:
        meter = Meter()
        there = anyio.to_thread.run_sync(do, actor, ticket.job, meter.step, limiter=service.ONE_AT_A_TIME)
        work = asyncio.ensure_future(there)
        while not work.done():
            await asyncio.wait({work}, timeout=SECONDS_BETWEEN_LOOKS)
            async with self:
                here = self._turn == ticket.turn
                if here:
                    self.percent = round(meter.share * 100)
                    self.work = ticket.words if meter.begun else NEXT
            # A check ends when nobody waits for it. A save goes on: whoever comes back finds it done.
            meter.left = not here and ticket.words == CHECKING
        return work.result()

    async def _end(self, ticket: Ticket, show: Callable[[Any], None], result: Any) -> None:
        async with self:
            if self._turn == ticket.turn:
                self._busy = False
                show(result)
            if isinstance(result, Denied):
                (await self.get_state(SessionState)).denied = result.sentence

    def _show_checked(self, checked: Checked) -> None:
        found = report(checked)
        self.fault_count, self.faults, self.faults_left = found.fault_count, found.faults, found.faults_left
        self.accounts, self.encoding_note, self.sample = found.accounts, found.encoding_note, found.sample
        self.places, self.subscriptions = found.places, found.subscriptions
        self.phase = "faults" if checked.faults else "ready"

    def _show_saved(self, saved: Saved) -> None:
        if saved.faults:
            self._show_checked(Checked(faults=saved.faults))
            self.problem = LATE_FAULTS
            return
        self.phase, self.accounts = "done", counted(saved.accounts)
        was = "was" if saved.accounts == 1 else "were"
        self.notice = f"{self.accounts} {was} imported{' already' if saved.before else ''} from {self.file_name}."

    def _turn_down(self, refusal: PortalError) -> None:
        self.problem = refusal.sentence
        if isinstance(refusal, NotFound):
            self.phase, self.problem = "missing", ""
        elif self.phase == "saving":
            self.phase = "ready"
        else:
            self.phase = "stopped"
