"""What goes over the sockets of open pages: what is let in from there, and how what goes there is written.

Internals of Reflex 0.10.1 and python-socketio 5; tests/security holds them.
"""

import json
import logging
import re
import time
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import orjson
from reflex_base.registry import RegistrationContext
from reflex_base.utils.format import json_dumps
from reflex_base.utils.serializers import serialize
from socketio import packet

log = logging.getLogger("portal.http")
EVENTS_A_SECOND, EVENTS_AT_ONCE = 40.0, 120
# In bytes; the largest form of a page is far smaller.
LARGEST = 200_000
LONGEST_PATH = 4_000
DEEPEST = 12
# Half surrogate pairs have no bytes, and PostgreSQL takes no NUL.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
# No database takes a NUL. As another control character it comes through, and the field says what is wrong with it.
_NUL = "\\u0000"
_NUL_SENT = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")
# Others are Reflex's to put into words.
_PLAIN_ONLY = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME


@dataclass(slots=True)
class Bucket:
    """What a socket may still send: fills evenly, holds a burst."""

    tokens: float = EVENTS_AT_ONCE
    then: float = field(default_factory=time.monotonic)
    told: bool = False

    def take(self) -> bool:
        """Whether one more may pass now."""
        now = time.monotonic()
        filled = min(EVENTS_AT_ONCE, self.tokens + (now - self.then) * EVENTS_A_SECOND)
        self.then, self.tokens = now, max(0.0, filled - 1)
        return filled >= 1


def write_fast(server: Any) -> None:
    """Have messages to pages written in a tenth of the time that Python's own writer takes."""
    server.packet_class.json = SimpleNamespace(dumps=written, loads=json.loads)


def written(value: Any, **_how: Any) -> str:
    """A message as JSON."""
    try:
        return orjson.dumps(value, default=serialize, option=_PLAIN_ONLY).decode()
    except TypeError:
        # It takes no numbers above 64 bits and no keys but texts.
        return json_dumps(value, separators=(",", ":"))


def let_in(server: Any) -> None:
    """Looks at each message before the socket server does; what no page sends, or too much of it, is dropped."""
    handle = server.eio.handlers["message"]

    async def on_message(socket: str, data: Any) -> None:
        environ = server.environ.get(socket)
        if environ is None:
            return
        if isinstance(data, str) and _NUL in data:
            data = _NUL_SENT.sub(r"\1\\u0001", data)
        bucket = environ.setdefault("portal.bucket", Bucket())
        found = _read(server, data) if bucket.take() else None
        if found is not None and found.packet_type == packet.EVENT:
            # As `handle` does, which would read it once more.
            await server._handle_event(socket, found.namespace, found.id, found.data)
        elif found is not None:
            await handle(socket, data)
        elif not bucket.told:
            bucket.told = True
            log.warning("a socket from %s sends what no page sends, or too much", environ.get("REMOTE_ADDR"))

    server.eio.on("message", on_message)


def _read(server: Any, data: Any) -> Any:
    """The message if it is one of the few that pages send, else None.

    The socket server would call `on_<name>` for any name that comes: `connect`, with a forged address and cookie.
    """
    try:
        found = server.packet_class(encoded_packet=data) if isinstance(data, str) else None
    except (ValueError, IndexError, RecursionError):
        return None
    if found is not None and found.packet_type == packet.EVENT:
        return found if _is_message(found.data) else None
    return found if found is not None and found.packet_type in {packet.CONNECT, packet.DISCONNECT} else None


def _is_message(data: Any) -> bool:
    match data:
        case ["event", event]:
            return is_event(event)
        case ["client_error", dict() as report]:
            return is_plain(report)
    return data == ["ping"]


def is_event(data: Any) -> bool:
    """Whether it is an event of a handler that there is, as a page sends it."""
    return (
        isinstance(data, dict)
        and isinstance(data.get("name"), str)
        and data["name"] in RegistrationContext.get().event_handlers
        and isinstance(data.get("payload", {}), dict)
        and is_plain(data)
        and _is_place(data.get("router_data", {}))
    )


def _is_place(router_data: Any) -> bool:
    """Whether it says where a page is, in the way pages do."""
    if not isinstance(router_data, dict):
        return False
    query = router_data.get("query", {})
    return (
        isinstance(query, dict)
        and all(isinstance(value, (str, list)) for value in query.values())
        and all(_is_path(router_data.get(name, "/")) for name in ("pathname", "asPath"))
    )


def _is_path(value: Any) -> bool:
    if not isinstance(value, str) or not value.startswith("/") or len(value) > LONGEST_PATH or "%00" in value:
        return False
    try:
        urlsplit(value)
    except ValueError:
        return False
    return True


def is_plain(value: Any, depth: int = DEEPEST) -> bool:
    """Whether it is JSON of modest depth whose texts every database takes."""
    if isinstance(value, str):
        return not _UNSTORABLE.search(value)
    if isinstance(value, dict | list):
        inner = [*value, *value.values()] if isinstance(value, dict) else value
        return depth > 0 and all(is_plain(one, depth - 1) for one in inner)
    return value is None or isinstance(value, bool | int | float)
