"""The daily work inside the server: survives faults, keeps secrets, ends at once, and looks cheaply."""

import asyncio
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread

import anyio
import pytest

from portal_app import clock, db, deployment
from portal_app.accounts import trials
from portal_app.jobs import cycle, loop
from portal_app.settings import reset_settings
from tests import factories
from tests.jobs.lives import NOW, at, trial


async def until_cancelled(ready: asyncio.Event) -> None:
    """Run the daily work, cancel it when it is ready, and see it end."""
    task = asyncio.ensure_future(loop.daily_work())
    await asyncio.wait_for(ready.wait(), 20)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 1)


def test_goes_on_after_any_fault_and_logs_no_secret(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    secret = "Key (email)=(person@example.com) exists"

    async def live() -> None:
        ready, running = asyncio.Event(), asyncio.get_running_loop()
        looks: list[None] = []

        def run_cycle(**_given: object) -> None:
            looks.append(None)
            if len(looks) == 3:
                running.call_soon_threadsafe(ready.set)
            raise RuntimeError(secret)

        monkeypatch.setattr(cycle, "run_cycle", run_cycle)
        await until_cancelled(ready)

    swept: list[None] = []
    monkeypatch.setattr(cycle, "sweep", lambda *_: swept.append(None))
    monkeypatch.setattr(loop.collecting, "run", lambda *_: None)
    monkeypatch.setattr(loop, "PAUSE_SECONDS", 0)
    asyncio.run(live())
    assert len(swept) >= 2
    assert "met RuntimeError" in caplog.text
    assert secret not in caplog.text


def test_ends_within_a_second_while_a_batch_runs_and_tells_it_to_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    told, batch_over = Event(), Event()

    async def live() -> float:
        ready, running = asyncio.Event(), asyncio.get_running_loop()

        def minute(stop: Event) -> None:
            running.call_soon_threadsafe(ready.set)
            batch_over.wait(5)
            if stop.is_set():
                told.set()

        monkeypatch.setattr(loop, "minute", minute)
        async with anyio.create_task_group() as group:
            group.start_soon(loop.daily_work)
            await ready.wait()
            cancelled_at = running.time()
            group.cancel_scope.cancel()
        batch_over.set()
        return running.time() - cancelled_at

    assert anyio.run(live) < 1
    assert told.wait(20)


def test_not_when_the_setting_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTAL_DAILY_WORK", "0")
    reset_settings()
    monkeypatch.setattr(loop, "minute", lambda _stop: pytest.fail("it looked"))
    asyncio.run(asyncio.wait_for(loop.daily_work(), 5))


def test_a_look_does_the_day_and_then_what_falls_due_during_it(
    store: dict[str, str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with db.writing() as session:
        account_id = trial(session, factories.partner(session), NOW).id
    found: list[str] = []
    for hours in (0, 9 * 24 - 1, 9 * 24 + 1, 14 * 24 + 1):
        monkeypatch.setattr(clock, "now", at(NOW + timedelta(hours=hours)))
        loop.minute(Event())
        with db.reading() as session:
            found.append(trials.lock_trial(session, account_id).status)
    assert found == ["trial_started", "trial_started", "trial_expiring", "trial_expired"]
    assert caplog.records == []


def test_an_idle_look_waits_for_no_writer(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", at(NOW))
    with db.writing() as session:
        trial(session, factories.partner(session), NOW)
    cycle.run_cycle()
    with db.writing() as session:
        factories.partner(session)
        look = Thread(target=loop.minute, args=(Event(),), daemon=True)
        look.start()
        look.join(5)
        assert not look.is_alive()


@pytest.mark.parametrize(
    ("setting", "partners", "answer"),
    [("", [], True), ("", [True], True), ("", [True, False], False), ("1", [False], True), ("0", [True], False)],
)
def test_demo_is_what_the_setting_says_or_else_until_a_real_partner(
    setting: str, partners: list[bool], answer: bool, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if setting:
        monkeypatch.setenv("PORTAL_DEMO", setting)
        reset_settings()
    with db.writing() as session:
        for is_demo in partners:
            factories.partner(session, is_demo=is_demo)
    assert db.read(deployment.is_demo) is answer
