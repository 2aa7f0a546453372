"""Tabs that were closed: each leaves its state for when its page comes back, but not any number of them.

Reflex keeps each for an hour. Whoever opens and closes sockets without end, even without signing in, would fill the
memory, or Redis. A page whose state is gone when it comes back loads anew what its address asks for.

Internals of Reflex 0.10.1; tests/running/test_closed.py and tests/wide hold them.
"""

import asyncio
import time
from collections import OrderedDict
from contextlib import suppress
from typing import Any

import reflex as rx
from redis.exceptions import RedisError
from reflex.istate.manager.memory import StateManagerMemory
from reflex.istate.manager.token import BaseStateToken

from portal_app.shell.moving import Tabs, keys_of

# Some 50 MB.
MOST_KEPT = 300
# Of those that have just closed, however many, each may be on its way back or to another process.
SECONDS_TO_RETURN = 10.0


class Closed:
    """The tabs that were closed last, oldest first."""

    def __init__(self, app: rx.App, tabs: Tabs) -> None:
        self._app, self._tabs = app, tabs
        # When each was closed.
        self._left: OrderedDict[str, float] = OrderedDict()
        self._under_way: set[asyncio.Task[None]] = set()
        self._names: Any = app.event_namespace
        self._disconnect = self._names.on_disconnect
        self._names.on_disconnect = self._on_disconnect

    def note(self, tab: str) -> None:
        """The tab was closed, or refused. What is kept of the oldest is forgotten."""
        now = self._left[tab] = time.monotonic()
        self._left.move_to_end(tab)
        for oldest, closed_at in list(self._left.items())[:-MOST_KEPT]:
            if now - closed_at >= SECONDS_TO_RETURN and self._forgets(oldest):
                del self._left[oldest]

    def _on_disconnect(self, sid: str) -> asyncio.Task[Any] | None:
        tab = self._names.sid_to_token.get(sid)
        task = self._disconnect(sid)
        if tab is not None:
            self.note(tab)
        return task

    def _forgets(self, tab: str) -> bool:
        """Forget the state of the tab, unless it is open again; False while an event of it is in hand."""
        if self._tabs.has(tab):
            return True
        manager: Any = self._app.state_manager
        if not isinstance(manager, StateManagerMemory):
            task = asyncio.create_task(self._forget_in_redis(tab))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
            return True
        token = BaseStateToken(ident=tab, cls=rx.State)
        lock = manager._states_locks.get(token.lock_key)
        if lock is not None and lock.locked():
            return False
        manager._purge_token(token)
        return True

    async def _forget_in_redis(self, tab: str) -> None:
        shared = self._tabs.manager
        # If Redis is away they go after an hour.
        with suppress(RedisError):
            if await shared._fetch_socket_record(tab) is None:
                await shared.redis.delete(*keys_of(tab))
