"""The state of an account's activity: kind and place live in the address."""

from typing import TypedDict

import reflex as rx

from portal_app import db
from portal_app.accounts.rows import BACKUP
from portal_app.accounts.service import id_in
from portal_app.auth import guard
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.backups import activity_reading
from portal_app.backups.activity_query import ActivityQuery
from portal_app.backups.activity_reading import Happening
from portal_app.backups.restore_words import STATES
from portal_app.models import JobState, Outcome
from portal_app.shell.account_state import enter_account
from portal_app.shell.listing import assign
from portal_app.shell.watching import keep_asking
from portal_app.times import Moment, moment

BUSY, IDLE = 1.0, 5.0
_STATES = {key.value: words for key, words in STATES.items()} | {one.value: BACKUP[one] for one in Outcome}


class Line(TypedDict):
    """One thing that happened, in words."""

    key: str
    at: Moment
    what: str
    about: str
    state: str
    state_kind: str
    words: str
    by: str


class ActivityState(rx.State):
    """A page of what happened in the account."""

    loading: bool = True
    lines: list[Line] = []
    kind: str = ""
    size: int = 25
    newest: str = ""
    older: str = ""

    _account_id: int = 0

    @rx.event
    @guard.requires(Permission.ACCOUNTS_ACCESS)
    async def load(self):
        """Show what the address asks for."""
        self.reset()
        found = await enter_account(self)
        if found is None:
            return
        actor, details = found
        self._account_id = details.id
        await self._show(actor)
        yield ActivityState.follow

    @rx.event
    @guard.requires(Permission.ACCOUNTS_ACCESS)
    async def answer(self):
        """Show what the address asks for after a click on this very page, or Back, changed the question."""
        path = self.router.url.path.rstrip("/")
        if path.endswith("/activity") and id_in(path, "accounts") == self._account_id:
            await self._show(guard.actor())

    @rx.event(background=True)
    @guard.requires(Permission.ACCOUNTS_ACCESS)
    async def follow(self):
        """Keep the open page up to date."""
        await keep_asking(self, Permission.ACCOUNTS_ACCESS, self._show)

    async def _show(self, actor: Actor) -> float:
        """Give after how many seconds to look again."""
        query = ActivityQuery.from_address(self.router.url.query_parameters, self._account_id)
        found = await db.look(activity_reading.page, actor, query)
        shown = {
            "loading": False,
            "lines": [_line(row, actor.time_zone) for row in found.rows],
            "kind": query.kind,
            "size": query.size,
            "newest": query.address() if query.before else "",
            "older": query.address(found.rows[-1].mark) if found.older else "",
        }
        assign(self, shown)
        return BUSY if any(row.state in (JobState.WAITING, JobState.RUNNING) for row in found.rows) else IDLE


def _line(row: Happening, time_zone: str) -> Line:
    state, kind = _STATES.get(row.state, ("", "grey"))
    return Line(
        key=str(row.mark),
        at=moment(row.mark.at, time_zone),
        what=row.what,
        about=row.about,
        state=state,
        state_kind=kind,
        words=row.words,
        by=row.by,
    )
