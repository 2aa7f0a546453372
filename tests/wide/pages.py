"""An open page that clicks, and moves to another process as the portal's pages do."""

from contextlib import suppress
from uuid import uuid4

import simple_websocket

from tests.backups.portals import wait_for
from tests.security.pipeline import name_of
from tests.security.served import Raw, Served

SAVE = name_of("notifications_state.save")
# What its server process tells a page so that it connects anew.
GO = "49"


class Page:
    """Adds a recipient with each click: `NAME 1`, `NAME 2`, …"""

    def __init__(self, of: Served, cookie: str, name: str) -> None:
        self.clicked: list[str] = []
        self.moved = 0
        self._name, self._of, self._cookie, self._token = name, of, cookie, str(uuid4())
        self.socket = self._connect()

    def click(self) -> None:
        """Click, and don't wait."""
        self.clicked.append(f"{self._name} {len(self.clicked) + 1}")
        email = f"{self.clicked[-1].replace(' ', '')}@people.example"
        self.socket.send(SAVE, {"form": {"email": email, "name": self.clicked[-1], "summary": "on"}})

    @property
    def is_told_to_go(self) -> bool:
        """Whether it has the word, which it has not read yet."""
        return GO in self.socket.socket.input_buffer

    def hears(self) -> bool:
        """Whether its process is still there."""
        start = len(self.socket.seen)
        with suppress(simple_websocket.ConnectionClosed):
            self.socket.call("ping")
        self.socket.until(lambda: self.socket.closed or ["ping", "pong"] in self.socket.seen[start:])
        return not self.socket.closed

    def move(self) -> None:
        """Read that it has to go, and connect anew."""
        self.socket.until(lambda: self.socket.closed)
        self.socket = self._connect()
        self.moved += 1

    def _connect(self) -> Raw:
        found = wait_for(self._try)
        assert not [message for message in found.seen if message[0] == "new_token"], "it is not known any more"
        return found

    def _try(self) -> Raw | None:
        # Who dies takes those with it that it was to let in. A page tries again, too.
        with suppress(ConnectionError):
            return Raw(self._of, self._cookie, self._token)
        return None
