"""What stands between the network and Reflex: proxies, origins, headers, unknown events, health."""

import logging
import re
import time
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import reflex as rx
from granian.utils.proxies import wrap_asgi_with_proxy_headers
from reflex_base.constants import CompileVars
from reflex_base.registry import RegistrationContext
from socketio import packet
from socketio.exceptions import ConnectionRefusedError
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from portal_app import build, metrics
from portal_app.auth import guard
from portal_app.auth.actor import Origin
from portal_app.auth.routes import host_of
from portal_app.settings import settings
from portal_app.shell import headers, limits, observed, outages
from portal_app.shell.built import BuiltFiles
from portal_app.shell.moving import Tabs

log = logging.getLogger("portal.http")
EVENTS_A_SECOND, EVENTS_AT_ONCE = 40.0, 120
# In bytes; the largest form of a page is far smaller.
LARGEST_MESSAGE = 200_000
LONGEST_PATH = 4_000
DEEPEST = 12
# What a tab names itself: made by the page or, for a second tab, by the server.
TAB = re.compile(r"[0-9A-Za-z-]{16,64}")
# Half surrogate pairs have no bytes, and PostgreSQL takes no NUL.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
# No database takes a NUL. As another control character it comes through, and the field says what is wrong with it.
_NUL = "\\u0000"
_NUL_SENT = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")


class Edge:
    """What every request passes first: refuses what no page of the portal sends, adds headers to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.sockets = limits.Sockets()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            return await self._socket(scope, receive, send)
        if scope["type"] == "http":
            with observed.request(scope, headers.with_headers(scope, send)) as answer:
                if refusal := _refusal(scope):
                    return await refusal(scope, receive, answer)
                return await self.app(scope, limits.in_time(scope, receive), answer)
        return await self.app(scope, receive, send)

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self.sockets.one(scope) as may_stand:
            if may_stand and _same_site(scope):
                with metrics.socket():
                    return await self.app(scope, receive, send)
            return await send({"type": "websocket.close", "code": 1008})


def _refusal(scope: Scope) -> Response | None:
    if scope["method"] not in limits.METHODS:
        return PlainTextResponse("There is no such method.", 405, {"Allow": ", ".join(sorted(limits.METHODS))})
    # Pages open the socket without polling first, and upload at addresses of the portal's own; a file whose name begins
    # with a dot is never one of theirs. Of a NUL no row can be named.
    if scope["path"].startswith(("/_upload", "/_event")) or "/." in scope["path"] or "\0" in scope["path"]:
        return PlainTextResponse("Not found", 404)
    return PlainTextResponse("The request is too large.", 413) if limits.is_too_large(scope) else None


def outermost(app: ASGIApp) -> ASGIApp:
    """The portal as the network sees it. Forwarded headers count only from the configured proxies."""
    guarded: ASGIApp = Edge(BuiltFiles(app, build.CLIENT))
    proxies = [form for proxy in settings().trusted_proxies for form in _forms(proxy)]
    return wrap_asgi_with_proxy_headers(guarded, trusted_hosts=proxies) if proxies else guarded


def _forms(proxy: str) -> list[str]:
    """A server that listens on IPv6 sees an IPv4 peer in the clothes of IPv6."""
    found = ip_network(proxy)
    mapped = f"::ffff:{found.network_address}/{found.prefixlen + 96}"
    return [proxy, mapped] if found.version == 4 else [proxy]


def _same_site(scope: Scope) -> bool:
    sent = {key: value.decode("latin-1") for key, value in scope["headers"]}
    origin = sent.get(b"origin")
    if origin is None or origin in settings().origins:
        # Only browsers send it, and they always do: a program without it has no cookie of anybody's.
        return True
    return host_of(origin) == sent.get(b"host")


def harden(app: rx.App, tabs: Tabs) -> None:
    """Let in only what a page sends, and only so much of it, before Reflex takes it.

    Of an unknown event Reflex logs all, the cookie too. These are internals of Reflex 0.10.1 and python-socketio 5;
    tests/security holds each of them.
    """
    # The socket server can only compare with a fixed list; Edge compares with the very host that was asked for.
    server: Any = app.sio
    server.eio.cors_allowed_origins = []
    server.eio.max_http_buffer_size = LARGEST_MESSAGE
    # One origin serves all. Reflex would have pages of others read answers, and would answer them before Edge.
    rx.App._add_cors = staticmethod(lambda _api: None)
    inner: Any = app._api
    inner.user_middleware = [one for one in inner.user_middleware if one.cls is not CORSMiddleware]
    _let_in(server)
    _link(app, tabs)


def _let_in(server: Any) -> None:
    """Looks at each message before the socket server does; what no page sends, or too much of it, is dropped."""
    handle = server.eio.handlers["message"]

    async def on_message(socket: str, data: Any) -> None:
        environ = server.environ.get(socket)
        if environ is None:
            return
        if isinstance(data, str) and _NUL in data:
            data = _NUL_SENT.sub(r"\1\\u0001", data)
        bucket = environ.setdefault("portal.bucket", Bucket())
        if bucket.take() and _is_packet(server, data):
            await handle(socket, data)
        elif not bucket.told:
            bucket.told = True
            log.warning("a socket from %s sends what no page sends, or too much", environ.get("REMOTE_ADDR"))

    server.eio.on("message", on_message)


def _is_packet(server: Any, data: Any) -> bool:
    """Whether it is one of the few messages that pages send.

    The socket server would call `on_<name>` for any name that comes: `connect`, with a forged address and cookie.
    """
    try:
        found = server.packet_class(encoded_packet=data) if isinstance(data, str) else None
    except (ValueError, IndexError, RecursionError):
        return False
    if found is None or found.packet_type != packet.EVENT:
        return found is not None and found.packet_type in {packet.CONNECT, packet.DISCONNECT}
    return _is_message(found.data, RegistrationContext.get().event_handlers)


def _link(app: rx.App, tabs: Tabs) -> None:
    """Links a socket to the state that it asks for only if that is its own; else to a new one."""
    namespace: Any = app.event_namespace
    connect = namespace.on_connect

    async def on_connect(sid: str, environ: dict[str, Any], auth: Any = None) -> None:
        tab = parse_qs(environ.get("QUERY_STRING", "")).get("token", [""])[0]
        if not TAB.fullmatch(tab):
            raise ConnectionRefusedError("Please load the page again.")
        try:
            await tabs.take(tab)
            if not await _may_take(app, tab, environ):
                tab = str(uuid4())
                await namespace.emit("new_token", tab, to=sid)
            await connect(sid, environ | {"QUERY_STRING": f"token={tab}"}, _boot(auth))
        except Exception as fault:
            if not outages.is_outage(fault):
                raise
            # A page that hears nothing waits for ever; one that is refused tries again until it may.
            raise ConnectionRefusedError("Please wait a moment.") from None

    namespace.on_connect = on_connect


async def _may_take(app: rx.App, tab: str, environ: dict[str, Any]) -> bool:
    try:
        return await guard.may_take(app, tab, _cookies(environ), _origin(environ))
    except Exception as fault:
        if outages.is_outage(fault):
            raise
        # With a state of its own it can ask for something, and is told then.
        log.exception("a page's state could not be looked at")
        return False


def _boot(auth: Any) -> Any:
    """The event that a page sends while it connects, if it is one."""
    known = RegistrationContext.get().event_handlers
    event = auth.get(CompileVars.CONNECT_AUTH_EVENT) if isinstance(auth, dict) else None
    if event is not None and not _is_event(event, known):
        raise ConnectionRefusedError("Please load the page again.")
    return auth


def _cookies(environ: dict[str, Any]) -> str:
    sent = environ.get("asgi.scope", {}).get("headers", ())
    return "; ".join(value.decode("latin-1") for key, value in sent if key == b"cookie")


def _origin(environ: dict[str, Any]) -> Origin:
    client = environ.get("asgi.scope", {}).get("client")
    return Origin(client[0] if client else "")


@dataclass(slots=True)
class Bucket:
    """What a socket may still send: fills evenly, holds a burst."""

    tokens: float = EVENTS_AT_ONCE
    then: float = field(default_factory=time.monotonic)
    told: bool = False

    def take(self) -> bool:
        """Whether one more may pass now."""
        now = time.monotonic()
        filled = min(EVENTS_AT_ONCE, self.tokens + (now - self.then) * EVENTS_A_SECOND)
        self.then, self.tokens = now, max(0.0, filled - 1)
        return filled >= 1


def _is_message(data: Any, known: Any) -> bool:
    match data:
        case ["event", event]:
            return _is_event(event, known)
        case ["client_error", dict() as report]:
            return is_plain(report)
    return data == ["ping"]


def _is_event(data: Any, known: Any) -> bool:
    return (
        isinstance(data, dict)
        and isinstance(data.get("name"), str)
        and data["name"] in known
        and isinstance(data.get("payload", {}), dict)
        and is_plain(data)
        and _is_place(data.get("router_data", {}))
    )


def _is_place(router_data: Any) -> bool:
    """Whether it says where a page is, in the way pages do."""
    if not isinstance(router_data, dict):
        return False
    query = router_data.get("query", {})
    return (
        isinstance(query, dict)
        and all(isinstance(value, (str, list)) for value in query.values())
        and all(_is_path(router_data.get(name, "/")) for name in ("pathname", "asPath"))
    )


def _is_path(value: Any) -> bool:
    if not isinstance(value, str) or not value.startswith("/") or len(value) > LONGEST_PATH or "%00" in value:
        return False
    try:
        urlsplit(value)
    except ValueError:
        return False
    return True


def is_plain(value: Any, depth: int = DEEPEST) -> bool:
    """Whether it is JSON of modest depth whose texts every database takes."""
    if isinstance(value, str):
        return not _UNSTORABLE.search(value)
    if isinstance(value, dict | list):
        inner = [*value, *value.values()] if isinstance(value, dict) else value
        return depth > 0 and all(is_plain(one, depth - 1) for one in inner)
    return value is None or isinstance(value, bool | int | float)
