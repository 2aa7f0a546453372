"""The cast of these tests, and what they do again and again."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
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
from tests.webhooks.peers import Peer, running


@pytest.fixture
def peers() -> Iterator[Callable[[], Peer]]:
    """Starts servers."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(running())


@pytest.fixture
def peer(peers: Callable[[], Peer]) -> Peer:
    return peers()


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
