"""Two clients without a browser: a tab of the portal on its socket, and a connection that is kept for HTTP.

Both work on blocking sockets and without threads, so that a measured time holds little of the client's own. What comes
is compressed as a browser asks for it.
"""

import json
import socket
import time
import zlib
from select import select
from typing import Any, Protocol
from urllib.parse import urlsplit
from uuid import uuid4

from websockets.client import ClientProtocol
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from websockets.frames import Opcode
from websockets.http11 import Response
from websockets.uri import parse_uri

from portal_app import db
from portal_app.models import User
from tests.bench import data
from tests.cast import cookie_of

ROOT = "reflex___state____state"
DASHBOARD = f"{ROOT}.portal_app___dashboard___state____dashboard_state"
CHARTS = f"{ROOT}.portal_app___dashboard___state____chart_state"
MESSAGE = "42/_event,"
SECONDS = 30
AT_ONCE = 1 << 18


class Client(Protocol):
    """Somebody who asks, one question at a time."""

    def send(self, asked: Any) -> None:
        """Ask, and don't wait."""

    def answered(self) -> bool:
        """Take what has come (waits until something has): whether it holds the answer."""

    def settle(self) -> None:
        """Wait until it is ready for questions."""

    def rest(self) -> None:
        """Answer what the server asked meanwhile: it closes a socket that says nothing for long."""

    def fileno(self) -> int:
        """The socket, for waiting on several."""

    def close(self) -> None:
        """Leave."""


def ask(client: Client, asked: Any) -> float:
    """Milliseconds from the question until all of its answer has come."""
    begun = time.perf_counter()
    client.send(asked)
    while not client.answered():
        pass
    return (time.perf_counter() - begun) * 1000


def cookie() -> str:
    """A new session of the benchmark partner's administrator, in the database that `portal_app.db` reads."""
    return cookie_of(db.read(lambda session: session.query(User).filter(User.email == data.EMAIL).one()))


class Tab:
    """One open page: `asked` is a handler of the dashboard with its arguments."""

    def __init__(self, url: str, cookie_header: str, path: str = "/", of: str = DASHBOARD) -> None:
        self.path, self.of = path, of
        self.token = str(uuid4())
        where = urlsplit(url)
        self.socket = _connected(where.hostname or "", where.port or 80)
        self.protocol = self._opened(f"ws://{where.netloc}", cookie_header)
        self._event(f"{ROOT}.hydrate_and_load", {}, connects=True)

    def settle(self) -> None:
        """Wait until the dashboard is whole: its charts come last."""
        while not any(_delta(text).get(CHARTS, {}).get("loading_rx_state_") is False for text in self.take()):
            pass

    def send(self, asked: tuple[str, dict[str, Any]]) -> None:
        handler, payload = asked
        self._event(f"{self.of}.{handler}", payload)

    def answered(self) -> bool:
        return any(self.of in text for text in self.take())

    def rest(self) -> None:
        while _has_something(self.socket):
            self.take()

    def take(self) -> list[str]:
        """The messages that have come; waits until there is something to read."""
        received = self.socket.recv(AT_ONCE)
        if not received:
            raise ConnectionError("the server has closed the socket")
        self.protocol.receive_data(received)
        texts = [self._text(frame) for frame in self.protocol.events_received()]
        self._flush()
        return [text for text in texts if text.startswith(MESSAGE)]

    def close(self) -> None:
        self.socket.close()

    def fileno(self) -> int:
        return self.socket.fileno()

    def _opened(self, origin: str, cookie_header: str) -> ClientProtocol:
        uri = parse_uri(f"{origin}/_event/?token={self.token}&EIO=4&transport=websocket")
        protocol = ClientProtocol(uri, extensions=[ClientPerMessageDeflateFactory(compress_settings={"level": 1})])
        request = protocol.connect()
        request.headers["Cookie"] = cookie_header
        protocol.send_request(request)
        self.protocol = protocol
        self._flush()
        while not any(isinstance(event, Response) for event in protocol.events_received()):
            protocol.receive_data(self.socket.recv(AT_ONCE))
        return protocol

    def _event(self, name: str, payload: dict[str, Any], *, connects: bool = False) -> None:
        where = {"pathname": self.path.partition("?")[0], "asPath": self.path}
        event = {"name": name, "payload": payload, "router_data": where}
        told = "40/_event," + json.dumps({"event": event}) if connects else MESSAGE + json.dumps(["event", event])
        self._write(told)

    def _text(self, frame: Any) -> str:
        text = frame.data.decode() if frame.opcode is Opcode.TEXT else ""
        if text == "2":
            self._write("3")
        return text

    def _write(self, text: str) -> None:
        self.protocol.send_text(text.encode())
        self._flush()

    def _flush(self) -> None:
        for part in self.protocol.data_to_send():
            if part:
                self.socket.sendall(part)


class Http:
    """One connection that stays: `asked` is a path."""

    def __init__(self, url: str, cookie_header: str = "") -> None:
        where = urlsplit(url)
        self.socket = _connected(where.hostname or "", where.port or 80)
        self.head = f"Host: {where.netloc}\r\nAccept-Encoding: gzip\r\nCookie: {cookie_header}\r\n\r\n"
        self.received = b""
        self.page = b""

    def send(self, asked: str) -> None:
        self.socket.sendall(f"GET {asked} HTTP/1.1\r\n{self.head}".encode())

    def answered(self) -> bool:
        if not (received := self.socket.recv(AT_ONCE)):
            raise ConnectionError("the server has closed the connection")
        self.received += received
        head, found, body = self.received.partition(b"\r\n\r\n")
        if not found:
            return False
        told = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        if len(body) < int(told[b"content-length"]):
            return False
        if b" 200 " not in head[:20]:
            raise ConnectionError(head.decode())
        # As the tab's answer, it is unpacked within its time.
        self.page = zlib.decompress(body, wbits=31) if told.get(b"content-encoding") == b"gzip" else body
        self.received = b""
        return True

    def settle(self) -> None:
        pass

    def rest(self) -> None:
        pass

    def close(self) -> None:
        self.socket.close()

    def fileno(self) -> int:
        return self.socket.fileno()


def _delta(text: str) -> dict[str, dict[str, Any]]:
    kind, *told = json.loads(text.removeprefix(MESSAGE))
    return told[0]["delta"] if kind == "event" else {}


def _has_something(of: socket.socket) -> bool:
    return bool(select([of], [], [], 0)[0])


def _connected(host: str, port: int) -> socket.socket:
    made = socket.create_connection((host, port), timeout=SECONDS)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made
