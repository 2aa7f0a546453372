"""The address is the peer's. What a header says counts only from a configured proxy."""

import pytest

from portal_app import db
from portal_app.auth import sessions
from portal_app.settings import reset_settings, settings
from tests.auth.conftest import Send
from tests.auth.test_cookie import OWN
from tests.cast import Cast
from tests.ip_restrictions.places import HOME, OFFICE

PROXY, SECOND_PROXY = "10.0.0.1", "10.1.2.3"


@pytest.fixture
def behind_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTAL_TRUSTED_PROXIES", f"{PROXY}, 10.1.0.0/16, 2001:db8:ff::/48")
    reset_settings()


def is_let_in(send: Send, cast: Cast, peer: str, *forwarded: str, name: str = "X-Forwarded-For") -> bool:
    """Whether Alice gets a session."""
    headers = [*OWN.items(), *((name, value) for value in forwarded)]
    ticket = db.write(sessions.new_ticket, cast.alice.id)
    answer = send("POST", "/auth/session", data={"ticket": ticket}, headers=headers, peer=peer)
    assert ("set-cookie" in answer.headers) is (answer.headers["location"] != "/access-denied")
    return "set-cookie" in answer.headers


@pytest.mark.parametrize("name", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "CF-Connecting-IP", "True-Client-IP"])
@pytest.mark.parametrize("peer", [HOME.address, "127.0.0.1", PROXY])
def test_without_a_configured_proxy_no_header_opens(restricted: Cast, send: Send, peer: str, name: str) -> None:
    for value in (OFFICE.address, f"for={OFFICE.address}", f"{OFFICE.address}, {PROXY}"):
        assert not is_let_in(send, restricted, peer, value, name=name)
    assert is_let_in(send, restricted, OFFICE.address, HOME.address, name=name)


@pytest.mark.parametrize("peer", [HOME.address, "10.0.0.2", "127.0.0.1", "::ffff:10.0.0.2"])
def test_from_anybody_else_a_header_changes_nothing(
    behind_proxies: None, restricted: Cast, send: Send, peer: str
) -> None:
    assert not is_let_in(send, restricted, peer, OFFICE.address)
    assert not is_let_in(send, restricted, peer, f"{OFFICE.address}, {PROXY}")


@pytest.mark.parametrize("peer", [PROXY, SECOND_PROXY, "::ffff:10.0.0.1", "::ffff:10.1.2.3", "2001:db8:ff::1"])
def test_from_a_configured_proxy_it_counts(behind_proxies: None, restricted: Cast, send: Send, peer: str) -> None:
    assert is_let_in(send, restricted, peer, OFFICE.address)
    assert not is_let_in(send, restricted, peer, HOME.address)
    assert not is_let_in(send, restricted, peer)


@pytest.mark.parametrize(
    ("forwarded", "let_in"),
    [
        ([f"{OFFICE.address}, {SECOND_PROXY}"], True),
        ([OFFICE.address, SECOND_PROXY], True),
        ([f"{HOME.address}, {OFFICE.address}, {SECOND_PROXY}"], True),
        ([f"{OFFICE.address}, {HOME.address}, {SECOND_PROXY}"], False),
        ([OFFICE.address, HOME.address], False),
        ([f"{OFFICE.address}, {HOME.address}"], False),
        ([f"{OFFICE.address}, unknown"], False),
        ([f"{OFFICE.address}:4711"], False),
        ([""], False),
        ([f"{OFFICE.address},"], False),
        ([SECOND_PROXY], False),
    ],
)
def test_of_several_hops_the_last_that_is_no_proxy_counts(
    behind_proxies: None, restricted: Cast, send: Send, forwarded: list[str], let_in: bool
) -> None:
    assert is_let_in(send, restricted, PROXY, *forwarded) is let_in


@pytest.mark.parametrize("value", ["*", "10.0.0.1/24", "proxy.internal", "10.0.0.1, *", "10.0.0.0/33"])
def test_who_may_name_addresses_is_said_by_address(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("PORTAL_TRUSTED_PROXIES", value)
    reset_settings()
    with pytest.raises(SystemExit, match=r"PORTAL_TRUSTED_PROXIES: .* is not an address or a network"):
        settings()
    monkeypatch.setenv("PORTAL_TRUSTED_PROXIES", "")
    reset_settings()
