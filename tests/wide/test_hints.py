"""What one process writes, the others look at soon; their figures stand beside each other."""

import asyncio
from contextlib import closing
from pathlib import Path

import pytest
import redis

from portal_app import db, hints, live, metrics
from portal_app.settings import reset_settings


def test_a_commit_is_told_of_and_a_read_is_not(database: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTAL_REDIS_URL", redis_url)
    reset_settings()
    with closing(redis.Redis.from_url(redis_url)) as client, closing(client.pubsub()) as heard:
        heard.subscribe(hints.CHANNEL)
        assert heard.get_message(timeout=5)
        db.read(lambda _session: None)
        assert heard.get_message(timeout=2 * hints.SECONDS_BETWEEN) is None
        db.write(lambda _session: None)
        assert heard.get_message(timeout=5)


def test_a_hint_ends_the_wait_for_the_next_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "SECONDS_BETWEEN_LOOKS", 60)

    async def look() -> None:
        hub = live.Hub()
        hub.hint()
        await asyncio.wait_for(hub.until_due(), 1)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(hub.until_due(), 0.05)

    asyncio.run(look())


def test_figures_of_all_processes_stand_beside_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "_shared", None)
    metrics.request_ended("/login", 200, 0.01)
    assert 'process="' not in metrics.text().decode()
    for place in ("2", "1"):
        metrics.share(tmp_path, place)
        assert metrics.write()
    lines = metrics.text().decode().splitlines()
    answered = [line for line in lines if line.startswith("portal_http_requests_total") and 'area="page"' in line]
    assert [line.partition('process="')[2][:1] for line in answered if 'status="200"' in line] == ["1", "2"]
    assert len([line for line in lines if line.startswith("portal_outbox_waiting ")]) == 1
    assert len([line for line in lines if line.startswith("# TYPE portal_sockets ")]) == 1
