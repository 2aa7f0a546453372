"""Bills to download. The address is in mails: who isn't signed in yet sees the bill afterwards."""

from collections.abc import Callable
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from portal_app import db
from portal_app.auth import guard, sessions
from portal_app.auth.actor import ActorKind
from portal_app.auth.permissions import Permission
from portal_app.auth.routes import HEADERS, actor_of, origin_of
from portal_app.billing import document_reading, downloads
from portal_app.billing.access import NO_SUCH_BILL
from portal_app.billing.bill_query import BillList, BillQuery
from portal_app.errors import Denied, NotFound
from portal_app.models import BillKind, BillState

# Longer is no number of a bill, and no number for a database.
_MOST_DIGITS = 18


@guard.requires(Permission.BILLING_VIEW)
async def download(request: Request) -> Response:
    """GET /billing/bills/41197.pdf and .csv."""
    return await _answer(request, download)


@guard.operators()
async def download_any(request: Request) -> Response:
    """GET /operator/bills/41197.pdf and .csv: of every partner, and in that partner's audit."""
    return await _answer(request, download_any)


@guard.requires(Permission.BILLING_VIEW)
async def show(request: Request) -> Response:
    """GET /billing/bills/41197: leads to the list that the bill is in."""
    number = request.path_params["number"]
    try:
        actor = await actor_of(request, show)
        found = await db.look(document_reading.document, actor, _number(number), "")
    except Denied:
        return await _sent_on(request)
    except NotFound:
        return _nothing()
    unpaid = found.bill.state == BillState.OPEN and found.bill.kind != BillKind.CREDIT_NOTE
    target = BillQuery(BillList.UNPAID if unpaid else BillList.HISTORY, search=number).address()
    return RedirectResponse(target, 303, headers=HEADERS)


async def _answer(request: Request, handler: Callable) -> Response:
    try:
        actor = await actor_of(request, handler)
    except Denied:
        return await _sent_on(request)
    ending = request.path_params["ending"]
    if ending not in downloads.MEDIA:
        return _nothing()
    try:
        number = _number(request.path_params["number"])
        # Only what is audited has something to write.
        read = db.work if actor.kind == ActorKind.OPERATOR else db.look
        found = await read(document_reading.document, actor, number, ending.upper())
    except NotFound:
        return _nothing()
    file = await downloads.made(found, ending)
    return Response(file.content, media_type=file.media, headers=HEADERS | file.headers)


async def _sent_on(request: Request) -> Response:
    """Whoever is signed in but may not sees why on the page; others sign in first."""
    token = sessions.token_in(request.headers.get("cookie"))
    found = await db.look(sessions.identify, token, origin_of(request))
    # A file would leave the sign-in page standing: a page that shows the bill comes next.
    page = request.url.path.rpartition(".")[0] or request.url.path
    target = BillList.HISTORY if found.signed_in else f"/login?next={quote(page, safe='')}"
    return RedirectResponse(target, 303, headers=HEADERS)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS):
        raise NotFound(NO_SUCH_BILL)
    return int(text)


def _nothing() -> Response:
    return PlainTextResponse(NO_SUCH_BILL, 404, headers=HEADERS)


routes = [
    # Before the shorter one, which would take the ending for a part of the number.
    Route("/billing/bills/{number}.{ending}", download, methods=["GET"]),
    Route("/billing/bills/{number}", show, methods=["GET"]),
    Route("/operator/bills/{number}.{ending}", download_any, methods=["GET"]),
]
