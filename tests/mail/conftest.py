"""A mail server that the portal's settings name, and what the outbox holds."""

import asyncio
from collections.abc import Callable, Iterator

import pytest
from sqlmodel import select

from portal_app import db
from portal_app.mail import delivery
from portal_app.mail.letter import Letter
from portal_app.mail.service import queue
from portal_app.models import OutboxMail
from portal_app.settings import reset_settings
from tests.mail.servers import HOST, Mailbox, serving


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Point the settings at a server: `use(port, security=…, username=…)`."""

    def chosen(port: int, **settings: str) -> None:
        given = {"host": HOST, "port": str(port), "security": "none", "from": "portal@acme.example"} | settings
        for name, value in given.items():
            monkeypatch.setenv(f"PORTAL_SMTP_{name.upper()}", value)
        reset_settings()

    return chosen


@pytest.fixture
def mailbox(use: Callable[..., None]) -> Iterator[Mailbox]:
    box = Mailbox()
    with serving(box) as port:
        use(port)
        yield box


def put(*recipients: str, letter: Letter | None = None) -> None:
    """One mail to each, queued in this order."""
    for to in recipients:
        db.write(queue, to, letter or Letter(f"To {to}", ("Hello",)), kind="test")


def outbox() -> dict[str, OutboxMail]:
    """The mails by their recipient."""
    return {mail.recipient: mail for mail in db.read(lambda session: list(session.exec(select(OutboxMail))))}


def deliver() -> None:
    asyncio.run(delivery.deliver())
