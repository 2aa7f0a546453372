"""Where a webhook may lead: to the open internet, and nowhere else."""

import asyncio
import socket
from typing import Any

import httpx
import pytest

from portal_app.errors import Invalid
from portal_app.settings import reset_settings
from portal_app.webhooks import sending

OPEN = "93.184.216.34"


def answers(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    """The DNS answers with these, each time; gives the names that were asked for."""
    asked: list[str] = []

    def look_up(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        if not addresses:
            raise socket.gaierror("no such host")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in addresses]

    monkeypatch.setattr(sending, "look_up", look_up)
    return asked


@pytest.mark.parametrize(
    "address",
    [
        "http://receiver.example/",
        "ftp://receiver.example/",
        "//receiver.example/",
        "receiver.example",
        "",
        "https://",
        "https:///path",
        "https://" + "x" * 600,
        "https://a b.example/",
        "https://receiver.example/\r\nHost: inner",
        "https://user:password@receiver.example/",
        "https://receiver.example/#part",
        "https://receiver.example:22/",
        "https://receiver.example:80/",
        "https://receiver.example:99999/",
        "https://[::1/",
    ],
)
def test_what_is_no_address_for_it_is_refused(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    answers(monkeypatch, OPEN)
    with pytest.raises(Invalid) as refused:
        sending.checked(address)
    assert list(refused.value.fields) == ["url"]


PRIVATE = [
    "127.0.0.1",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1",
    "fc00::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
]


@pytest.mark.parametrize("private", PRIVATE)
def test_a_name_that_leads_inside_is_refused_when_kept_and_when_sent(
    monkeypatch: pytest.MonkeyPatch, private: str
) -> None:
    for addresses in ([private], [OPEN, private]):
        answers(monkeypatch, *addresses)
        with pytest.raises(Invalid):
            sending.checked("https://receiver.example/hook")
        told = asyncio.run(sending.post("https://receiver.example/hook", {}, b"{}"))
        assert (told.status, "private network" in told.fault) == (None, True)


@pytest.mark.parametrize(
    "address",
    [
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:7f00:1]/",
        "https://localhost/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://127.1/",
        "https://169.254.169.254/latest/meta-data",
    ],
)
def test_an_address_inside_is_refused_however_it_is_written(address: str) -> None:
    with pytest.raises(Invalid):
        sending.checked(address)


def test_a_name_that_nobody_has_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch)
    with pytest.raises(Invalid, match="correct") as refused:
        sending.checked("https://receiver.example/")
    assert refused.value.fields == {"url": "There is no such host."}


def test_an_open_address_is_kept_as_it_was_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, OPEN, "2606:2800:220:1::1")
    for address in ("https://receiver.example/a?b=c", "https://receiver.example:8443/", "https://bücher.example/"):
        assert sending.checked(f"  {address} ") == address


def test_it_connects_to_the_very_address_that_was_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, sent = answers(monkeypatch, OPEN), []

    async def handle(_: Any, request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(204)

    monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", handle)
    told = asyncio.run(sending.post("https://receiver.example:8443/a?b=c", {"webhook-id": "m"}, b"{}"))
    assert (told.status, told.fault) == (204, "")
    # The name is asked for once; a second answer could be another.
    assert asked == ["receiver.example"]
    request = sent[0]
    assert (request.url.host, request.url.port, request.url.raw_path) == (OPEN, 8443, b"/a?b=c")
    assert (request.headers["host"], request.extensions["sni_hostname"]) == (
        "receiver.example:8443",
        "receiver.example",
    )


def test_the_setting_opens_ones_own_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTAL_ALLOW_PRIVATE_WEBHOOKS", "1")
    reset_settings()
    assert sending.checked("http://127.0.0.1:8080/hook") == "http://127.0.0.1:8080/hook"
    with pytest.raises(Invalid):
        sending.checked("file:///etc/passwd")
