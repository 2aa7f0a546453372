"""What becomes of open pages when Redis or the database goes away: they are told, and load anew what was lost.

What is used of Reflex 0.10.1's insides here is held by tests/wide.
"""

import asyncio
import logging
import time
from typing import Any
from uuid import uuid4

from redis.exceptions import RedisError
from reflex.istate.manager.redis import enable_keyspace_notifications
from reflex.state import StateUpdate
from reflex.utils.token_manager import RedisTokenManager
from reflex_base.constants.state import FIELD_MARKER
from reflex_base.utils.exceptions import LockExpiredError

from portal_app.shell import outages
from portal_app.shell.moving import Tabs, keys_of
from portal_app.shell.state import NoticeState

log = logging.getLogger("portal.recovery")
SECONDS_BETWEEN_LOOKS = 1.0
# Long before the state of an open page would expire, which Redis counts from the last change of each part.
SECONDS_BETWEEN_RENEWALS = 600.0
# Between two pages that are sent for, and before one that could not be loaded.
PAUSE, PAUSE_AFTER_FAULT = 0.01, 1.0
# Without these a page stays empty.
_LOADS = frozenset({"hydrate", "hydrate_and_load", "on_load_internal", "load"})
# And this says that they have come.
_LOADED = "set_is_hydrated"
# Gone exactly when all that Redis knew is gone.
_MARK = "portal_mark"


_tabs: list[Tabs] = []


def begin(tabs: Tabs) -> None:
    """Look after these pages, the process's own."""
    _tabs[:] = [tabs]


def is_here(tab: str) -> bool:
    """Whether the page is connected to this process."""
    return not _tabs or _tabs[0].has(tab)


def is_for_another(tab: str, event_name: str) -> bool:
    """Whether the event would load a page that has gone: who takes it loads it, for the address that it shows then."""
    name = event_name.rpartition(".")[2]
    return (name in _LOADS or name == _LOADED) and not is_here(tab)


async def note_outage(tab: str, event_name: str, fault: Exception) -> None:
    """An event of the page came to nothing: it says so, or is loaded again if that was what it waited for."""
    tabs = _tabs[0]
    if not tabs.has(tab):
        return
    if isinstance(fault, LockExpiredError):
        # It shows what was not kept, and later clicks are answered with what they change of what was.
        await tabs.send_for(tab)
        return
    if event_name.rpartition(".")[2] in _LOADS:
        await asyncio.sleep(PAUSE_AFTER_FAULT)
        await tabs.send_for(tab)
        return
    # Past the state, which may be what is out of reach.
    shown = {"kind": "red", "text": outages.SENTENCE}
    delta = {NoticeState.get_full_name(): {f"{name}{FIELD_MARKER}": value for name, value in shown.items()}}
    outages.note_told(tab)
    await tabs.emit(StateUpdate(delta=delta), tab)


async def keep() -> None:
    """Lifespan task of a server with Redis: renews the states of its open pages, and notices when they are lost."""
    tabs = _tabs[0]
    if not isinstance(tabs.manager, RedisTokenManager):
        return
    keeper = Keeper(tabs)
    while True:
        await asyncio.sleep(SECONDS_BETWEEN_LOOKS)
        try:
            await keeper.look()
        except RedisError as fault:
            log.warning("Redis did not answer: %s", type(fault).__name__)


class Keeper:
    """What a process has seen of Redis."""

    def __init__(self, tabs: Tabs) -> None:
        self._tabs, self._redis = tabs, tabs.manager.redis
        self._run, self._mark, self._renewed = "", b"", time.monotonic()

    async def look(self) -> None:
        """See whether it is still the same Redis, and whether it still knows what it knew."""
        asked = self._redis.pipeline(transaction=False)
        asked.info("server").set(_MARK, uuid4().hex, nx=True).get(_MARK)
        info, _, mark = await asked.execute()
        if info["run_id"] != self._run:
            # Reflex asks for these once, and a Redis that starts again has forgotten it.
            await enable_keyspace_notifications(self._redis)
        lost, self._run, self._mark = self._mark not in {b"", mark}, info["run_id"], mark
        self._keep_listening()
        if lost:
            await self._send_for_all()
        elif time.monotonic() - self._renewed > SECONDS_BETWEEN_RENEWALS:
            await self.renew()

    async def renew(self) -> None:
        """Let the states of the open pages live on."""
        self._renewed = time.monotonic()
        for tab in self._tabs.all_here():
            renewal = self._redis.pipeline(transaction=False)
            for key in keys_of(tab):
                renewal.expire(key, self._tabs.manager.token_expiration)
            await renewal.execute()

    def _keep_listening(self) -> None:
        """Reflex's own listeners give up after some failures."""
        manager: Any = self._tabs.manager
        manager._ensure_socket_record_task()
        manager.ensure_lost_and_found_task(self._tabs.emit)

    async def _send_for_all(self) -> None:
        tabs = self._tabs.all_here()
        log.warning("Redis has lost what it knew: %d pages load anew", len(tabs))
        for tab in tabs:
            await self._tabs.send_for(tab)
            await asyncio.sleep(PAUSE)
