"""A program without a session that speaks to the socket: it gets nothing and changes nothing."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import simple_websocket

from portal_app.shell.messages import EVENTS_A_SECOND, EVENTS_AT_ONCE
from tests.cast import cookie_of
from tests.security.pipeline import HYDRATE, ROOT, handlers, name_of
from tests.security.served import TELL, Raw, Served

NEW_ACCOUNT = {"form": {"name": "Stranger's", "email": "stranger@example.com"}}
CALLS = {
    "dashboard_state.load": {},
    "dashboard_state.subscribe": {},
    "dashboard_state.delete_trial": {},
    "dashboard_state.watch": {},
    "dashboard_state.tick": {"account_id": 1, "ticked": True},
    "dashboard_state.tick_all": {},
    "shell_state.find": {"text": "Alpha"},
    "shell_state.clear": {},
}
UNKNOWN = (f"{ROOT}.nothing", "nothing", "", "__class__", "a" * 100_000, f"{ROOT}.__init__", f"{ROOT}._show")


@pytest.mark.parametrize("ending", CALLS)
def test_a_stranger_is_sent_to_sign_in(served: Served, ending: str) -> None:
    before = served.contents()
    with Raw(served) as stranger:
        answers = stranger.ask(name_of(ending), CALLS[ending])
    assert "_redirect" in json.dumps(answers)
    assert "/login" in json.dumps(answers)
    assert "Alpha" not in stranger.heard()
    assert served.contents() == before


def test_every_setvar_and_the_anonymous_exception_report_are_refused(served: Served) -> None:
    states = sorted({name.rpartition(".")[0] for name in handlers()} | {ROOT})
    # A socket may send only so much at once, and each question is two events.
    for some in (states[at : at + 40] for at in range(0, len(states), 40)):
        with Raw(served) as stranger:
            for state in some:
                answers = stranger.ask(f"{state}.setvar", {"var_name": "denied", "value": "mine"})
                assert "There is no such action." in json.dumps(answers), state
            assert "mine" not in stranger.heard()
    with Raw(served) as stranger:
        report = f"{ROOT}.reflex___state____frontend_event_exception_state.handle_frontend_exception"
        stranger.ask(report, {"info": "forged line", "component_stack": ""})
        assert "mine" not in stranger.heard()
    assert "forged line" not in served.said()


@pytest.mark.parametrize("name", UNKNOWN)
def test_an_unknown_name_is_dropped_and_no_cookie_gets_into_the_log(served: Served, name: str) -> None:
    with served.here():
        cookie = cookie_of(served.cast.alice)
    with Raw(served, cookie) as alice:
        assert not [a for a in alice.ask(name) if "nothing" in json.dumps(a)]
    assert cookie.partition("=")[2] not in served.said()
    assert "Traceback" not in served.said()


def test_browser_kept_variables_can_not_be_set(served: Served) -> None:
    path = f"{ROOT}.portal_app___auth___state____session_state.denied"
    with Raw(served) as stranger:
        update = f"{ROOT}.reflex___state____update_vars_internal_state.update_vars_internal"
        assert "no such action" in json.dumps(stranger.ask(update, {"vars": {path: "mine"}}))
        assert "no such action" in json.dumps(stranger.ask(f"{ROOT}.hydrate_and_load", {"vars": {"x.y": "mine"}}))
        assert "mine" not in stranger.heard()


def test_hydrating_at_a_page_gives_a_stranger_nothing_of_it(served: Served) -> None:
    account = served.cast.accounts_a[0].id
    for path in ("/", f"/accounts/{account}"):
        with Raw(served) as stranger:
            stranger.ask(f"{ROOT}.hydrate_and_load", path=path)
            stranger.ask(f"{ROOT}.reflex___state____on_load_internal_state.on_load_internal", path=path)
            stranger.ask(HYDRATE, path=path)
            assert "/login" in stranger.heard()
            assert "Alpha" not in stranger.heard()


def test_a_page_of_another_site_can_not_open_the_socket(served: Served) -> None:
    with served.here():
        cookie = cookie_of(served.cast.alice)
    for origin in ("https://evil.example", "null", "http://[", "http://localhost.evil.example", "http://127.0.0.1:1"):
        with pytest.raises(simple_websocket.ConnectionError):
            Raw(served, cookie, Origin=origin)
    with Raw(served, cookie, Origin="http://127.0.0.1") as own:
        assert "Alpha Ash" in json.dumps(own.ask(name_of("dashboard_state.load")))
    assert "Traceback" not in served.said()


def test_a_stolen_cookie_header_of_another_name_is_no_session(served: Served) -> None:
    with served.here():
        token = cookie_of(served.cast.alice).partition("=")[2]
    for cookie in (f"session={token}", f"portal_session_={token}", f"portal_session={token[:-1]}", "portal_session="):
        with Raw(served, cookie) as stranger:
            assert "/login" in json.dumps(stranger.ask(name_of("dashboard_state.load")))


@pytest.mark.parametrize("name", ["connect", "disconnect"])
def test_a_client_can_not_call_the_namespaces_own_methods(served: Served, name: str) -> None:
    """python-socketio calls `on_<name>` for whatever name comes: `connect` would take a forged address and cookie."""
    with Raw(served) as stranger:
        forged = {"QUERY_STRING": "token=forged-token-forged-token", "REMOTE_ADDR": "10.9.9.9", "asgi.scope": {}}
        stranger.call(name, forged)
        stranger.ask(name_of("dashboard_state.load"))
        assert "10.9.9.9" not in stranger.heard()
    assert "10.9.9.9" not in served.said()


def test_a_forwarded_address_does_not_count_without_a_proxy(served: Served) -> None:
    with Raw(served, X_Forwarded_For="10.8.8.8", Forwarded="for=10.8.8.8", X_Real_IP="10.8.8.8") as stranger:
        stranger.ask(name_of("dashboard_state.load"))
    assert "10.8.8.8" not in served.said()


def test_a_second_connect_packet_on_one_socket_is_refused(served: Served) -> None:
    """Each would bring an event of its own past the limit."""
    with Raw(served) as stranger:
        stranger.write("40/_event,")
        stranger.until(lambda: stranger.refused)
        stranger.settle()


def test_a_flood_is_cut_and_others_are_served_meanwhile(served: Served) -> None:
    sent, start = 2_000, time.monotonic()
    with served.here():
        cookie = cookie_of(served.cast.alice)
    with Raw(served) as flooder, Raw(served, cookie) as alice, ThreadPoolExecutor(1) as pool:
        flood = pool.submit(lambda: [flooder.send(TELL, {"kind": "grey", "text": f"n{i}"}) for i in range(sent)])
        assert "Alpha Ash" in json.dumps(alice.ask(name_of("dashboard_state.load")))
        flood.result()
        # What was sent last comes through when the limit lets something through again: all before it is dealt with.
        flooder.until(lambda: flooder.send(TELL, {"kind": "grey", "text": "last"}) or '"last"' in flooder.heard())
    passed = flooder.heard().count('"n')
    assert EVENTS_AT_ONCE / 2 < passed < EVENTS_AT_ONCE + EVENTS_A_SECOND * (time.monotonic() - start) + 10
    assert served.said().count("too much") <= 20
