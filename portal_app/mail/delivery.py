"""Sends what is in the outbox: each mail once, as far as SMTP allows, and none is lost."""

import asyncio
import logging
import traceback
from collections.abc import Callable

import anyio.to_thread

from portal_app import clock, db
from portal_app.errors import NotFound, PortalError
from portal_app.mail import outbox, smtp
from portal_app.mail.render import message_of
from portal_app.models import OutboxMail

Attach = Callable[[str], bytes]
log = logging.getLogger("portal.mail")


def no_files(_source: str) -> bytes:
    """For who sends letters without attachments."""
    raise NotFound("There is no such file.")


async def deliver(attach: Attach = no_files) -> None:
    """Send everything that is due, one mail after the other. Raises smtp.Unreachable when the server takes none.

    `attach` makes the file of an attachment's source; it runs in a thread, and raises NotFound.
    """
    if not await db.look(outbox.is_due, clock.now()):
        return
    await db.work(outbox.give_up, clock.now())
    line = smtp.Line()
    try:
        while not is_ending() and (mail := await db.work(outbox.claim, clock.now())):
            await _attempt(line, mail, attach)
    finally:
        await line.close()


def is_ending() -> bool:
    """Whether this task was told to end. Python 3.11's `wait_for` forgets that when an answer comes at that instant."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def _attempt(line: smtp.Line, mail: OutboxMail, attach: Attach) -> None:
    try:
        await _send(line, mail, attach)
    except smtp.Unreachable as fault:
        await db.work(outbox.put_back, mail, fault.sentence)
        raise
    except smtp.Later as fault:
        await db.work(outbox.again_later, mail, fault.sentence)
    except smtp.Refused as fault:
        log.warning("mail %s failed: %s", mail.id, fault.sentence)
        await db.work(outbox.failed, mail, fault.sentence)
    except Exception as fault:
        # One mail that can't even be written must not stop the others. Its text may be in the fault: not logged.
        where = "".join(traceback.format_tb(fault.__traceback__))
        log.error("mail %s met %s\n%s", mail.id, type(fault).__name__, where)
        await db.work(outbox.again_later, mail, "The portal could not write this mail.")
    else:
        await db.work(outbox.sent, mail)


async def _send(line: smtp.Line, mail: OutboxMail, attach: Attach) -> None:
    try:
        letter = outbox.letter_of(mail)
    except PortalError:
        raise smtp.Refused("The text can't be read: it was locked with another encryption key.") from None
    if letter is None:
        raise smtp.Refused("The text is no longer kept.")
    try:
        files = [(name, await anyio.to_thread.run_sync(attach, source)) for name, source in letter.attachments]
        content, to, utf8 = message_of(letter, mail, files)
    except NotFound:
        raise smtp.Refused("What was to be attached is no longer there.") from None
    except ValueError:
        raise smtp.Refused("This is not an address that mail can be sent to.") from None
    await line.send(content, to, utf8=utf8)
