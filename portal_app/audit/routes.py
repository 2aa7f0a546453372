"""The audit as a file."""

from collections.abc import AsyncIterator, Awaitable, Callable

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from portal_app import clock, db
from portal_app.audit import reading
from portal_app.audit.query import OPERATOR_PATH, PATH, AuditQuery
from portal_app.auth import guard
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.auth.routes import actor_of
from portal_app.errors import Denied, NotFound

_HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
Handler = Callable[[Request], Awaitable[Response]]
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# From a page of another site, or of a neighbour on the same domain, nobody starts a download here.
_FROM_HERE = frozenset({None, "same-origin", "none"})


@guard.requires(Permission.AUDIT_VIEW)
async def export(request: Request) -> Response:
    """GET /security-audit/export.csv?…: all that the page's filters find, the newest first."""
    return await _export(request, export, PATH)


@guard.operators()
async def export_for_operators(request: Request) -> Response:
    """GET /operator/audit/export.csv?…: the same of the provider's own audit, or of a partner's."""
    return await _export(request, export_for_operators, OPERATOR_PATH)


async def _export(request: Request, route: Handler, path: str) -> Response:
    if request.headers.get("sec-fetch-site") not in _FROM_HERE:
        return RedirectResponse(path, 303, headers=_HEADERS)
    try:
        actor = await actor_of(request, route)
    except Denied:
        return RedirectResponse(path, 303, headers=_HEADERS)
    query = AuditQuery.from_address(dict(request.query_params), path)
    try:
        begun = await db.work(reading.begin_export, actor, query)
    except NotFound:
        return RedirectResponse(path, 303, headers=_HEADERS)
    name = f"security-audit-{clock.today():%Y-%m-%d}.csv"
    headers = _HEADERS | {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(
        _parts(request, route, actor, begun), headers=headers, media_type="text/csv; charset=utf-8"
    )


async def _parts(request: Request, route: Handler, actor: Actor, begun: reading.Export) -> AsyncIterator[bytes]:
    """Part by part, each read when the one before was taken; who loses the right meanwhile gets no more."""
    yield _BYTE_ORDER_MARK + ",".join(reading.HEADER).encode() + b"\r\n"
    last = None
    while rows := await db.look(reading.export_part, actor, begun, last):
        yield await anyio.to_thread.run_sync(reading.as_csv, rows, actor.time_zone)
        last = rows[-1]
        actor = await actor_of(request, route)


routes = [
    Route(f"{PATH}/export.csv", export, methods=["GET"]),
    Route(f"{OPERATOR_PATH}/export.csv", export_for_operators, methods=["GET"]),
]
