"""Junk on the socket: never a trace in the log, nothing half saved, and the server goes on."""

import inspect
import json
from contextlib import suppress
from typing import Any, get_type_hints

import pytest
import simple_websocket

from tests.cast import cookie_of
from tests.security.pipeline import HYDRATE, ROOT, handlers, name_of
from tests.security.served import Raw, Served

DEEP = json.loads("[" * 300 + "]" * 300)
JUNK: list[Any] = [
    None,
    True,
    -1,
    10**12,
    10**30,
    1.5,
    "",
    "x" * 50_000,
    "\x00",
    "\ud800",
    "'; DROP TABLE account; --",
    "%_\\\"'()*:^~",
    [],
    [[]],
    DEEP,
    {},
    {"": {"": None}},
    {"__class__": "x", "__reflex_form_data__": [1, 2]},
    {"__reflex_form_data__": [["email", {"a": 1}], ["email"], []]},
    {"email": [1], "password": {"a": "b"}},
]
PLACES: list[Any] = [
    None,
    [],
    "x",
    {"pathname": 7},
    {"pathname": "/", "asPath": None},
    {"pathname": "/", "asPath": "/?search=\ud800"},
    {"pathname": "/", "asPath": "//["},
    {"pathname": "/", "asPath": "http://["},
    {"pathname": "/accounts/" + "9" * 3000, "asPath": "/accounts/" + "9" * 3000},
    {"pathname": "/accounts/%00", "asPath": "/accounts/%00"},
    {"pathname": "/accounts/²", "asPath": "/accounts/²"},
    {"pathname": "/", "asPath": "/?page=99999999999999999999&size=-1&sort=;&status=%ff&search=%00%ed%a0%80"},
    {"pathname": "/", "asPath": "/?" + "a=1&" * 900},
    {"pathname": "/", "asPath": "/", "query": {"a": {"b": 1}}},
    {"pathname": "/", "asPath": "/", "query": [1]},
    {"pathname": "/", "asPath": "/", "headers": {"cookie": "x"}, "ip": "10.7.7.7", "token": "x", "sid": "x"},
]
FRAMES: list[str | bytes] = [
    "42/_event,",
    "42/_event,{}",
    "42/_event,[]",
    '42/_event,["event"]',
    '42/_event,["event",1]',
    '42/_event,["event","text"]',
    '42/_event,["event",{},{}]',
    '42/_event,[{"a":1},2]',
    '42/_event,["client_error"]',
    '42/_event,["client_error",{"error_type":["x"],"message":{"a":1}}]',
    '42/_event,["ping",1]',
    '42/_event,["connection_error",{}]',
    "42/other,[1]",
    "43/_event,7[]",
    '451-/_event,["event",{"_placeholder":true,"num":0}]',
]
BROKEN: list[str | bytes] = [
    "42/_event,{",
    "44/_event,{}",
    "49",
    "4",
    b"\xff\x00",
    "42/_event," + "[" * 100_000,
    "x" * 300_000,
]


@pytest.fixture
def alice(served: Served):
    with served.here():
        cookie = cookie_of(served.cast.alice)
    with Raw(served, cookie) as made:
        made.ask(name_of("dashboard_state.load"))
        yield made


@pytest.fixture(autouse=True)
def _no_trace_and_nothing_saved(served: Served, request: pytest.FixtureRequest):
    before, said = served.contents(), len(served.said())
    yield
    after, new = served.contents(), served.said()[said:]
    # Signing in for the test, refusals in the audit (and its counter), a question to a passkey: they are not junk.
    made = {"audit_chain", "audit_event", "login_session", "login_ticket", "passkey_challenge", "portal_user"}
    if request.node.name.endswith("add_card]"):
        # It takes no argument: what it saves, the partner's name at the payment processor, is right.
        made |= {"billing_profile", "partner_change"}
    if request.node.name.endswith("news_state.read_all]"):
        # The same: it marks all news as read.
        made |= {"news_read"}
    for table in before.keys() - made:
        assert after[table] == before[table], table
    assert "Traceback" not in new
    assert "unexpected error" not in new


@pytest.mark.parametrize("name", sorted(handlers()))
def test_any_argument_of_any_handler_may_be_junk(alice: Raw, name: str) -> None:
    arguments = [a for a in inspect.signature(handlers()[name]).parameters if a != "self"]
    for junk in JUNK if arguments else [1]:
        alice.send(name, dict.fromkeys(arguments, junk))
        alice.send(name, dict.fromkeys([*arguments, "unasked"], junk))
        alice.settle()
    for first in arguments:
        alice.ask(name, {first: "x"} if len(arguments) > 1 else {})
    assert "Something went wrong" not in alice.heard()


def test_every_argument_of_every_handler_declares_a_plain_type() -> None:
    """A model as a type would have Reflex write the whole value, a password too, into the log when it can't be read."""
    plain = {str, int, float, bool, dict, list}
    for name, function in handlers().items():
        hints = get_type_hints(function)
        for argument in [a for a in inspect.signature(function).parameters if a != "self"]:
            assert hints.get(argument) in plain, f"{name}({argument})"


@pytest.mark.parametrize("place", range(len(PLACES)))
def test_a_page_that_is_nowhere(alice: Raw, place: int) -> None:
    for name in (HYDRATE, f"{ROOT}.hydrate_and_load", name_of("dashboard_state.load"), name_of("account_state.load")):
        alice.send(name, router_data=PLACES[place])
        alice.settle()
    assert "10.7.7.7" not in alice.heard()
    assert "Something went wrong" not in alice.heard()


@pytest.mark.parametrize("payload", JUNK)
def test_a_payload_that_is_none(alice: Raw, payload: Any) -> None:
    alice.call("event", {"name": name_of("dashboard_state.load"), "payload": payload})
    alice.call("event", {"name": payload, "payload": {}})
    alice.call("event", payload)
    alice.settle()


@pytest.mark.parametrize("frame", FRAMES)
def test_a_frame_that_no_page_sends(alice: Raw, frame: str) -> None:
    alice.write(frame)
    alice.settle()


@pytest.mark.parametrize("frame", BROKEN, ids=lambda frame: repr(frame[:12]))
def test_a_broken_frame_at_most_ends_its_own_socket(served: Served, alice: Raw, frame: str | bytes) -> None:
    with Raw(served) as junk:
        junk.write(frame)
        with suppress(simple_websocket.ConnectionClosed):
            junk.settle()
    alice.settle()
