"""What every open tab keeps: whose it is, why it was last refused, and what waits for the person's confirmation."""

from datetime import datetime, timedelta

import reflex as rx
from reflex_base.event import Event

from portal_app import clock

_WAITS = timedelta(minutes=5)


class SessionState(rx.State):
    """Bound to one login session by the guard; `denied` is the sentence of the last refusal."""

    _owner: str = ""
    denied: str = ""


class WaitingState(rx.State):
    """An event that waits until the person has shown that it is they. Only the server holds it, for some minutes."""

    asked: bool = False
    has_password: bool = True
    has_passkey: bool = False

    _name: str = ""
    _payload: dict = {}
    _until: datetime | None = None

    def _hold(self, event: Event) -> None:
        self._name, self._payload, self._until = event.name, dict(event.payload), clock.now() + _WAITS

    def _take(self) -> Event | None:
        """The event that waits, once; None when it has waited too long."""
        held = Event(name=self._name, payload=dict(self._payload)) if self._name else None
        in_time = self._until is not None and clock.now() < self._until
        self.asked, self._name, self._payload, self._until = False, "", {}, None
        return held if in_time else None
