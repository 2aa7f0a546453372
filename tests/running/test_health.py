"""What supervisors, proxies and monitoring are told, and who may read it."""

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from portal_app import clock, db, metrics
from portal_app.auth.actor import system
from portal_app.jobs import queue, standing
from portal_app.models import CycleRun
from portal_app.settings import reset_settings
from portal_app.shell import health
from tests import factories
from tests.auth.conftest import Send, send

__all__ = ["send"]
TOKEN = "monitoring-token-of-enough-length"


@pytest.fixture(autouse=True)
def fresh(database: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing of the last scrape."""
    monkeypatch.setattr(health, "_read_at", float("-inf"))
    monkeypatch.setenv("PORTAL_METRICS_TOKEN", TOKEN)
    reset_settings()
    yield
    reset_settings()


def _numbers(text: str) -> dict[str, float]:
    families = text_string_to_metric_families(text)
    return {f"{one.name}{sorted(one.labels.values())}": one.value for family in families for one in family.samples}


def test_the_process_and_the_database_are_ready(send: Send) -> None:
    standing.worker_looked()
    assert send("GET", "/healthz").json() == {"status": "ok"}
    answer = send("GET", "/readyz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_a_worker_that_is_gone_is_told_and_no_reason_to_stay_away(send: Send, data_dir: Path) -> None:
    assert send("GET", "/readyz").json()["warnings"] == [health.NO_WORKER]
    standing.worker_looked()
    then = time.time() - standing.WORKER_GONE_SECONDS - 1
    os.utime(data_dir / "worker.seen", (then, then))
    answer = send("GET", "/readyz")
    assert (answer.status_code, answer.json()["warnings"]) == (200, [health.NO_WORKER])


def test_an_older_database_is_not_ready(send: Send) -> None:
    with db.writing() as session:
        session.connection().exec_driver_sql("UPDATE alembic_version SET version_num = '20261123a'")
    answer = send("GET", "/readyz")
    assert (answer.status_code, answer.json()["status"]) == (503, "not ready")


@pytest.mark.parametrize(
    ("peer", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("192.0.2.7", {}, 404),
        ("192.0.2.7", {"Authorization": f"Bearer {TOKEN}"}, 200),
        ("192.0.2.7", {"Authorization": f"Bearer {TOKEN}x"}, 404),
        ("192.0.2.7", {"Authorization": "Bearer "}, 404),
        # A proxy on this machine that nobody has named: what it passes on comes from anywhere.
        ("127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}, 404),
        ("127.0.0.1", {"Via": "1.1 proxy"}, 404),
        ("127.0.0.1", {"X-Forwarded-For": "192.0.2.7", "Authorization": f"Bearer {TOKEN}"}, 200),
    ],
)
def test_who_may_read_the_metrics(send: Send, peer: str, headers: dict[str, str], status: int) -> None:
    assert send("GET", "/metrics", peer=peer, headers=headers).status_code == status


def test_an_empty_token_opens_nothing(send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTAL_METRICS_TOKEN", "")
    reset_settings()
    for given in ("Bearer ", "Bearer", ""):
        assert send("GET", "/metrics", peer="192.0.2.7", headers={"Authorization": given}).status_code == 404


def _work() -> None:
    now = clock.now()
    with db.writing() as session:
        partner = factories.partner(session, name="Secret Name Ltd")
        factories.user(session, partner, email="secret.person@people.example")
        queue.add(session, system(), "forget")
        session.add(CycleRun(day=now.date(), holder="x", held_until=now, started_at=now, finished_at=now))


def test_the_metrics_say_how_the_work_stands_and_name_nobody(send: Send) -> None:
    _work()
    send("GET", "/healthz")
    send("GET", "/made/up/path")
    metrics.event_ended("dashboard_state.load", "done", 0.01)
    text = send("GET", "/metrics", peer="127.0.0.1").text
    found = _numbers(text)
    assert found["portal_jobs['waiting']"] == 1
    assert found["portal_jobs['failed']"] == 0
    assert found["portal_outbox_waiting[]"] == 0
    assert found["portal_last_cycle_timestamp_seconds[]"] == pytest.approx(clock.now().timestamp(), abs=60)
    assert found["portal_http_requests_total['200', 'health']"] >= 1
    assert found["portal_http_requests_total['404', 'page']"] >= 1
    assert found["portal_events_total['dashboard_state.load', 'done']"] >= 1
    assert found["portal_http_request_seconds_count['health']"] >= 1
    assert "portal_build_info{" in text
    assert not re.search(r"secret|made/up|@", text, re.IGNORECASE)


def test_a_scrape_asks_the_database_seldom(send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    send("GET", "/metrics", peer="127.0.0.1")
    asked: list[object] = []
    monkeypatch.setattr(db, "read", lambda *given: asked.append(given))
    assert send("GET", "/metrics", peer="127.0.0.1").status_code == 200
    assert asked == []


def test_each_answer_has_an_id_of_its_own(send: Send) -> None:
    marks = {send("GET", path).headers["x-request-id"] for path in ("/healthz", "/nothing", "/healthz")}
    assert len(marks) == 3
    assert all(re.fullmatch("[0-9a-f]{12}", mark) for mark in marks)
    # Nobody else chooses it.
    assert send("GET", "/healthz", headers={"X-Request-ID": "mine"}).headers["x-request-id"] != "mine"
