"""The state of Settings > Security: one's own password and sessions, and the rules for all users."""

from typing import TypedDict

import reflex as rx

from portal_app import db
from portal_app.auth import guard
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.auth.turns import in_turn
from portal_app.errors import Denied, Invalid
from portal_app.security import service
from portal_app.security.rows import Overview, SessionRow
from portal_app.security.two_factor_state import TwoFactorState
from portal_app.shell.state import NoticeState, enter
from portal_app.times import Moment, moment


class SessionLine(TypedDict):
    """One signed-in browser in words."""

    key: str
    browser: str
    address: str
    began: Moment
    used: Moment
    is_this: bool


class SecurityState(rx.State):
    """What is shown; what is typed stays in the browser's own fields."""

    ready: bool = False
    has_password: bool = False
    password_set: Moment = Moment(text="", exact="")
    sessions: list[SessionLine] = []
    may_rule: bool = False
    expires: bool = False
    days: str = ""
    require_two_factor: bool = False
    errors: dict[str, str] = {}
    busy: bool = False
    # Grows with each new password: its form is then drawn anew, and empty.
    changes: int = 0

    @rx.event
    @guard.signed_in()
    async def load(self):
        """Show everything."""
        await enter(self)
        self.errors, self.busy = {}, False
        await self._show()
        self.ready = True

    async def _show(self) -> None:
        actor = guard.actor()
        found = await db.look(service.overview, actor)
        self.has_password, self.password_set = found.has_password, moment(found.password_set_at, actor.time_zone)
        self.sessions = [_line(row, actor) for row in found.sessions]
        self._show_policy(found)
        (await self.get_state(TwoFactorState))._show(found)

    def _show_policy(self, found: Overview) -> None:
        self.may_rule = found.policy is not None
        if found.policy:
            days = found.policy.password_days
            self.expires, self.days = days is not None, str(days or 90)
            self.require_two_factor = found.policy.require_two_factor

    @rx.event
    @guard.signed_in()
    async def change_password(self, form: dict):
        """Replace one's own password; all other browsers are signed out."""
        given = [value if isinstance(value := form.get(n), str) else "" for n in ("current", "password", "again")]
        self.errors, self.busy = {}, True
        yield
        try:
            await in_turn(service.change_password, guard.actor(), *given)
            self.changes += 1
            await self._show()
            yield NoticeState.tell("green", "Your password was changed. Other browsers were signed out.")
        except Invalid as refusal:
            self.errors = refusal.fields
        except Denied as refusal:
            self.errors = {"current": refusal.sentence}
        self.busy = False

    @rx.event
    @guard.signed_in()
    async def revoke(self, key: str):
        """Sign out one of one's own browsers."""
        await db.work(service.revoke, guard.actor(), key)
        await self._show()
        return NoticeState.tell("green", "The session was ended.")

    @rx.event
    @guard.signed_in()
    async def revoke_others(self):
        """Sign out all one's own browsers but this one."""
        ended = await db.work(service.revoke_others, guard.actor())
        await self._show()
        words = "1 session was ended." if ended == 1 else f"{ended} sessions were ended."
        return NoticeState.tell("green", words)

    @rx.event
    @guard.requires(Permission.SECURITY_MANAGE)
    async def choose_expires(self, on: bool):
        """Whether passwords expire; saved with the rest."""
        self.expires, self.errors = on, {}

    @rx.event
    @guard.requires(Permission.SECURITY_MANAGE)
    async def choose_required(self, on: bool):
        """Whether everybody needs a second factor; saved with the rest."""
        self.require_two_factor = on

    @rx.event
    @guard.requires(Permission.SECURITY_MANAGE, fresh=True)
    async def save_policy(self, form: dict):
        """Save the rules for all users."""
        given = form.get("days")
        days = (given if isinstance(given, str) else "") or ("0" if self.expires else "")
        self.errors = {}
        try:
            ended = await db.work(
                service.save_policy,
                guard.actor(),
                days if self.expires else "",
                require_two_factor=self.require_two_factor,
            )
        except Invalid as refusal:
            self.errors = refusal.fields
            return None
        await self._show()
        return NoticeState.tell("green", _saved(ended))


def _saved(ended: int | None) -> str:
    if not ended:
        return "Nothing was changed." if ended is None else "Saved."
    who = "1 person was" if ended == 1 else f"{ended} people were"
    return f"Saved. {who} signed out, and will be asked for what is missing."


def _line(row: SessionRow, actor: Actor) -> SessionLine:
    return SessionLine(
        key=row.key,
        browser=row.browser or "Unknown browser",
        address=row.address,
        began=moment(row.created_at, actor.time_zone),
        used=moment(row.used_at, actor.time_zone),
        is_this=row.is_this,
    )
