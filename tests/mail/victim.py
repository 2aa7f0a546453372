"""What the tests run in a process of its own: the delivery, perhaps killed when the server has taken a mail."""

import asyncio
import os
import signal

from portal_app import db
from portal_app.mail import delivery, outbox
from portal_app.settings import reset_settings


def run(environment: dict[str, str], after: int | None = None) -> None:
    """Deliver; SIGKILL when so many mails were sent and the next one is sent, but not marked yet."""
    os.environ |= environment
    reset_settings()
    db.reset_engine()
    real, marks = outbox.sent, iter(range(after if after is not None else 10**9))

    def sent(*args) -> None:
        if next(marks, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)
        real(*args)

    outbox.sent = sent
    asyncio.run(delivery.deliver())
