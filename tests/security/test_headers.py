"""What every answer tells the browser, by kind of answer; and what is refused before any route sees it."""

import asyncio
import base64
import hashlib
import http.client
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
import simple_websocket

from portal_app import build
from portal_app.settings import reset_settings
from portal_app.shell import headers, limits
from portal_app.shell.built import BuiltFiles
from tests.auth.conftest import Send, send
from tests.cast import cookie_of
from tests.security.served import Raw, Served, serve
from tests.stores import Template

__all__ = ["send"]
INLINE = "window.x = 1;"
SHELL = "<!doctype html><script>shell()</script><style>a{}</style>"
PAGE = f'<!doctype html><script src="/a.js"></script><script>{INLINE}</script><style>b{{}}</style>'
ALWAYS = {"x-content-type-options": "nosniff", "cross-origin-resource-policy": "same-origin"}


def hash_of(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A build of two pages."""
    folder = tmp_path / "client"
    (folder / "login").mkdir(parents=True)
    (folder / "login" / "index.html").write_text(PAGE)
    (folder / "404.html").write_text(SHELL)
    (folder / "portal.css").write_text("a{}")
    monkeypatch.setattr(build, "CLIENT", folder)
    headers._styles.cache_clear()
    yield folder
    headers._styles.cache_clear()
    headers._any_page.cache_clear()


def directives(policy: str) -> dict[str, list[str]]:
    parts = [one.split() for one in policy.split(";")]
    return {name: values for name, *values in parts}


def test_a_page_runs_its_own_inline_scripts_and_no_others(built: Path) -> None:
    allowed = directives(headers.page_policy(PAGE))
    assert allowed["script-src"] == ["'self'", hash_of(INLINE)]
    assert set(allowed["style-src"]) == {"'self'", hash_of(""), hash_of("a{}"), hash_of("b{}")}
    for nothing in ("default-src", "object-src", "base-uri", "frame-ancestors"):
        assert allowed[nothing] == ["'none'"], nothing
    for own in ("connect-src", "form-action", "frame-src", "font-src"):
        assert allowed[own] == ["'self'"], own


@pytest.mark.parametrize("weak", ["unsafe-eval", "*", "http:", "https:", "wasm-unsafe-eval", "strict-dynamic"])
def test_a_page_has_no_weak_word(built: Path, weak: str) -> None:
    words = [word.strip("'") for values in directives(headers.page_policy(PAGE)).values() for word in values]
    assert weak not in words
    assert [d for d, v in directives(headers.page_policy(PAGE)).items() if "'unsafe-inline'" in v] == ["style-src-attr"]


def test_built_files_carry_the_policy_of_their_kind(built: Path) -> None:
    files = BuiltFiles(lambda *_: None, built).files  # type: ignore[arg-type, return-value]
    assert files["/login"].policy == headers.page_policy(PAGE)
    assert files["/portal.css"].policy == headers.FILE


def test_a_page_that_is_no_built_file_has_the_policy_of_the_shell(built: Path) -> None:
    async def reflex(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 404, "headers": [(b"content-type", b"text/html")]})

    told = _answered(reflex)
    allowed = directives(told["content-security-policy"])
    assert allowed["script-src"] == ["'self'", hash_of("shell()")]
    assert told["x-frame-options"] == "DENY"
    assert "camera=()" in told["permissions-policy"]


def test_what_an_answer_says_itself_stands(built: Path) -> None:
    async def own(_scope: Any, _receive: Any, send: Any) -> None:
        given = [(b"Content-Security-Policy", b"sandbox"), (b"Cache-Control", b"max-age=5")]
        await send({"type": "http.response.start", "status": 200, "headers": given})

    told = _answered(own)
    assert told["content-security-policy"] == "sandbox"
    assert told["cache-control"] == "max-age=5"


def _answered(app: Any) -> dict[str, str]:
    """The headers of the app's answer, each there once."""
    found: list[tuple[str, str]] = []

    async def take(message: Any) -> None:
        found.extend((name.decode().lower(), value.decode()) for name, value in message["headers"])

    scope = {"type": "http", "scheme": "http", "path": "/", "headers": []}
    coroutine = app(scope, None, headers.with_headers(scope, take))
    with pytest.raises(StopIteration):
        coroutine.send(None)
    assert len(dict(found)) == len(found)
    return dict(found)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/healthz", 200),
        ("GET", "/readyz", 200),
        ("GET", "/api/docs", 200),
        ("GET", "/api/openapi.json", 200),
        ("POST", "/api/v1/backup-runs", 401),
        ("GET", "/nothing", 404),
        ("GET", "/accounts/import/template.csv", 303),
        ("POST", "/auth/session", 403),
        ("TRACE", "/", 405),
        ("GET", "/_event/?EIO=4&transport=polling", 404),
        ("POST", "/_upload", 404),
        ("OPTIONS", "/auth/session", 404),
    ],
)
def test_every_kind_of_answer_carries_them(served: Served, method: str, path: str, status: int) -> None:
    answer = httpx.request(method, served.address + path)
    assert answer.status_code == status
    assert ALWAYS.items() <= dict(answer.headers).items()
    assert answer.headers["referrer-policy"] in ("same-origin", "no-referrer")
    policy = directives(answer.headers["content-security-policy"])
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == ["'none'"]
    assert answer.headers["cache-control"] == "no-store"
    assert "strict-transport-security" not in answer.headers
    assert len(answer.headers.get_list("content-security-policy")) == 1


def test_on_https_browsers_are_told_to_stay_there(send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTAL_TRUSTED_PROXIES", "10.0.0.1")
    reset_settings()
    forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "198.51.100.9"}
    told = send("GET", "/healthz", peer="10.0.0.1", headers=forwarded).headers["strict-transport-security"]
    assert told == "max-age=63072000; includeSubDomains"
    assert "strict-transport-security" not in send("GET", "/healthz", peer="10.0.0.2", headers=forwarded).headers


@pytest.mark.parametrize("method", ["TRACE", "TRACK", "CONNECT", "PROPFIND", "X"])
def test_an_odd_method_is_refused(send: Send, method: str) -> None:
    assert send(method, "/healthz").status_code == 405


def test_a_page_of_another_site_reads_no_answer(served: Served) -> None:
    for origin in ("http://localhost", "http://localhost:3000", "https://evil.example", "null"):
        asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        for method in ("GET", "OPTIONS"):
            for path in ("/healthz", "/ping", "/api/docs", "/auth/session", "/readyz"):
                answer = httpx.request(method, served.address + path, headers=asked)
                assert not [name for name in answer.headers if name.startswith("access-control")], (path, method)


@pytest.mark.parametrize("path", ["/_event/?EIO=4&transport=polling", "/_event?EIO=4&transport=polling&sid=x"])
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_the_socket_can_not_be_polled(served: Served, path: str, method: str) -> None:
    for asked in ({}, {"Origin": served.address}, {"Origin": "https://evil.example"}):
        assert httpx.request(method, served.address + path, headers=asked).status_code == 404


@pytest.mark.parametrize("path", ["/auth/session", "/auth/sign-out", "/healthz", "/nothing"])
@pytest.mark.parametrize("length", [str(limits.LARGEST_BODY + 1), "9" * 18, "9" * 30])
def test_a_body_that_says_it_is_too_large_is_not_read(send: Send, path: str, length: str) -> None:
    own = {"Sec-Fetch-Site": "same-origin", "Content-Length": length}
    assert send("POST", path, content=b"x", headers=own).status_code == 413


def test_a_body_that_does_not_say_so_is_cut(served: Served) -> None:
    """In chunks, to a route that reads forms."""

    def chunks() -> Iterator[bytes]:
        yield b"ticket="
        for _ in range(200):
            yield b"x" * 1024

    own = {"Sec-Fetch-Site": "same-origin", "Content-Type": "application/x-www-form-urlencoded"}
    answer = httpx.post(f"{served.address}/auth/session", content=chunks(), headers=own)
    assert answer.status_code == 413
    assert "Traceback" not in served.said()


def test_a_body_that_comes_too_slowly_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never() -> Any:
        await asyncio.Event().wait()

    monkeypatch.setattr(limits, "SECONDS_TO_SEND", 0.01)

    async def run() -> int:
        receive = limits.in_time({"path": "/auth/session"}, never)
        try:
            await receive()
        except limits.HTTPException as refusal:
            return refusal.status_code
        return 0

    assert asyncio.run(run()) == 408


def test_a_header_without_end_is_cut(served: Served) -> None:
    with closing(socket.create_connection(("127.0.0.1", served.port), timeout=10)) as raw:
        try:
            raw.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + b"X-Long: " + b"x" * 1_000_000)
            raw.sendall(b"\r\n\r\n")
            answer = raw.recv(100)
        except (BrokenPipeError, ConnectionResetError):
            answer = b""
    assert b" 200 " not in answer
    assert httpx.get(f"{served.address}/healthz").status_code == 200


def test_a_request_that_is_two_is_not_answered_twice(served: Served) -> None:
    """Whose length is told in two ways: what follows it must not count as a request of its own."""
    smuggled = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    sent = b"POST /auth/session HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    with closing(socket.create_connection(("127.0.0.1", served.port), timeout=10)) as raw:
        raw.sendall(sent.replace(b"0\r\n\r\n", b"%x\r\n%b\r\n0\r\n\r\n" % (len(smuggled), smuggled)))
        answer = http.client.HTTPResponse(raw)
        answer.begin()
        assert answer.status in (400, 403)
        answer.read()
        raw.settimeout(1)
        with pytest.raises((TimeoutError, ConnectionError, AssertionError)):
            assert raw.recv(10)


class TestSockets:
    """How many may stand: a server of its own takes three from one address."""

    @pytest.fixture(scope="class")
    @staticmethod
    def few(migrated: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
        with serve(migrated, tmp_path_factory.mktemp("few"), PORTAL_SOCKETS_PER_ADDRESS="3") as made:
            yield made

    def test_one_too_many_is_refused_and_a_closed_one_makes_room(self, few: Served) -> None:
        with few.here():
            cookie = cookie_of(few.cast.alice)
        with Raw(few, cookie), Raw(few), Raw(few) as last:
            with pytest.raises(simple_websocket.ConnectionError):
                Raw(few, cookie)
            assert httpx.get(f"{few.address}/healthz").status_code == 200
            last.close()
            _until_taken(few)
        assert "was refused" in few.said()

    def test_refused_ones_do_not_count(self, few: Served) -> None:
        for _ in range(10):
            with pytest.raises(simple_websocket.ConnectionError):
                Raw(few, Origin="https://evil.example")
        _until_taken(few)


def _until_taken(few: Served) -> None:
    for _ in range(200):
        try:
            Raw(few).close()
        except simple_websocket.ConnectionError:
            continue
        return
    raise AssertionError("no socket is taken any more")


def test_all_together_are_limited_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTAL_SOCKETS", "2")
    reset_settings()
    sockets = limits.Sockets()
    with sockets.one({"client": ("a", 1)}) as first, sockets.one({"client": ("b", 1)}) as second:
        assert first
        assert second
        with sockets.one({"client": ("c", 1)}) as third:
            assert not third
    assert not sockets.open


@pytest.mark.usefixtures("database")
def test_outside_a_demo_the_outbox_is_no_page(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (built / "outbox").mkdir()
    (built / "outbox" / "index.html").write_text(PAGE)
    app = BuiltFiles(lambda *_: None, built)  # type: ignore[arg-type, return-value]

    async def ask(path: str, **headers: str) -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://portal.example") as client:
            return await client.get(path, headers=headers)

    for demo, status in (("1", 200), ("0", 404)):
        monkeypatch.setenv("PORTAL_DEMO", demo)
        reset_settings()
        etag = asyncio.run(ask("/login")).headers["etag"]
        answer = asyncio.run(ask("/outbox", **({"If-None-Match": etag} if status == 404 else {})))
        assert (answer.status_code, answer.text) == (status, PAGE)
