"""A program that is told of events: a real HTTP server on loopback, which can fail and hang."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Message:
    """One request that came."""

    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def told(self) -> dict[str, Any]:
        return json.loads(self.body)

    def is_signed_with(self, secret: str) -> bool:
        """Checked as the scheme is written down, without the portal's own code."""
        key = base64.b64decode(secret.split("_", 1)[1])
        content = f"{self.headers['webhook-id']}.{self.headers['webhook-timestamp']}.".encode() + self.body
        signed = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
        return f"v1,{signed}" in self.headers["webhook-signature"].split(" ")


@dataclass
class Peer:
    """The server. `answers` are the statuses of the next requests, then 200; while it `hangs` nothing is answered."""

    url: str = ""
    came: list[Message] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    hangs: threading.Event = field(default_factory=threading.Event)
    go: threading.Event = field(default_factory=threading.Event)
    news: threading.Condition = field(default_factory=threading.Condition)

    def take(self, message: Message) -> None:
        with self.news:
            self.came.append(message)
            self.news.notify_all()

    def wait_for(self, number: int) -> None:
        """Until so many came."""
        with self.news:
            assert self.news.wait_for(lambda: len(self.came) >= number, 20)


@contextmanager
def running() -> Iterator[Peer]:
    """Such a server."""
    peer = Peer()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(peer))
    peer.url = f"http://127.0.0.1:{server.server_port}/hook"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield peer
    finally:
        peer.go.set()
        server.shutdown()
        server.server_close()


def _handler(peer: Peer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            peer.take(Message({name.lower(): value for name, value in self.headers.items()}, body))
            if peer.hangs.is_set():
                peer.go.wait(30)
                return
            status = peer.answers.pop(0) if peer.answers else 200
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("location", peer.url + "/elsewhere")
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    return Handler
