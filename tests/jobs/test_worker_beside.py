"""The worker beside the server: does jobs, ends with the server, is there again when it died."""

import asyncio
import os
import signal

import pytest

from portal_app import db
from portal_app.auth.actor import system
from portal_app.jobs import loop, queue
from portal_app.models import Job, JobState
from portal_app.settings import reset_settings
from tests.backups.portals import wait_for

SECONDS = 60


def add() -> int:
    """A job that is done as soon as somebody takes it."""
    payload = {"storage": {"center": "nowhere"}, "vaults": [], "tasks": []}
    return db.write(queue.add, system(), "forget", payload=payload)


async def done(number: int) -> None:
    """Wait until the job is done, while the event loop goes on."""
    await asyncio.to_thread(wait_for, lambda: _state(number) == JobState.DONE, SECONDS)


def _state(number: int) -> str:
    return db.read(lambda session: session.get(Job, number)).state


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[asyncio.subprocess.Process]:
    found, start = [], asyncio.create_subprocess_exec

    async def note(*command: str, **given: object) -> asyncio.subprocess.Process:
        found.append(await start(*command, **given))
        return found[-1]

    monkeypatch.setattr(asyncio, "create_subprocess_exec", note)
    return found


def test_it_works_comes_back_and_ends(
    store: dict[str, str], started: list[asyncio.subprocess.Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in store.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(loop, "WORKER_PAUSE_SECONDS", 0)
    monkeypatch.setattr(loop, "WORKER_SECONDS_TO_END", SECONDS)

    async def live() -> None:
        beside = asyncio.ensure_future(loop.jobs_worker())
        await done(add())
        os.kill(started[0].pid, signal.SIGKILL)
        await done(add())
        beside.cancel()
        with pytest.raises(asyncio.CancelledError):
            await beside

    asyncio.run(live())
    assert [process.returncode for process in started] == [-signal.SIGKILL, 0]


def test_not_when_the_setting_says_so(
    started: list[asyncio.subprocess.Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PORTAL_WORKER", "0")
    reset_settings()
    asyncio.run(asyncio.wait_for(loop.jobs_worker(), 5))
    assert started == []
