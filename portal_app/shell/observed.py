"""Requests and events of open pages: each has an id, is counted, and may end before the server does.

The events' way through Reflex 0.10.1 is internal to it; tests hold what is used of it here.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Any

from reflex import app as reflex_app
from reflex.state import BaseState
from reflex_base.event.context import EventContext
from reflex_base.event.processor.base_state_processor import BaseStateEventProcessor
from starlette.types import Message, Scope, Send

from portal_app import metrics, traces
from portal_app.errors import PortalError
from portal_app.settings import settings
from portal_app.shell import outages, recovery


@contextmanager
def request(scope: Scope, send: Send) -> Iterator[Send]:
    """Until the block ends, a request is in hand; its answer carries its id."""
    mark, started, status = traces.begin(), perf_counter(), 500

    async def sending(message: Message) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
            message = {**message, "headers": [*message.get("headers", ()), (b"x-request-id", mark.encode())]}
        await send(message)

    try:
        yield sending
    finally:
        metrics.request_ended(scope["path"], status, perf_counter() - started)


class Events(BaseStateEventProcessor):
    """Reflex's own, observed."""

    async def _execute_event(self, *, entry: Any, registered_handler: Any) -> None:
        if recovery.is_for_another(entry.ctx.token, entry.event.name):
            return
        traces.begin(entry.ctx.txid)
        started, outcome = perf_counter(), "failed"
        try:
            with metrics.event():
                await super()._execute_event(entry=entry, registered_handler=registered_handler)
            outcome = "done"
        except PortalError:
            outcome = "refused"
            raise
        except asyncio.CancelledError:
            outcome = "left"
            raise
        except Exception as fault:
            if outages.is_outage(fault):
                await recovery.note_outage(entry.ctx.token, entry.event.name, fault)
            raise
        finally:
            metrics.event_ended(entry.event.name.rpartition("____")[2], outcome, perf_counter() - started)

    async def _rehydrate(self, root_state: BaseState) -> None:
        """An empty page would come to where the page is now, and undo what it shows there."""
        if recovery.is_here(EventContext.get().token):
            await super()._rehydrate(root_state)

    async def stop(self, graceful_shutdown_timeout: float | None = None) -> None:
        """Reflex would break off what runs."""
        await super().stop(graceful_shutdown_timeout or settings().stop_seconds)


def observe() -> None:
    """Have Reflex handle events so."""
    reflex_app.BaseStateEventProcessor = Events  # type: ignore[misc]


def resume() -> None:
    """Go on under the id of the event that failed: its failure is told of in a task of its own."""
    traces.begin(EventContext.get().txid)
