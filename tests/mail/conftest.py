"""A mail server that the portal's settings name, and what the outbox holds."""

import asyncio
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlmodel import select

from portal_app import db, migrations
from portal_app.mail import delivery
from portal_app.mail.letter import Letter
from portal_app.mail.service import queue
from portal_app.models import OutboxMail
from portal_app.settings import reset_settings
from tests.mail.servers import HOST, Mailbox, serving


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def store(
    request: pytest.FixtureRequest, data_dir: Path, migrated: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    """A migrated database of each kind; the environment by which another process reaches it."""
    url = ""
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url")
        monkeypatch.setenv("PORTAL_DATABASE_URL", url)
        reset_settings()
        db.reset_engine()
        migrations.upgrade()
    else:
        shutil.copy(migrated, data_dir / "portal.db")
    return {"PORTAL_DATA_DIR": str(data_dir), "PORTAL_DATABASE_URL": url}


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
