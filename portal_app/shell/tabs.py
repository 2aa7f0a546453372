"""What becomes of open pages when Redis or the database goes away.

A page whose socket ends connects again at once, and loads anew whatever its state has lost. What is used of Reflex
0.10.1's and python-socketio's insides here is held by tests/wide.
"""

import asyncio
import logging
import time
from typing import Any, cast
from uuid import uuid4

import reflex as rx
from redis.exceptions import RedisError
from reflex.istate.manager.redis import enable_keyspace_notifications
from reflex.istate.manager.token import BaseStateToken
from reflex.state import BaseState, StateUpdate
from reflex.utils.token_manager import RedisTokenManager
from reflex_base.constants.state import FIELD_MARKER

from portal_app.shell import outages
from portal_app.shell.state import NoticeState

log = logging.getLogger("portal.tabs")
SECONDS_BETWEEN_LOOKS = 1.0
# Long before the state of an open page would expire, which Redis counts from the last change of each part.
SECONDS_BETWEEN_RENEWALS = 600.0
# Between two tabs that are sent for, and before one whose page could not be loaded.
PAUSE, PAUSE_AFTER_FAULT = 0.01, 1.0
# No packet of Socket.IO: for the page the connection is broken.
UNREADABLE = "9"
# Without these a page stays empty.
_LOADS = frozenset({"hydrate", "hydrate_and_load", "on_load_internal", "load"})
# Gone exactly when all that Redis knew is gone.
_MEMORY = "portal_memory"


def is_here(app: rx.App, tab: str) -> bool:
    """Whether the tab's socket is one of this process."""
    manager = _manager(app)
    record = manager.token_to_socket.get(tab)
    return record is not None and record.instance_id == manager.instance_id


async def come_back(app: rx.App, tab: str) -> None:
    """Have the page connect again, behind all that it has sent, and load anew.

    It closes its socket itself when something comes that it can't read.
    """
    if not is_here(app, tab):
        return
    server: Any = app.sio
    namespace: Any = app.event_namespace
    socket = server.manager.eio_sid_from_sid(_manager(app).token_to_socket[tab].sid, namespace.namespace)
    await server.eio.send(socket, UNREADABLE)


async def note_outage(app: rx.App, tab: str, event_name: str) -> None:
    """An event of the tab came to nothing: the page says so, or is loaded again if that was what it waited for."""
    if not is_here(app, tab):
        return
    if event_name.rpartition(".")[2] in _LOADS:
        await asyncio.sleep(PAUSE_AFTER_FAULT)
        await come_back(app, tab)
    else:
        await _tell(app, tab)


async def _tell(app: rx.App, tab: str) -> None:
    """Past the state, which may be what is out of reach."""
    shown = {"kind": "red", "text": outages.SENTENCE}
    delta = {NoticeState.get_full_name(): {f"{name}{FIELD_MARKER}": value for name, value in shown.items()}}
    outages.note_told(tab)
    namespace: Any = app.event_namespace
    await namespace.emit_update(StateUpdate(delta=delta), tab)


async def keep(app: rx.App) -> None:
    """Lifespan task of a server with Redis: renews the states of its open pages, and notices when they are lost."""
    manager = _manager(app)
    if not isinstance(manager, RedisTokenManager):
        return
    keeper = _Keeper(app, manager)
    while True:
        await asyncio.sleep(SECONDS_BETWEEN_LOOKS)
        try:
            await keeper.look()
        except RedisError as fault:
            log.warning("Redis did not answer: %s", type(fault).__name__)


class _Keeper:
    """What it has seen of Redis."""

    def __init__(self, app: rx.App, manager: RedisTokenManager) -> None:
        self.app, self.manager, self.redis = app, manager, manager.redis
        self.run, self.memory, self.renewed = "", b"", time.monotonic()

    async def look(self) -> None:
        """See whether it is still the same Redis, and whether it still knows what it knew."""
        asked = self.redis.pipeline(transaction=False)
        asked.info("server").set(_MEMORY, uuid4().hex, nx=True).get(_MEMORY)
        info, _, memory = await asked.execute()
        if info["run_id"] != self.run:
            # Reflex asks for these once, and a Redis that starts again has forgotten it.
            await enable_keyspace_notifications(self.redis)
        lost, self.run, self.memory = self.memory not in {b"", memory}, info["run_id"], memory
        self._keep_listening()
        if lost:
            await self._send_for_all()
        elif time.monotonic() - self.renewed > SECONDS_BETWEEN_RENEWALS:
            await self._renew()

    def _keep_listening(self) -> None:
        """Reflex's own listeners give up after some failures."""
        namespace: Any = self.app.event_namespace
        self.manager._ensure_socket_record_task()
        self.manager.ensure_lost_and_found_task(namespace.emit_update)

    async def _send_for_all(self) -> None:
        tabs = [tab for tab in list(self.manager.token_to_socket) if is_here(self.app, tab)]
        log.warning("Redis has lost what it knew: %d pages load anew", len(tabs))
        for tab in tabs:
            await come_back(self.app, tab)
            await asyncio.sleep(PAUSE)

    async def _renew(self) -> None:
        self.renewed, states = time.monotonic(), _states(_root(self.app))
        for tab in [tab for tab in list(self.manager.token_to_socket) if is_here(self.app, tab)]:
            renewal = self.redis.pipeline(transaction=False)
            for state in states:
                renewal.expire(BaseStateToken(ident=tab, cls=state)._state_key(state), self.manager.token_expiration)
            await renewal.execute()


def _manager(app: rx.App) -> Any:
    namespace: Any = app.event_namespace
    return namespace._token_manager


def _root(app: rx.App) -> type[BaseState]:
    return cast(type[BaseState], app._state)


def _states(of: type[BaseState]) -> list[type[BaseState]]:
    return [of, *(state for below in of.get_substates() for state in _states(below))]
