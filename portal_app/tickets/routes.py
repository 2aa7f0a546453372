"""What tickets need of plain HTTP: files that come into a form, and files of messages to download."""

from collections.abc import Awaitable, Callable
from urllib.parse import quote

from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from portal_app import db
from portal_app.audit.service import record
from portal_app.audit.tags import Activity
from portal_app.auth import guard
from portal_app.auth.actor import Actor, ActorKind
from portal_app.auth.permissions import Permission
from portal_app.auth.routes import HEADERS, actor_of, from_here
from portal_app.errors import Denied, Invalid, NotFound
from portal_app.models import TicketFile
from portal_app.tickets import repository, uploads
from portal_app.tickets.kinds import EMPTY, MOST_BYTES, NOT_ITS_KIND, TOO_LARGE, TOO_MANY, WRONG_KIND
from portal_app.upload_form import BadUpload, read_file

NO_FILE = "There is no such file."
# What the page hears that sent a file: a word of these, or a sentence of `kinds`. Nothing of what was sent comes back.
PROBLEMS = {
    "elsewhere": "That file was sent from another site, so it was not taken.",
    "gone": "This ticket is not there any more.",
    "large": TOO_LARGE,
    "none": "Choose a file first.",
    "signed-out": "You may not send files here. Sign in again; what you typed stays.",
    "unreadable": "The file did not arrive whole. Please choose it again.",
}
SENTENCES = frozenset({EMPTY, NOT_ITS_KIND, TOO_LARGE, TOO_MANY, WRONG_KIND})
_MOST_DIGITS = 15
Handler = Callable[[Request], Awaitable[Response]]


@guard.requires(Permission.TICKETS_OPEN)
async def upload(request: Request) -> Response:
    """POST /support/tickets/files: keeps a file in the form of the ticket, or of a new one."""
    return await _upload(request, upload)


@guard.operators()
async def upload_answer(request: Request) -> Response:
    """POST /operator/tickets/files: the same in an operator's form."""
    return await _upload(request, upload_answer)


@guard.requires(Permission.TICKETS_OPEN)
async def download(request: Request) -> Response:
    """GET /support/tickets/files/7: always as a file to save, never shown in a page of the portal."""
    return await _download(request, download)


@guard.operators()
async def download_any(request: Request) -> Response:
    """GET /operator/tickets/files/7: of every partner, and in that partner's audit too."""
    return await _download(request, download_any)


async def _upload(request: Request, handler: Handler) -> Response:
    if not from_here(request):
        return _said("elsewhere", 403)
    try:
        actor = await actor_of(request, handler)
        name, content, fields = await read_file(request, MOST_BYTES)
        await db.work(uploads.put, actor, _number(fields.get("ticket", "")), name, content)
    except Denied:
        return _said("signed-out", 403)
    except NotFound:
        return _said("gone", 404)
    except Invalid as refusal:
        return _said(refusal.fields["files"], 422)
    except BadUpload as problem:
        return _said(str(problem), 422)
    return _said("", 200)


def _said(word: str, status: int) -> Response:
    return PlainTextResponse(word, status, headers=HEADERS)


def problem_of(said: object) -> str:
    """What the page shows of an upload's answer, which came by the browser: a sentence of ours, or none."""
    if not isinstance(said, str) or not said:
        return ""
    return said if said in SENTENCES else PROBLEMS.get(said, PROBLEMS["unreadable"])


async def _download(request: Request, handler: Handler) -> Response:
    try:
        actor = await actor_of(request, handler)
    except Denied:
        return RedirectResponse(f"/login?next={quote(request.url.path, safe='')}", 303, headers=HEADERS)
    try:
        file = await db.work(_fetched, actor, request.path_params["number"])
    except NotFound:
        return PlainTextResponse(NO_FILE, 404, headers=HEADERS)
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.name, safe='')}",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    return Response(file.data, media_type=file.media_type, headers=HEADERS | headers)


def _fetched(session: Session, actor: Actor, number: str) -> TicketFile:
    found = repository.file_with_ticket(session, actor, _number(number))
    if found is None:
        raise NotFound(NO_FILE)
    file, message, ticket = found
    told, about = f"File {file.name} of ticket {ticket.id} downloaded", (ticket.account_id, ticket.account_name)
    record(session, actor, Activity.SUPPORT_TICKET, told, account=about)
    # A note's files are the operators' own; the partner hears of none.
    if actor.kind == ActorKind.OPERATOR and not message.internal:
        record(session, actor, Activity.SUPPORT_TICKET, told, account=about, partner_id=ticket.partner_id)
    return file


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS):
        raise NotFound(NO_FILE)
    return int(text)


routes = [
    Route("/support/tickets/files", upload, methods=["POST"]),
    Route("/support/tickets/files/{number}", download, methods=["GET"]),
    Route("/operator/tickets/files", upload_answer, methods=["POST"]),
    Route("/operator/tickets/files/{number}", download_any, methods=["GET"]),
]
