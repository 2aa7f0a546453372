"""Bills to download. The address is in mails: who isn't signed in yet comes back to it afterwards."""

from collections.abc import Callable
from urllib.parse import quote

import anyio
import anyio.to_thread
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from portal_app import db
from portal_app.auth import guard, sessions
from portal_app.auth.actor import ActorKind
from portal_app.auth.permissions import Permission
from portal_app.auth.routes import HEADERS, actor_of, origin_of
from portal_app.billing import bill_csv, document_reading, documents
from portal_app.billing.document_reading import BillDocument
from portal_app.billing.letters import file_name
from portal_app.errors import Denied, NotFound

_MAKERS: dict[str, tuple[str, Callable[[BillDocument], bytes]]] = {
    "pdf": ("application/pdf", documents.pdf),
    "csv": ("text/csv; charset=utf-8", bill_csv.csv),
}
# Longer is no number of a bill, and no number for a database.
_MOST_DIGITS = 18
# Many at once would take the processor from everybody else.
_AT_ONCE = anyio.CapacityLimiter(2)


@guard.requires(Permission.BILLING_VIEW)
async def download(request: Request) -> Response:
    """GET /billing/bills/41197.pdf and .csv."""
    return await _answer(request, download)


@guard.operators()
async def download_any(request: Request) -> Response:
    """GET /operator/bills/41197.pdf and .csv: of every partner, and in that partner's audit."""
    return await _answer(request, download_any)


async def _answer(request: Request, handler: Callable) -> Response:
    try:
        actor = await actor_of(request, handler)
    except Denied:
        return await _sent_on(request)
    number, ending = request.path_params["number"], request.path_params["ending"]
    media, make = _MAKERS.get(ending, ("", None))
    if make is None or not (number.isascii() and number.isdecimal() and len(number) <= _MOST_DIGITS):
        return _nothing()
    try:
        # Only what is audited has something to write.
        read = db.work if actor.kind == ActorKind.OPERATOR else db.look
        found = await read(document_reading.document, actor, int(number), ending.upper())
    except NotFound:
        return _nothing()
    content = await anyio.to_thread.run_sync(make, found, limiter=_AT_ONCE)
    headers = HEADERS | {"Content-Disposition": f'attachment; filename="{file_name(found.bill)}.{ending}"'}
    return Response(content, media_type=media, headers=headers)


async def _sent_on(request: Request) -> Response:
    """Whoever is signed in but may not sees why on the page; others sign in first."""
    token = sessions.token_in(request.headers.get("cookie"))
    found = await db.look(sessions.identify, token, origin_of(request))
    target = "/billing/history" if found.signed_in else f"/login?next={quote(request.url.path, safe='')}"
    return RedirectResponse(target, 303, headers=HEADERS)


def _nothing() -> Response:
    return PlainTextResponse("There is no such bill.", 404, headers=HEADERS)


routes = [
    Route("/billing/bills/{number}.{ending}", download, methods=["GET"]),
    Route("/operator/bills/{number}.{ending}", download_any, methods=["GET"]),
]
