"""States of tabs in Redis: one event at a time, whichever process it comes to; what is lost and what is not."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from redis.asyncio import Redis
from reflex.istate.manager import StateManager
from reflex.istate.manager.token import BaseStateToken
from reflex_base.config import get_config
from reflex_base.utils.exceptions import LockExpiredError

from portal_app import portal_app
from portal_app.shell.state import NoticeState, ShellState
from portal_app.shell.tab_states import TabStates

TAB = BaseStateToken(ident="a-tab-of-the-tests", cls=NoticeState)
LOCK = TabStates._lock_key(TAB)
SECONDS, HELD_MS = 15, 3_000
Scene = Callable[[TabStates, TabStates], Awaitable[None]]


@pytest.fixture
def play(redis_url: str) -> Callable[[Scene], None]:
    """Run a scene with the managers of two processes."""

    async def run(scene: Scene) -> None:
        async with asyncio.timeout(SECONDS), _manager(redis_url) as here, _manager(redis_url) as there:
            await scene(here, there)

    def begin(scene: Scene) -> None:
        with portal_app.app.set_contexts():
            asyncio.run(run(scene))

    return begin


@asynccontextmanager
async def _manager(url: str) -> AsyncIterator[TabStates]:
    made = TabStates(redis=Redis.from_url(url), lock_expiration=HELD_MS)
    yield made
    await made.close()


async def notice(root: Any) -> NoticeState:
    return await root.get_state(NoticeState)


async def add(manager: TabStates, times: int) -> None:
    for _ in range(times):
        async with manager.modify_state(TAB) as root:
            state = await notice(root)
            before = state.text
            await asyncio.sleep(0)
            state.text = before + "."


async def text(manager: TabStates) -> str:
    return (await notice(await manager.get_state(TAB))).text


def test_no_event_undoes_another_s_change(play: Callable[[Scene], None]) -> None:
    async def scene(here: TabStates, there: TabStates) -> None:
        await asyncio.gather(add(here, 10), add(there, 10), add(here, 10))
        assert await text(there) == "." * 30
        assert not await here.redis.exists(LOCK)

    play(scene)


def test_an_event_that_fails_keeps_nothing_and_holds_nobody_up(play: Callable[[Scene], None]) -> None:
    async def scene(here: TabStates, there: TabStates) -> None:
        with pytest.raises(RuntimeError):
            async with here.modify_state(TAB) as root:
                (await notice(root)).text = "half done"
                raise RuntimeError
        assert not await here.redis.exists(LOCK)
        assert await text(there) == ""

    play(scene)


def test_an_event_that_takes_long_keeps_its_hold(play: Callable[[Scene], None]) -> None:
    async def scene(here: TabStates, there: TabStates) -> None:
        async with here.modify_state(TAB) as root:
            (await notice(root)).text = "long"
            await _until(lambda: _left(here, below=True))
            await _until(lambda: _left(here, below=False))
            waiting = asyncio.create_task(add(there, 1))
        await waiting
        assert await text(here) == "long."

    play(scene)


async def _left(manager: TabStates, *, below: bool) -> bool:
    """Whether less (or more) than four fifths of the hold are left."""
    return (await manager.redis.pttl(LOCK) < HELD_MS * 4 / 5) is below


async def _until(holds: Callable[[], Awaitable[bool]]) -> None:
    while not await holds():  # noqa: ASYNC110 (Redis tells of it only when it is asked)
        await asyncio.sleep(0.002)


def test_who_has_lost_its_hold_writes_nothing(play: Callable[[Scene], None]) -> None:
    async def scene(here: TabStates, there: TabStates) -> None:
        with pytest.raises(LockExpiredError):
            async with here.modify_state(TAB) as root:
                (await notice(root)).text = "too late"
                await here.redis.set(LOCK, "another process")
        assert await here.redis.get(LOCK) == b"another process"
        assert await text(there) == ""

    play(scene)


def test_who_has_lost_its_hold_prolongs_nobody_else_s(play: Callable[[Scene], None]) -> None:
    async def scene(here: TabStates, there: TabStates) -> None:
        with pytest.raises(LockExpiredError):
            async with here.modify_state(TAB):
                await here.redis.set(LOCK, "another process", px=HELD_MS)
                await _until(lambda: _gone(here))

    play(scene)


async def _gone(manager: TabStates) -> bool:
    return not await manager.redis.exists(LOCK)


def test_an_event_asks_redis_twice(play: Callable[[Scene], None]) -> None:
    async def scene(here: TabStates, there: TabStates) -> None:
        await add(here, 1)
        before = await _reads(there)
        async with here.modify_state(TAB) as root:
            (await root.get_state(ShellState)).search = "novak"
            (await notice(root)).text = "found"
        # The second telling of how many there were is one itself.
        assert await _reads(there) - before == 2 + 1
        assert await here.redis.pubsub_numpat() == 0
        assert await text(there) == "found"

    play(scene)


async def _reads(manager: TabStates) -> int:
    return (await manager.redis.info("stats"))["total_reads_processed"]


def test_the_portal_uses_it_where_there_is_redis(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(get_config(), "redis_url", redis_url)
    monkeypatch.setattr(get_config(), "state_manager_mode", "redis")
    made = StateManager.create()
    assert isinstance(made, TabStates)
    assert made.lock_expiration == 5_000
