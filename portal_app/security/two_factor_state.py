"""The state of one's own second factor. Secret and recovery codes are shown to the person, and gone afterwards."""

import reflex as rx

from portal_app import db, qr
from portal_app.auth import guard
from portal_app.auth.turns import in_turn
from portal_app.errors import Invalid, PortalError
from portal_app.security import two_factor
from portal_app.security.rows import Overview
from portal_app.shell.state import NoticeState


class TwoFactorState(rx.State):
    """On or off, and the dialog that changes it."""

    is_on: bool = False
    required: bool = False
    codes_left: int = 0
    # The open dialog: "scan", "code", "codes" (the recovery codes), "off", or none.
    dialog: str = ""
    secret: str = ""
    qr: str = ""
    qr_side: int = 0
    codes: list[str] = []
    codes_text: str = ""
    errors: dict[str, str] = {}
    error: str = ""
    busy: bool = False

    @rx.event
    @guard.signed_in(fresh=True)
    async def begin(self):
        """Make a secret, and show it to be scanned."""
        found = await db.work(two_factor.begin, guard.actor())
        self._close()
        self.secret, (self.qr, self.qr_side) = found.secret, qr.path_of(found.uri)
        self.dialog = "scan"

    @rx.event
    @guard.signed_in()
    async def ask_code(self):
        """From the secret to the first code."""
        self.dialog, self.errors = "code" if self.secret else "", {}

    @rx.event
    @guard.signed_in()
    async def enable(self, form: dict):
        """Turn it on; the recovery codes are shown."""
        self.errors = {}
        try:
            codes = await in_turn(two_factor.enable, guard.actor(), _text(form, "code"))
        except Invalid as refusal:
            self.errors = refusal.fields
        except PortalError as refusal:
            self.errors = {"code": refusal.sentence}
        else:
            self._close()
            self._show_codes(codes)
            self.is_on = True
            return _said("Two-factor authentication is on.")
        return None

    @rx.event
    @guard.signed_in()
    async def ask_off(self):
        """The dialog that turns it off."""
        self._close()
        self.dialog = "off"

    @rx.event
    @guard.signed_in()
    async def turn_off(self, form: dict):
        """Turn it off, with the password and a code."""
        self.errors, self.error, self.busy = {}, "", True
        yield
        try:
            await in_turn(two_factor.turn_off, guard.actor(), _text(form, "password"), _text(form, "code"))
        except Invalid as refusal:
            self.errors = refusal.fields
        except PortalError as refusal:
            self.error = refusal.sentence
        else:
            self._close()
            self.is_on = False
            yield _said("Two-factor authentication is off.")
        self.busy = False

    @rx.event
    @guard.signed_in(fresh=True)
    async def renew(self):
        """New recovery codes in the place of the old ones."""
        codes = await db.work(two_factor.new_codes, guard.actor())
        self._close()
        self._show_codes(codes)

    @rx.event
    @guard.signed_in()
    async def close(self):
        """Close the dialog; what it showed is gone."""
        self._close()

    def _show(self, found: Overview) -> None:
        self._close()
        self.is_on, self.required, self.codes_left = found.two_factor, found.two_factor_required, found.codes_left

    def _show_codes(self, codes: list[str]) -> None:
        self.codes, self.codes_text, self.codes_left, self.dialog = codes, "\n".join(codes), len(codes), "codes"

    def _close(self) -> None:
        self.dialog, self.secret, self.qr, self.qr_side, self.codes, self.codes_text = "", "", "", 0, [], ""
        self.errors, self.error, self.busy = {}, "", False


def _text(form: dict, name: str) -> str:
    value = form.get(name, "")
    return value if isinstance(value, str) else ""


def _said(words: str):
    return NoticeState.tell("green", words + " Other browsers were signed out.")
