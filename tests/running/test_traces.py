"""The id of an event: what a person is told when it fails stands beside the failure in the log."""

import json
import logging
import re

import pytest
from prometheus_client.parser import text_string_to_metric_families

from portal_app import metrics, traces
from portal_app.notifications import service
from portal_app.shell import observed
from tests.cast import Cast, cast, cookie_of
from tests.security import pipeline
from tests.security.pipeline import Pipeline, name_of, play

__all__ = ["cast"]
SAVE = "notifications_state.save_general"


def _count(outcome: str) -> float:
    families = text_string_to_metric_families(metrics.text().decode())
    samples = [one for family in families for one in family.samples if one.name == "portal_events_total"]
    wanted = {"handler": SAVE, "outcome": outcome}
    return sum(one.value for one in samples if one.labels == wanted)


def test_what_a_person_is_told_stands_in_the_log(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def break_down(*_: object) -> None:
        raise RuntimeError("the ceiling")

    monkeypatch.setattr(service, "save_general", break_down)
    monkeypatch.setattr(pipeline, "BaseStateEventProcessor", observed.Events)
    begun: list[str] = []
    begin = traces.begin
    monkeypatch.setattr(traces, "begin", lambda of="": begun.append(begin(of)) or begun[-1])
    before = _count("failed")

    async def scene(made: Pipeline) -> str:
        answer = await made.tab(cookie_of(cast.alice)).send(name_of(SAVE), {"form": {}})
        return json.dumps([event.payload for event in answer.events] + answer.deltas, default=str)

    with caplog.at_level(logging.ERROR, "portal"):
        told = play(scene)
    logged = re.search(r"unexpected error, reference ([0-9a-f]{12})", caplog.text)
    assert logged
    # The event's own id, under which the telling goes on.
    assert begun.count(logged[1]) == 2
    assert "the ceiling" in caplog.text
    assert "the ceiling" not in told
    assert _count("failed") == before + 1
