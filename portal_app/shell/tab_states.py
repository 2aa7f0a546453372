"""The states of open tabs in Redis: one way there before an event and one after it.

Reflex's own asks for the lock, then for the states of the handler, then for each further one that the handler needs;
writes them and releases the lock. And each process hears of every lock that any process takes or releases. Here the
lock comes with all that nearly every event needs, and goes with what was changed.

Internals of Reflex 0.10.1; tests/running/test_tab_states.py holds them.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from functools import cached_property
from typing import Any, cast
from uuid import uuid4
from weakref import WeakValueDictionary

from redis.exceptions import RedisError
from reflex.istate.manager import redis as redis_states
from reflex.istate.manager.redis import StateManagerRedis
from reflex.istate.manager.token import BaseStateToken
from reflex.state import BaseState
from reflex_base.utils.exceptions import LockExpiredError, StateSchemaMismatchError

from portal_app.auth.state import SessionState, WaitingState
from portal_app.shell.confirm_state import ConfirmState
from portal_app.shell.state import NoticeState, ShellState

# What the guard and the frame need, whichever page it is.
ALWAYS = (SessionState, WaitingState, ShellState, NoticeState, ConfirmState)
# Two processes seldom want the same tab: while it moves from one to the other.
FIRST_PAUSE, LONGEST_PAUSE = 0.005, 0.1
# KEYS: the lock, then states. ARGV: who holds the lock, for how many seconds states are kept, then the states.
_LEAVE = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
    return 0
end
for i = 2, #KEYS do
    redis.call('SET', KEYS[i], ARGV[i + 1], 'EX', ARGV[2])
end
redis.call('DEL', KEYS[1])
return 1
"""
# KEYS: the lock. ARGV: who holds it, for how many milliseconds more.
_STAY = "return redis.call('GET', KEYS[1]) == ARGV[1] and redis.call('PEXPIRE', KEYS[1], ARGV[2]) or 0"


class TabStates(StateManagerRedis):
    """In place of Reflex's own."""

    @cached_property
    def _turns(self) -> WeakValueDictionary[str, asyncio.Lock]:
        return WeakValueDictionary()

    @cached_property
    def _needed(self) -> dict[type[BaseState], list[type[BaseState]]]:
        return {}

    @cached_property
    def _leave(self) -> Any:
        return self.redis.register_script(_LEAVE)

    @cached_property
    def _hold(self) -> Any:
        return self.redis.register_script(_STAY)

    def _ensure_lock_task(self) -> None:
        """Nobody waits to hear of a lock."""

    @asynccontextmanager
    async def modify_state(self, token: Any, **_context: Any) -> AsyncIterator[Any]:
        """The tab's states, until the block ends nobody else's. What it changed is kept if it ends well."""
        token = self._coerce_token(token)
        if not isinstance(token, BaseStateToken):
            raise TypeError("Only tabs have states here.")
        async with self._turns.setdefault(token.ident, asyncio.Lock()):
            lock, holder = self._lock_key(token), uuid4().hex
            root = await self._enter(token, lock, holder)
            renewal = asyncio.create_task(self._stay(lock, holder))
            try:
                yield root
            except BaseException:
                # If Redis is away the lock ends by itself.
                with suppress(RedisError):
                    await self._leave(keys=[lock], args=[holder, 0])
                raise
            finally:
                renewal.cancel()
            writes = self._collect_state_writes(token, root)
            keys, states = [key for key, _ in writes], [state for _, state in writes]
            if not await self._leave(keys=[lock, *keys], args=[holder, self.token_expiration, *states]):
                raise LockExpiredError(f"An event took longer than {self.lock_expiration} ms; what it changed is lost.")

    async def _stay(self, lock: bytes, holder: str) -> None:
        """Hold on to the lock while the event goes on: it is short, so that a process that dies holds nobody up."""
        while True:
            await asyncio.sleep(self.lock_expiration / 3_000)
            with suppress(RedisError):
                await self._hold(keys=[lock], args=[holder, self.lock_expiration])

    async def _enter(self, token: BaseStateToken, lock: bytes, holder: str) -> BaseState:
        classes, pause = self._needed_for(token.cls), FIRST_PAUSE
        keys = [token._state_key(one) for one in classes]
        while True:
            asked = self.redis.pipeline(transaction=False)
            # On one connection one comes after the other: what is read is read under the lock.
            asked.set(lock, holder, px=self.lock_expiration, nx=True).get(lock).mget(keys)
            _, held, kept = await asked.execute()
            # Not by the answer to SET: where a connection broke, it is the second one.
            if held == holder.encode():
                return _tree(classes, kept)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _needed_for(self, cls: type[BaseState]) -> list[type[BaseState]]:
        """The states to read for a handler of the class, each behind the one that holds it."""
        if (known := self._needed.get(cls)) is not None:
            return known
        needed = self._get_required_state_classes(cls, subclasses=True)
        for one in ALWAYS:
            needed |= self._get_required_state_classes(one)
        found = self._needed[cls] = sorted(needed, key=lambda one: one.get_full_name())
        return found


def _tree(classes: Iterable[type[BaseState]], kept: Iterable[bytes | None]) -> BaseState:
    made: dict[type[BaseState], BaseState] = {}
    for cls, data in zip(classes, kept, strict=True):
        state = made[cls] = _read(cls, data)
        above = cls.get_parent_state()
        if above is not None:
            parent = made[above]
            parent.substates[cls.get_name()] = state
            state.parent_state = parent
    return next(iter(made.values()))


def _read(cls: type[BaseState], data: bytes | None) -> BaseState:
    if data is not None:
        with suppress(StateSchemaMismatchError):
            return BaseState._deserialize(data=data)
    return cast(BaseState, cls(init_substates=False, _reflex_internal_init=True))


def use() -> None:
    """Have Reflex keep states so, where it keeps them in Redis."""
    redis_states.StateManagerRedis = TabStates  # type: ignore[misc]
