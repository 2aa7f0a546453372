"""What stands between the network and Reflex: proxies, origins, headers, unknown events, health."""

import asyncio
import logging
import time
from typing import Any
from urllib.parse import urlsplit

import reflex as rx
from granian.utils.proxies import wrap_asgi_with_proxy_headers
from reflex_base.registry import RegistrationContext
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from portal_app import db, migrations
from portal_app.auth import guard
from portal_app.settings import settings

log = logging.getLogger("portal.http")
EVENTS_A_SECOND, EVENTS_AT_ONCE = 40.0, 120
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"strict-origin-when-cross-origin"),
)
_FOR_EVER = b"public, max-age=31536000, immutable"


class Edge:
    """Refuses sockets and uploads that a page of another site opens; adds headers to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self.app(scope, receive, send)
        if scope["path"].startswith(("/_upload", "/_event")) and not _same_site(scope):
            return await _refuse(scope, receive, send)
        if scope["path"].startswith("/_upload"):
            return await PlainTextResponse("Not found", 404)(scope, receive, send)
        return await self.app(scope, receive, _with_headers(scope, send) if scope["type"] == "http" else send)


def outermost(app: ASGIApp) -> ASGIApp:
    """The portal as the network sees it. Forwarded headers count only from the configured proxies."""
    guarded: ASGIApp = Edge(app)
    proxies = list(settings().trusted_proxies)
    return wrap_asgi_with_proxy_headers(guarded, trusted_hosts=proxies) if proxies else guarded


def _same_site(scope: Scope) -> bool:
    headers = {key: value.decode("latin-1") for key, value in scope["headers"]}
    origin = headers.get(b"origin")
    if origin is None or origin in settings().origins:
        # Only browsers send it, and they always do: a program without it has no cookie of anybody's.
        return True
    return urlsplit(origin).netloc == headers.get(b"host")


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
    else:
        await PlainTextResponse("Another site's page may not do this.", 403)(scope, receive, send)


def _with_headers(scope: Scope, send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *_HEADERS]
            if scope["path"].startswith("/assets/") and message["status"] == 200:
                message["headers"].append((b"cache-control", _FOR_EVER))
        await send(message)

    return sending


def harden(app: rx.App) -> None:
    """Drop unknown events and floods before Reflex takes them: of an unknown event it logs all, the cookie too."""
    # The socket server can only compare with a fixed list; Edge compares with the very host that was asked for.
    app.sio.eio.cors_allowed_origins = []
    namespace: Any = app.event_namespace
    handle, leave = namespace.on_event, namespace.on_disconnect
    known = RegistrationContext.get().event_handlers
    buckets: dict[str, tuple[float, float]] = {}

    async def on_event(sid: str, data: Any) -> None:
        tokens, then = buckets.get(sid, (EVENTS_AT_ONCE, time.monotonic()))
        now = time.monotonic()
        tokens = min(EVENTS_AT_ONCE, tokens + (now - then) * EVENTS_A_SECOND)
        buckets[sid] = (max(0.0, tokens - 1), now)
        if tokens >= 1 and _is_event(data, known):
            await handle(sid, data)
        else:
            log.warning("dropped an event of socket %s", sid)

    def on_disconnect(sid: str, *rest: Any) -> Any:
        buckets.pop(sid, None)
        return leave(sid, *rest)

    namespace.on_event, namespace.on_disconnect = on_event, on_disconnect


def _is_event(data: Any, known: Any) -> bool:
    return (
        isinstance(data, dict)
        and isinstance(data.get("name"), str)
        and data["name"] in known
        and isinstance(data.get("payload", {}), dict)
        and isinstance(data.get("router_data", {}), dict)
    )


@guard.public("tells a supervisor that the process lives")
async def healthz(_request: Request) -> Response:
    """GET /healthz."""
    return JSONResponse({"status": "ok"})


@guard.public("tells a proxy whether to send people here")
async def readyz(_request: Request) -> Response:
    """GET /readyz: database reachable and of the newest shape."""
    ready = await asyncio.to_thread(_ready)
    return JSONResponse({"status": "ok" if ready else "not ready"}, 200 if ready else 503)


def _ready() -> bool:
    if not db.is_alive():
        return False
    with db.engine().connect() as connection:
        return migrations.is_current(connection)


routes = [Route("/healthz", healthz), Route("/readyz", readyz)]
