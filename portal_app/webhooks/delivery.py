"""Sends what webhooks are to be told: several at a time, so that one that hangs holds up nobody else."""

import asyncio
import logging
import traceback
from collections import Counter

from portal_app import clock, db
from portal_app.models import WebhookDelivery
from portal_app.webhooks import outbox, sending, signing

AT_ONCE = 8
# Of these to one address.
OF_ONE = 2
LOOK_SECONDS = 1.0
log = logging.getLogger("portal.webhooks")


async def deliver() -> None:
    """Send everything that is due."""
    if not await db.look(outbox.is_due, clock.now()):
        return
    under_way: dict[asyncio.Task[None], int] = {}
    async with asyncio.TaskGroup() as group:
        while (found := await _next(under_way)) or under_way:
            if found is not None:
                under_way[group.create_task(_attempt(found))] = found.webhook_id
            if found is None or len(under_way) >= AT_ONCE:
                # Not until all are done: who hangs keeps its own place, and what others are told goes on meanwhile.
                await asyncio.wait(under_way, timeout=LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED)


async def _next(under_way: dict[asyncio.Task[None], int]) -> WebhookDelivery | None:
    for task in [task for task in under_way if task.done()]:
        del under_way[task]
    if len(under_way) >= AT_ONCE:
        return None
    busy = [number for number, count in Counter(under_way.values()).items() if count >= OF_ONE]
    return await db.work(outbox.claim, clock.now(), busy)


async def _attempt(found: WebhookDelivery) -> None:
    try:
        await attempt(found)
    except Exception as fault:
        # The lease ends, and another attempt comes. What is in the fault may be the message: not logged.
        where = "".join(traceback.format_tb(fault.__traceback__))
        log.error("webhook delivery %s met %s\n%s", found.id, type(fault).__name__, where)


async def attempt(found: WebhookDelivery) -> None:
    """Send a claimed delivery, and note what came of it."""
    parcel = await db.look(outbox.parcel, found)
    if parcel.refusal:
        await db.work(outbox.refuse, found, parcel.refusal)
        return
    body = found.body.encode()
    headers = signing.headers(found.event_id, int(clock.now().timestamp()), body, parcel.secrets)
    await db.work(outbox.settle, found, await sending.post(parcel.url, headers, body))
