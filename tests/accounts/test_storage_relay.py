"""The way out for a stranger's endpoint: one judged address, and none behind it."""

import socket
from collections.abc import Callable

import pytest

from portal_app.accounts import storage_relay
from portal_app.accounts.storage_probe import Credentials, Limits, Route, parse, probe
from portal_app.accounts.storage_relay import is_public
from portal_app.errors import Invalid
from portal_app.settings import reset_settings
from tests.accounts.storage_servers import Answer, Shop, Tls

DIRECT = Route()
FORBIDDEN = "This address lies in a private network, which the portal may not reach."


@pytest.fixture
def private_allowed(monkeypatch: pytest.MonkeyPatch, data_dir: object) -> None:
    monkeypatch.setenv("PORTAL_ALLOW_PRIVATE_STORAGE", "1")
    reset_settings()


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """`names(*answers)`: each look-up gets the next list of addresses. Gives the list of names that were looked up."""

    def install(*answers: list[str]) -> list[str]:
        left, asked = list(answers), []

        def look_up(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
            asked.append(host)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in left.pop(0)]

        monkeypatch.setattr(storage_relay, "look_up", look_up)
        return asked

    return install


def own(url: str) -> Credentials:
    form = {"endpoint_url": url, "bucket": "backups", "access_key_id": "AKIAEXAMPLE", "secret_access_key": "secret"}
    return parse("s3_compatible", form)


def sentence(credentials: Credentials, route: Route = DIRECT) -> str:
    with pytest.raises(Invalid) as refusal:
        probe(credentials, limits=Limits(operation=2), route=route)
    return refusal.value.fields["endpoint_url"]


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.8.8",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "192.0.2.1",
        "198.18.0.1",
        "224.0.0.1",
        "239.1.1.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "fd00:ec2::254",
        "ff0e::1",
        "2001:db8::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
        "2002:a00:1::1",
        "::127.0.0.1",
    ],
)
def test_inner_addresses_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "52.219.1.1", "2a00:1450:4001::1", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_outer_addresses_are(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_private_endpoint_is_refused_before_anything_is_sent(host: str) -> None:
    with Shop() as shop:
        assert sentence(own(shop.url.replace("127.0.0.1", host))) == FORBIDDEN
    assert shop.seen == []


def test_a_private_https_endpoint_too(tls: Tls) -> None:
    with Shop(tls=tls.context) as shop:
        assert sentence(own(shop.url), Route(root_certificate=tls.ca)) == FORBIDDEN
    assert shop.seen == []


def test_one_private_address_among_public_ones_is_enough(names: Callable[..., list[str]]) -> None:
    with Shop() as shop:
        names(["127.0.0.1", "8.8.8.8"])
        assert sentence(own(shop.url.replace("127.0.0.1", "mixed.example"))) == FORBIDDEN
    assert shop.seen == []


@pytest.mark.usefixtures("private_allowed")
def test_a_name_is_looked_up_once_for_the_whole_check(names: Callable[..., list[str]]) -> None:
    with Shop() as shop:
        asked = names(["127.0.0.1"])
        probe(own(shop.url.replace("127.0.0.1", "rebind.example")))
    assert asked == ["rebind.example"]
    assert [method for method, _ in shop.seen] == ["PUT", "GET", "DELETE"]


@pytest.mark.usefixtures("private_allowed")
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["PUT", "GET", "DELETE"])
def test_a_redirect_elsewhere_is_not_followed(status: int, method: str) -> None:
    with Shop() as inner, Shop() as shop:
        shop.special[method] = Answer(status, b"", {"Location": f"{inner.url}/backups/secret"})
        with pytest.raises(Invalid):
            probe(own(shop.url))
    assert inner.seen == []


@pytest.mark.usefixtures("private_allowed")
def test_a_redirect_on_reading_is_named() -> None:
    with Shop() as inner, Shop() as shop:
        shop.special["GET"] = Answer(302, b"", {"Location": f"{inner.url}/x"})
        assert sentence(own(shop.url)).startswith("This address points on to another one.")


@pytest.mark.usefixtures("private_allowed")
def test_a_redirect_to_https_elsewhere_is_not_followed(tls: Tls) -> None:
    with Shop(tls=tls.context) as inner, Shop(tls=tls.context) as shop:
        shop.special["GET"] = Answer(302, b"", {"Location": f"{inner.url}/x"})
        told = sentence(own(shop.url), Route(root_certificate=tls.ca))
    assert told.startswith("This address points on to another one.")
    assert inner.seen == []


@pytest.mark.usefixtures("private_allowed")
def test_a_flood_is_cut() -> None:
    with Shop(
        special={"GET": Answer(200, b"x" * 3_000_000, {"Last-Modified": "Mon, 23 Nov 2026 10:00:00 GMT"})}
    ) as shop:
        assert sentence(own(shop.url)).startswith("This address answered with far more than was asked for.")


@pytest.mark.usefixtures("private_allowed")
def test_the_relay_ends_with_the_check() -> None:
    with Shop() as shop, storage_relay.Relay(shop.url, allow_private=True, timeout=5) as relay:
        address = ("127.0.0.1", int(relay.url.rsplit(":", 1)[1]))
        socket.create_connection(address, 5).close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address, 5)


def test_no_proxy_variables_do_not_open_a_way_around(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_PROXY", "no_proxy", "AWS_PROXY_EXCLUDES"):
        monkeypatch.setenv(name, "*")
    with Shop() as shop:
        assert sentence(own(shop.url)) == FORBIDDEN
    assert shop.seen == []
