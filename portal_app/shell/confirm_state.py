"""Asks for a proof that it is still the person who signed in, then sends the event that waited for it."""

import reflex as rx
from reflex.state import BaseState
from reflex_base.event import Event

from portal_app import db
from portal_app.auth import guard, passkey_sign_in, service
from portal_app.auth.state import WaitingState
from portal_app.auth.turns import in_turn
from portal_app.errors import Denied

NO_PASSKEY = "The browser gave no passkey. Try again, or use your password."
TOO_LATE = "That took more than five minutes. Close this and try again."


class ConfirmState(rx.State):
    """The dialog "Confirm it's you". The password passes through and is never kept."""

    error: str = ""
    busy: bool = False
    passkey_options: str = ""

    @rx.event
    @guard.signed_in()
    async def submit(self, form: dict):
        """Check the password; when it is right, the waiting event goes on as if nothing had been asked."""
        password = form.get("confirm_password")
        if not isinstance(password, str) or not password:
            self.error = "Enter your password."
            return
        self.error, self.busy = "", True
        yield
        try:
            await in_turn(service.confirm, guard.actor(), password)
            event = await confirmed(self)
            self.error = "" if event else TOO_LATE
            yield event
        except Denied as refusal:
            self.error = refusal.sentence
        self.busy = False

    @rx.event
    @guard.signed_in()
    async def ask_passkey(self):
        """Let the browser ask for one of the person's passkeys."""
        self.error = ""
        self.passkey_options = await db.work(passkey_sign_in.ask_to_confirm, guard.actor())

    @rx.event
    @guard.signed_in()
    async def take_passkey(self, form: dict):
        """Check the passkey's answer; when it is right, the waiting event goes on."""
        self.passkey_options, answer = "", form.get("answer")
        if not isinstance(answer, str) or not answer:
            self.error = NO_PASSKEY
            return None
        try:
            await in_turn(passkey_sign_in.confirm, guard.actor(), answer)
        except Denied as refusal:
            self.error = refusal.sentence
            return None
        event = await confirmed(self)
        self.error = "" if event else TOO_LATE
        return event

    @rx.event
    @guard.signed_in()
    async def cancel(self):
        """Forget the waiting event."""
        await forget(self)


async def forget(state: BaseState) -> None:
    """Close the dialog, if it is open: what waits for it is of a page that was left."""
    waiting = await state.get_state(WaitingState)
    if waiting.asked:
        waiting._take()
        dialog = await state.get_state(ConfirmState)
        dialog.error, dialog.passkey_options = "", ""


async def confirmed(state: BaseState) -> Event | None:
    """What a proof of whatever kind ends in, once `sessions.note_confirmed` is committed: the event to send on."""
    return (await state.get_state(WaitingState))._take()
