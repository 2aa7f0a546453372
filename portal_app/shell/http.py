"""What stands between the network and Reflex: proxies, origins, headers, unknown events, health."""

import logging
import re
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs
from uuid import uuid4

import reflex as rx
from reflex_base.constants import CompileVars
from socketio.exceptions import ConnectionRefusedError
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from portal_app import build, metrics
from portal_app.auth import guard
from portal_app.auth.actor import Origin
from portal_app.auth.routes import host_of
from portal_app.later import Later
from portal_app.settings import settings
from portal_app.shell import headers, limits, messages, observed, outages
from portal_app.shell.built import BuiltFiles
from portal_app.shell.closed import Closed
from portal_app.shell.moving import Tabs

if TYPE_CHECKING:
    from granian.utils import proxies
else:
    proxies = Later("granian.utils.proxies")

log = logging.getLogger("portal.http")
# What a tab names itself: made by the page or, for a second tab, by the server.
TAB = re.compile(r"[0-9A-Za-z-]{16,64}")


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
    trusted = [form for proxy in settings().trusted_proxies for form in _forms(proxy)]
    return proxies.wrap_asgi_with_proxy_headers(guarded, trusted_hosts=trusted) if trusted else guarded


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


def harden(app: rx.App, tabs: Tabs, closed: Closed) -> None:
    """Let in only what a page sends, and only so much of it, before Reflex takes it.

    Of an unknown event Reflex logs all, the cookie too. These are internals of Reflex 0.10.1 and python-socketio 5;
    tests/security holds each of them.
    """
    # The socket server can only compare with a fixed list; Edge compares with the very host that was asked for.
    server: Any = app.sio
    server.eio.cors_allowed_origins = []
    server.eio.max_http_buffer_size = messages.LARGEST
    # One origin serves all. Reflex would have pages of others read answers, and would answer them before Edge.
    rx.App._add_cors = staticmethod(lambda _api: None)
    inner: Any = app._api
    inner.user_middleware = [one for one in inner.user_middleware if one.cls is not CORSMiddleware]
    messages.let_in(server)
    messages.write_fast(server)
    _link(app, tabs, closed)


def _link(app: rx.App, tabs: Tabs, closed: Closed) -> None:
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
            closed.note(tab)
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
    event = auth.get(CompileVars.CONNECT_AUTH_EVENT) if isinstance(auth, dict) else None
    if event is not None and not messages.is_event(event):
        raise ConnectionRefusedError("Please load the page again.")
    return auth


def _cookies(environ: dict[str, Any]) -> str:
    sent = environ.get("asgi.scope", {}).get("headers", ())
    return "; ".join(value.decode("latin-1") for key, value in sent if key == b"cookie")


def _origin(environ: dict[str, Any]) -> Origin:
    client = environ.get("asgi.scope", {}).get("client")
    return Origin(client[0] if client else "")
