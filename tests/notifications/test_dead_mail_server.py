"""A mail server that is dead for an hour: nothing of 500 mails is lost, nothing is doubled."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP
from sqlmodel import Session

from portal_app import db
from portal_app.jobs import loop
from portal_app.mail import delivery, smtp
from portal_app.models import BackupTask, MailState
from tests import factories
from tests.mail.servers import Mailbox, free_port, serving
from tests.notifications.news import at, look, mails, recipient, run

pytestmark = pytest.mark.usefixtures("database")
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
PARTNERS, READERS = 50, 10


def fail(session: Session) -> None:
    """Of each partner a backup has failed, and ten people are to hear of it."""
    for number in range(PARTNERS):
        partner = factories.partner(session)
        account = factories.account(session, partner)
        factories.save(session, BackupTask(account_id=account.id, key="k", name="Mail", created_at=NOON))
        for reader in range(READERS):
            recipient(session, partner, "exceptions", email=f"reader{reader}@partner{number}.example")
        run(session, account, "failed")


def try_to_deliver() -> bool:
    try:
        asyncio.run(delivery.deliver(loop.attach))
    except smtp.Unreachable:
        return False
    return True


def test_nothing_is_lost_and_nothing_doubled(use, monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    use(port)
    at(monkeypatch, NOON)
    db.write(fail)
    # Each minute the portal looks for news and tries to deliver; all the time, nobody listens.
    for minute in range(60):
        at(monkeypatch, NOON + timedelta(minutes=minute))
        look()
        assert not try_to_deliver()
    assert [mail.state for mail in mails()] == [MailState.WAITING] * PARTNERS * READERS
    at(monkeypatch, NOON + timedelta(hours=1))
    box = Mailbox()
    with serving(box, port=port):
        assert try_to_deliver()
        look()
        assert try_to_deliver()
    wanted = {f"reader{reader}@partner{number}.example" for reader in range(READERS) for number in range(PARTNERS)}
    assert Counter(box.recipients) == dict.fromkeys(wanted, 1)
    assert len({message["Message-ID"] for _, message in box.taken}) == PARTNERS * READERS
    assert {mail.state for mail in mails()} == {MailState.SENT}


class Leaving(Mailbox):
    """Takes so many, and hangs up at whatever is said then."""

    def __init__(self, takes: int) -> None:
        super().__init__()
        self.takes = takes

    async def handle_MAIL(self, server: SMTP, *given: Any) -> str:
        if len(self.taken) >= self.takes:
            server.transport.abort()
            await asyncio.sleep(0)
        return await super().handle_MAIL(server, *given)


def test_a_server_that_hangs_up_in_between_gets_the_rest_later(use, monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    use(port)
    at(monkeypatch, NOON)
    db.write(fail)
    look()
    first, second = Leaving(takes=120), Mailbox()
    with serving(first, port=port):
        try_to_deliver()
    assert len(first.taken) == 120
    # Who was told to wait is due again within the longest delay of a few attempts.
    at(monkeypatch, NOON + timedelta(hours=7))
    with serving(second, port=port):
        assert try_to_deliver()
    everybody = Counter(first.recipients) + Counter(second.recipients)
    assert (len(everybody), set(everybody.values())) == (PARTNERS * READERS, {1})
    assert {mail.state for mail in mails()} == {MailState.SENT}
