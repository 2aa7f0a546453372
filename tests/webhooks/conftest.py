"""A program that is told of events: a real HTTP server on loopback, which can fail and hang."""

import asyncio
import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, col, select

from portal_app import db
from portal_app.auth.actor import Actor
from portal_app.models import Webhook, WebhookDelivery
from portal_app.settings import reset_settings
from portal_app.webhooks import delivery, service
from portal_app.webhooks.events import Event
from tests.backups.conftest import Cast, make_cast


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


@pytest.fixture
def peers() -> Iterator[Callable[[], Peer]]:
    """Makes servers."""
    running: list[tuple[ThreadingHTTPServer, Peer]] = []

    def make() -> Peer:
        peer = Peer()
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(peer))
        peer.url = f"http://127.0.0.1:{server.server_port}/hook"
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        running.append((server, peer))
        return peer

    yield make
    for server, peer in running:
        peer.go.set()
        server.shutdown()
        server.server_close()


@pytest.fixture
def peer(peers: Callable[[], Peer]) -> Peer:
    return peers()


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


@pytest.fixture
def private(monkeypatch: pytest.MonkeyPatch) -> None:
    """Webhooks may lead to this machine."""
    monkeypatch.setenv("PORTAL_ALLOW_PRIVATE_WEBHOOKS", "1")
    reset_settings()


@pytest.fixture
def cast(database: Path, private: None) -> Cast:
    return db.write(make_cast)


def listen(actor: Actor, url: str, *events: Event) -> str:
    """A webhook for these events, or all that the actor may know of; gives its secret."""
    return db.write(service.add, actor, url, [*events] or service.known_to(actor))


def deliver() -> None:
    asyncio.run(delivery.deliver())


def deliveries() -> list[WebhookDelivery]:
    return db.read(lambda session: list(session.exec(select(WebhookDelivery).order_by(col(WebhookDelivery.id)))))


def hooks() -> list[Webhook]:
    return db.read(lambda session: list(session.exec(select(Webhook).order_by(col(Webhook.id)))))


def change(model: type, **values: Any) -> None:
    def do(session: Session) -> None:
        session.execute(model.__table__.update().values(**values))

    db.write(do)
