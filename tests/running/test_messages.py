"""Messages to pages are written by another writer than Reflex's, in the same words."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
import reflex as rx
from reflex.istate.data import ReflexURL, URLData
from reflex.state import StateUpdate
from reflex_base.event import Event
from reflex_base.utils.format import json_dumps

from portal_app.geometry import Series, stacked_bars
from portal_app.models import BillingStatus
from portal_app.shell import messages

VALUES = {
    "address": URLData.from_url(ReflexURL("https://portal.example/accounts?page=2#x")),
    "chart": stacked_bars(["Nov 1", "Nov 2"], [Series("Successful", "green", [3, 4])]),
    "status": BillingStatus.DUE,
    "moment": datetime(2026, 11, 1, 12, 30, tzinfo=UTC),
    "parts": ({"a"}, (1, 2.5, None, True), "Zoë \u2013 \x01 </script>"),
}


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(StateUpdate(delta={"state": VALUES}), id="values of a page"),
        pytest.param(StateUpdate(events=Event.from_event_type(rx.redirect("/login", replace=True))), id="an event"),
        pytest.param({"count": 2**70}, id="a number above 64 bits"),
        pytest.param({1: "one"}, id="a key that is a number"),
    ],
)
def test_a_message_says_what_reflex_would_say(value: Any) -> None:
    assert json.loads(messages.written(["event", value])) == json.loads(json_dumps(["event", value]))
