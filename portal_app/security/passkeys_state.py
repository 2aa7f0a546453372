"""The state of one's own passkeys."""

from typing import TypedDict

import reflex as rx

from portal_app import db
from portal_app.auth import guard
from portal_app.auth.turns import in_turn
from portal_app.errors import Invalid, PortalError
from portal_app.security import passkeys
from portal_app.security.rows import PasskeyRow
from portal_app.shell.state import NoticeState
from portal_app.times import Moment, moment

NOT_MADE = "The browser made no passkey. Try again, with the screen lock or security key of this device ready."
KNOWN = "This device keeps a passkey of yours already."
NOT_HERE = "This browser can't make passkeys at this address."
_FAULTS = {"InvalidStateError": KNOWN, "SecurityError": NOT_HERE, "TypeError": NOT_HERE, "NotSupportedError": NOT_HERE}


class PasskeyLine(TypedDict):
    """One passkey in words."""

    id: int
    name: str
    added: Moment
    used: Moment


class PasskeyState(rx.State):
    """The list, and the dialog that adds, names or removes one."""

    lines: list[PasskeyLine] = []
    ready: bool = False
    # The open dialog: "add", "name", "remove", or none; and which passkey it is about.
    dialog: str = ""
    chosen: int = 0
    name: str = ""
    # What the browser makes a passkey of; empty while it is not asked.
    options: str = ""
    error: str = ""
    busy: bool = False

    @rx.event
    @guard.signed_in()
    async def load(self):
        """Show the passkeys."""
        self._close()
        await self._show()
        self.ready = True

    @rx.event
    @guard.signed_in(fresh=True)
    async def begin(self):
        """Ask for the new one's name."""
        self._close()
        self.dialog = "add"

    @rx.event
    @guard.signed_in(fresh=True)
    async def ask(self, form: dict):
        """Let the browser make it."""
        self.name, self.error = _text(form, "name").strip()[:200], ""
        try:
            passkeys.check_name(self.name)
            self.options = await db.work(passkeys.begin, guard.actor())
            self.busy = True
        except Invalid as refusal:
            self.error = refusal.fields["name"]
        except PortalError as refusal:
            self.error = refusal.sentence

    @rx.event
    @guard.signed_in(fresh=True)
    async def add(self, form: dict):
        """Keep what the browser made."""
        self.options, self.busy = "", False
        if not _text(form, "answer"):
            self.error = _FAULTS.get(_text(form, "fault"), NOT_MADE)
            return None
        try:
            await in_turn(passkeys.add, guard.actor(), self.name, _text(form, "answer"))
        except PortalError as refusal:
            self.error = refusal.sentence
            return None
        self._close()
        await self._show()
        return NoticeState.tell("green", "The passkey was added. Other browsers were signed out.")

    @rx.event
    @guard.signed_in()
    async def ask_name(self, passkey_id: int):
        """Ask for another name."""
        self._open("name", passkey_id)

    @rx.event
    @guard.signed_in()
    async def rename(self, form: dict):
        """Save the other name."""
        try:
            await db.work(passkeys.rename, guard.actor(), self.chosen, _text(form, "name"))
        except Invalid as refusal:
            self.error = refusal.fields["name"]
            return
        self._close()
        await self._show()

    @rx.event
    @guard.signed_in(fresh=True)
    async def ask_remove(self, passkey_id: int):
        """Ask before it is removed."""
        self._open("remove", passkey_id)

    @rx.event
    @guard.signed_in(fresh=True)
    async def remove(self):
        """Forget it."""
        chosen = self.chosen
        self._close()
        await db.work(passkeys.remove, guard.actor(), chosen)
        await self._show()
        return NoticeState.tell("green", "The passkey was removed. Other browsers were signed out.")

    @rx.event
    @guard.signed_in()
    async def close(self):
        """Close the dialog."""
        self._close()

    async def _show(self) -> None:
        zone = guard.actor().time_zone
        self.lines = [_line(row, zone) for row in await db.look(passkeys.listed, guard.actor())]

    def _open(self, dialog: str, passkey_id: int) -> None:
        self._close()
        found = next((line for line in self.lines if line["id"] == passkey_id), None)
        if found:
            self.dialog, self.chosen, self.name = dialog, passkey_id, found["name"]

    def _close(self) -> None:
        self.dialog, self.chosen, self.name, self.options, self.error, self.busy = "", 0, "", "", "", False


def _line(row: PasskeyRow, zone: str) -> PasskeyLine:
    used = moment(row.used_at, zone) if row.used_at else Moment(text="Not used yet", exact="")
    return PasskeyLine(id=row.id, name=row.name, added=moment(row.created_at, zone), used=used)


def _text(form: dict, name: str) -> str:
    value = form.get(name, "")
    return value if isinstance(value, str) else ""
