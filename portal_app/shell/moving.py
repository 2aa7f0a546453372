"""Open pages move between server processes: away from one that stops, and away from one that died.

A page is never told by closing its socket: what it sends until it notices would be lost. It gets a message that it
can't read instead. Then it closes the socket itself, behind all that it has sent, and connects anew at once. Meanwhile
its clicks wait in the page. Who takes it over waits until all that it sent before is done; so they keep their order.

Internals of Reflex 0.10.1 and of the Socket.IO client; tests/wide holds them.
"""

import asyncio
import logging
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import reflex as rx
from redis.exceptions import RedisError
from reflex.istate.manager.redis import StateManagerRedis
from reflex.istate.manager.token import BaseStateToken
from reflex.state import BaseState, StateUpdate
from reflex.utils.token_manager import RedisTokenManager

from portal_app import hints, live
from portal_app.settings import settings

log = logging.getLogger("portal.moving")
# No packet of Socket.IO: for the page the connection is broken.
UNREADABLE = "9"
SECONDS_TO_LEAVE = 3.0
SECONDS_BETWEEN_LOOKS = 0.01
_LEAVING = "portal_tab_leaving_"
_PROCESS = "portal_process_"


class Tabs:
    """The open pages of this process."""

    def __init__(self, app: rx.App) -> None:
        self._app = app
        self._names: Any = app.event_namespace
        self.manager: Any = self._names._token_manager
        self._is_shared = isinstance(self.manager, RedisTokenManager)
        self._leaving: set[str] = set()
        self._late: set[asyncio.Task[None]] = set()
        self._emit = self._names.emit_update
        self._names.emit_update = self._emit_update

    def has(self, tab: str) -> bool:
        """Whether the page is connected here."""
        record = self.manager.token_to_socket.get(tab)
        return record is not None and record.instance_id == self.manager.instance_id

    def all_here(self) -> list[str]:
        """The pages that are connected here."""
        return [tab for tab in self.manager.token_to_socket if self.has(tab)]

    async def emit(self, update: StateUpdate, tab: str) -> None:
        """Send something to the page, wherever it is connected."""
        await self._names.emit_update(update, tab)

    async def send_for(self, tab: str) -> None:
        """Have the page, if it is connected here, connect anew and load what it shows."""
        if self.has(tab):
            server: Any = self._app.sio
            await server.eio.send(self._socket(tab), UNREADABLE)

    def _socket(self, tab: str) -> Any:
        server: Any = self._app.sio
        return server.manager.eio_sid_from_sid(self.manager.token_to_socket[tab].sid, self._names.namespace)

    async def take(self, tab: str) -> None:
        """Before a page is linked here: wait for the process that lets it go, forget one that died with it."""
        if not self._is_shared:
            return
        with suppress(RedisError, TimeoutError):
            async with asyncio.timeout(settings().stop_seconds):
                while await self.manager.redis.exists(_LEAVING + tab):  # noqa: ASYNC110 (another process's)
                    await asyncio.sleep(SECONDS_BETWEEN_LOOKS)
            owner = await self.manager._get_token_owner(tab, refresh=True)
            if owner is None:
                await self.manager.redis.delete(self.manager._get_redis_key(tab))
            elif not await self._lives(owner):
                # With it went what it was doing to the page's state, but not the lock: that would be waited for.
                await self.manager.redis.delete(self.manager._get_redis_key(tab), _lock_of(tab))

    async def _lives(self, process: str) -> bool:
        # Redis sees at once that a process is gone: its connection is.
        [(_, listening)] = await self.manager.redis.pubsub_numsub(_PROCESS + process)
        return listening > 0

    async def listen(self) -> None:
        """Lifespan task: hear what other processes say, and be known to live."""
        while self._is_shared:
            try:
                async with self.manager.redis.pubsub() as heard:
                    await heard.subscribe(_PROCESS + self.manager.instance_id, hints.CHANNEL)
                    async for message in heard.listen():
                        if message["channel"] == hints.CHANNEL.encode():
                            live.hub.hint()
            except RedisError:
                log.warning("Redis did not answer; it is asked again.")
                await asyncio.sleep(1)

    async def all_away(self) -> None:
        """Send all pages elsewhere, and wait until they are gone and what they sent is done."""
        server: Any = self._app.sio
        sockets = {tab: self._socket(tab) for tab in self.all_here()}
        await live.hub.end()
        await self._let_go(sockets)
        for socket in sockets.values():
            await server.eio.send(socket, UNREADABLE)
        with suppress(TimeoutError):
            async with asyncio.timeout(settings().stop_seconds):
                await self._all_gone(sockets)
        await self._gone(sockets)
        if self._late:
            await asyncio.wait(self._late, timeout=SECONDS_TO_LEAVE)

    async def _let_go(self, tabs: Iterable[str]) -> None:
        """From now on another process may have them, as soon as `_gone` says so."""
        for tab in tabs:
            self._leaving.add(tab)
            del self.manager.token_to_socket[tab]
        if self._is_shared and self._leaving:
            with suppress(RedisError):
                async with self.manager.redis.pipeline(transaction=False) as at_once:
                    for tab in self._leaving:
                        at_once.set(_LEAVING + tab, 1, ex=settings().stop_seconds + 5)
                        at_once.delete(self.manager._get_redis_key(tab))
                    await at_once.execute()

    async def _all_gone(self, sockets: dict[str, Any]) -> None:
        left, began = dict(sockets), asyncio.get_running_loop().time()
        while left:
            deaf = asyncio.get_running_loop().time() - began > SECONDS_TO_LEAVE
            gone = [tab for tab, socket in left.items() if not self._is_busy(tab, "" if deaf else socket)]
            await self._gone(gone)
            for tab in gone:
                del left[tab]
            await asyncio.sleep(SECONDS_BETWEEN_LOOKS)

    def _is_busy(self, tab: str, socket: str) -> bool:
        server: Any = self._app.sio
        events: Any = self._app.event_processor
        if socket in server.eio.sockets or not self._is_shared:
            return socket in server.eio.sockets
        return tab in events._token_queues or not events._queue.empty()

    async def _gone(self, tabs: Iterable[str]) -> None:
        if self._is_shared and (left := [_LEAVING + tab for tab in tabs if tab in self._leaving]):
            with suppress(RedisError):
                await self.manager.redis.delete(*left)
        self._leaving -= set(tabs)

    async def _emit_update(self, update: StateUpdate, token: str) -> None:
        if token not in self._leaving:
            return await self._emit(update, token)
        # Who takes the page over sends it the whole state. What it is to do besides has to follow it.
        if self._is_shared and update.events:
            task = asyncio.create_task(self._send_after(token, StateUpdate(events=update.events)))
            self._late.add(task)
            task.add_done_callback(self._late.discard)
        return None

    async def _send_after(self, tab: str, update: StateUpdate) -> None:
        while await self.manager._get_token_owner(tab, refresh=True) is None:  # noqa: ASYNC110 (another process's)
            await asyncio.sleep(SECONDS_BETWEEN_LOOKS)
        await self.manager.emit_lost_and_found(tab, update)


def _lock_of(tab: str) -> bytes:
    return StateManagerRedis._lock_key(BaseStateToken(ident=tab, cls=rx.State))


def keys_of(tab: str) -> list[str]:
    """What Redis keeps a page's states under, those included that it never had."""
    return [BaseStateToken(ident=tab, cls=state)._state_key(state) for state in _states(rx.State)]


def _states(of: type[BaseState]) -> list[type[BaseState]]:
    return [of, *(state for below in of.get_substates() for state in _states(below))]
