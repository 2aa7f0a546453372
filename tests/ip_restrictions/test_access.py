"""Who comes from elsewhere is kept out by every road; everybody else is not."""

from typing import Any

import pytest

from portal_app import db
from portal_app.auth import guard, sessions, tokens
from portal_app.auth.actor import Actor, ActorKind, Origin, system
from portal_app.auth.permissions import Permission
from portal_app.errors import Denied
from portal_app.shell.state import ShellState
from tests.auth.conftest import Send
from tests.auth.test_cookie import OWN
from tests.cast import Cast, cookie_of, token_of
from tests.ip_restrictions.places import HOME, OFFICE, SIX, add_entry, open_to_all, refusals, restrict
from tests.security.pipeline import Answer, Pipeline, Tab, name_of, play

LOAD = "dashboard_state.load"


def identify(cast: Cast, who: str, origin: Origin) -> Actor:
    return db.read(sessions.identify, token_of(cast.people[who]), origin)


@pytest.mark.parametrize("who", ["alice", "bob", "carol", "nina"])
def test_the_partners_people_are_kept_out_elsewhere(restricted: Cast, who: str) -> None:
    assert identify(restricted, who, OFFICE).kind == ActorKind.PARTNER
    found = identify(restricted, who, HOME)
    assert (found.kind, found.permissions, found.all_accounts) == (ActorKind.ELSEWHERE, frozenset(), False)
    assert not found.signed_in


@pytest.mark.parametrize("who", ["dave", "mallory", "olga"])
def test_customers_operators_and_other_partners_are_not(restricted: Cast, who: str) -> None:
    assert identify(restricted, who, HOME).signed_in


def test_off_means_off(restricted: Cast) -> None:
    db.write(open_to_all, restricted.partner_a)
    assert identify(restricted, "alice", HOME).signed_in


def test_another_partners_trusted_addresses_open_nothing(restricted: Cast) -> None:
    db.write(add_entry, restricted.partner_b, HOME.address)
    assert not identify(restricted, "alice", HOME).signed_in


@pytest.mark.parametrize(
    ("trusted", "inside", "outside"),
    [
        ("192.0.2.7", ["192.0.2.7", "::ffff:192.0.2.7", "::ffff:c000:207"], ["192.0.2.6", "192.0.2.8", "::192.0.2.7"]),
        ("192.0.2.0/25", ["192.0.2.0", "192.0.2.127"], ["192.0.1.255", "192.0.2.128"]),
        ("9.255.255.250-10.0.0.3", ["9.255.255.250", "10.0.0.3"], ["9.255.255.249", "10.0.0.4", "99.0.0.1"]),
        ("2001:db8::/64", ["2001:db8::", "2001:db8::ffff:ffff:ffff:ffff"], ["2001:db8:0:1::", "192.0.2.7"]),
        ("::/1, 8000::/1", ["::1", "ffff::", "fe80::1%eth0"], ["192.0.2.7", "::ffff:192.0.2.7"]),
        ("0.0.0.0/1, 128.0.0.0/1", ["0.0.0.0", "255.255.255.255", "::ffff:1.2.3.4"], ["::", "2001:db8::1"]),
        ("::ffff:192.0.2.0/120", ["192.0.2.255"], ["192.0.3.0", "::c000:2ff"]),
    ],
)
def test_the_ends_of_a_range_are_in_and_their_neighbours_out(
    cast: Cast, trusted: str, inside: list[str], outside: list[str]
) -> None:
    db.write(restrict, cast.partner_a, trusted)
    token = token_of(cast.alice)
    for address in inside + outside:
        assert db.read(sessions.identify, token, Origin(address)).signed_in is (address in inside), address


@pytest.mark.parametrize("address", ["", "unknown", "/run/portal.sock", "192.0.2.7:443", "192.0.2.7, 1.2.3.4", "\x00"])
def test_what_is_no_address_is_no_trusted_one(restricted: Cast, address: str) -> None:
    assert not identify(restricted, "alice", Origin(address)).signed_in


def _from(tab: Tab, address: str) -> Tab:
    original = tab._router_data
    tab._router_data = lambda: original() | {"ip": address}
    return tab


def test_an_open_tab_gets_the_page_at_its_next_event_and_keeps_nothing(cast: Cast) -> None:
    async def scene(made: Pipeline) -> None:
        tab = made.tab(cookie_of(cast.alice))
        assert "Alpha Elm" in str((await tab.send(name_of(LOAD))).deltas)
        db.write(restrict, cast.partner_a, "203.0.113.0/24")
        for name in (LOAD, LOAD, "shell_state.clear", "shell_state.introduce"):
            answer = await tab.send(name_of(name))
            assert answer.redirects == ["/access-denied"], name
        assert "Alpha" not in str(await tab.values()) + str((await tab.hydrate()).deltas)
        assert (await tab.state(ShellState)).email == ""
        db.write(open_to_all, cast.partner_a)
        assert "Alpha Elm" in str((await tab.send(name_of(LOAD))).deltas) + str((await tab.send(name_of(LOAD))).deltas)

    play(scene)


def test_the_state_of_a_tab_is_not_for_its_own_session_elsewhere(restricted: Cast) -> None:
    """A stolen cookie with the tab's name, from another address."""

    async def scene(made: Pipeline) -> Answer:
        cookie = cookie_of(restricted.alice)
        tab = made.tab(cookie)
        await tab.send(name_of(LOAD))
        thief = _from(made.tab(cookie, token=tab.token), HOME.address)
        heard = [await thief.hydrate(), await thief.send(name_of(LOAD)), await thief.hydrate()]
        assert "Alpha" not in str([answer.deltas for answer in heard])
        assert "alice@" not in str([answer.deltas for answer in heard])
        return heard[1]

    assert play(scene).redirects == ["/access-denied"]


def test_a_socket_is_not_linked_to_the_tab_elsewhere(restricted: Cast) -> None:
    async def scene(made: Pipeline) -> None:
        cookie = cookie_of(restricted.alice)
        tab = made.tab(cookie)
        await tab.send(name_of(LOAD))

        class App:
            state_manager = made.manager

        assert await guard.may_take(App, tab.token, cookie, OFFICE)
        assert not await guard.may_take(App, tab.token, cookie, HOME)

    play(scene)


def test_the_page_says_where_one_comes_from_and_lets_others_go_on(restricted: Cast) -> None:
    async def scene(made: Pipeline) -> list[Answer]:
        load, cookie = name_of("access_denied_state.load"), cookie_of(restricted.alice)
        tabs = [
            _from(made.tab(cookie, "/access-denied"), HOME.address),
            made.tab("", "/access-denied"),
            made.tab(cookie),
        ]
        return [await tab.send(load) for tab in tabs]

    away, nobody, inside = play(scene)
    assert (away.var("address"), away.redirects) == (HOME.address, [])
    assert (nobody.var("address"), nobody.redirects) == (OFFICE.address, [])
    assert inside.redirects == ["/"]


def test_a_watching_page_is_told_at_its_next_look(cast: Cast) -> None:
    async def scene(made: Pipeline) -> None:
        tab = made.tab(cookie_of(cast.alice))
        await tab.send(name_of("notice_state.dismiss"))
        state = await tab.state(guard.SessionState)
        assert (await guard.check_again(state, Permission.DASHBOARD_VIEW)).signed_in
        db.write(restrict, cast.partner_a, "203.0.113.0/24")
        with pytest.raises(Denied, match=OFFICE.address):
            await guard.check_again(state, Permission.DASHBOARD_VIEW)

    play(scene)


def _sign_in(send: Send, cast: Cast, who: str, peer: str) -> Any:
    form = {"ticket": db.write(sessions.new_ticket, cast.people[who].id)}
    return send("POST", "/auth/session", data=form, headers=OWN, peer=peer)


def test_signing_in_elsewhere_makes_no_session(restricted: Cast, send: Send) -> None:
    answer = _sign_in(send, restricted, "bob", HOME.address)
    assert (answer.status_code, answer.headers["location"]) == (303, "/access-denied")
    assert "set-cookie" not in answer.headers
    assert db.read(lambda session: session.query(sessions.LoginSession).count()) == 0
    (event,) = refusals()
    assert (event.user_id, event.address, event.activity) == (restricted.bob.id, HOME.address, "Sign-in")
    assert "set-cookie" in _sign_in(send, restricted, "bob", OFFICE.address).headers
    assert "set-cookie" in _sign_in(send, restricted, "dave", HOME.address).headers


def test_who_is_elsewhere_can_still_end_their_session(restricted: Cast, send: Send) -> None:
    token = token_of(restricted.alice)
    answer = send("POST", "/auth/sign-out", headers=OWN | {"Cookie": f"portal_session={token}"}, peer=HOME.address)
    assert answer.status_code == 303
    assert not db.read(sessions.identify, token, OFFICE).signed_in


def test_tokens_are_refused_elsewhere_too(restricted: Cast) -> None:
    token = db.write(
        tokens.create_token, system(), restricted.partner_a.id, "Engine", frozenset({Permission.BACKUPS_RUN})
    )
    assert db.read(tokens.find_token, token, OFFICE).kind == ActorKind.TOKEN
    assert db.read(tokens.find_token, token, HOME).permissions == frozenset()
    assert db.read(tokens.find_token, token).permissions == frozenset()


def test_a_flood_of_refusals_is_audited_once_from_each_network(restricted: Cast) -> None:
    async def scene(made: Pipeline) -> None:
        cookie = cookie_of(restricted.alice)
        for address in (HOME.address, SIX.address, SIX.address + "a"):
            tab = _from(made.tab(cookie), address)
            for _ in range(5):
                assert (await tab.send(name_of(LOAD))).redirects
        for number in range(60):
            await _from(made.tab(cookie), f"203.0.113.{number}").send(name_of(LOAD))

    play(scene)
    found = refusals()
    assert [event.address for event in found][:3] == [HOME.address, SIX.address, "203.0.113.0"]
    assert len(found) == 20
    assert {(event.partner_id, event.performed_by) for event in found} == {
        (restricted.partner_a.id, restricted.alice.email)
    }
