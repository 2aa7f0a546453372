"""What supervisors, proxies and monitoring ask."""

import asyncio
import hmac
import time
from ipaddress import ip_address

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from portal_app import build, db, metrics, migrations
from portal_app.auth import guard
from portal_app.jobs import standing
from portal_app.settings import settings

_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")
NO_WORKER = "No worker has been seen lately: backups, restores and reports wait."
# The database is asked no more often, however many scrape.
_FRESH_SECONDS = 5.0
_read_at = float("-inf")


@guard.public("tells a supervisor that the process lives")
async def healthz(_request: Request) -> Response:
    """GET /healthz."""
    return JSONResponse({"status": "ok"})


@guard.public("tells a proxy whether to send people here")
async def readyz(_request: Request) -> Response:
    """GET /readyz: database reachable and of the newest shape. A worker that is gone is only told of."""
    ready, gone = await asyncio.to_thread(lambda: (_ready(), standing.is_worker_gone()))
    said = {"status": "ok" if ready else "not ready"} | ({"warnings": [NO_WORKER]} if gone else {})
    return JSONResponse(said, 200 if ready else 503)


@guard.public("for the machine itself, and for who has PORTAL_METRICS_TOKEN")
async def metrics_page(request: Request) -> Response:
    """GET /metrics."""
    if not _may_read(request):
        return PlainTextResponse("Not found", 404)
    await asyncio.to_thread(_refresh)
    return Response(metrics.text(), media_type=metrics.CONTENT_TYPE)


def _may_read(request: Request) -> bool:
    token = settings().metrics_token.get_secret_value()
    given = request.headers.get("authorization", "").removeprefix("Bearer ")
    if token and hmac.compare_digest(given.encode(), token.encode()):
        return True
    # What a proxy on this machine passes on comes from anywhere.
    return _is_here(request) and not any(name in request.headers for name in _FORWARDED)


def _is_here(request: Request) -> bool:
    try:
        return ip_address(request.client.host if request.client else "").is_loopback
    except ValueError:
        return False


def _refresh() -> None:
    global _read_at  # noqa: PLW0603 (one number of the process)
    if time.monotonic() - _read_at < _FRESH_SECONDS:
        return
    _read_at = time.monotonic()
    found = db.read(standing.standing)
    metrics.told(found.jobs, found.mail, found.cycle_at, standing.worker_seen())
    metrics.build_is(build.stamp(), db.engine().dialect.name)


def _ready() -> bool:
    if not db.is_alive():
        return False
    with db.engine().connect() as connection:
        return migrations.is_current(connection)


routes = [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics_page)]
