"""What the import needs of plain HTTP: the upload of a file, and files to download."""

from typing import Any

import anyio.to_thread
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from portal_app import db
from portal_app.accounts import import_csv, import_service
from portal_app.auth import guard
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.auth.routes import actor_of, from_here
from portal_app.errors import Denied, NotFound

PAGE = "/accounts/import"
# Beside the file: the boundaries and the headers of the form's parts.
LARGEST_BODY = import_service.MOST_BYTES + 8_192
# So much of a body that is too large is still read: a browser shows no answer before it has sent all.
READ_IN_VAIN = 20 * import_service.MOST_BYTES

_HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}


class _Problem(Exception):
    """The upload can't be taken; the page shows the sentence of this name."""


def _to_page(**query: str) -> Response:
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    return RedirectResponse(f"{PAGE}?{asked}" if asked else PAGE, 303, headers=_HEADERS)


@guard.requires(Permission.ACCOUNTS_ADD)
async def upload(request: Request) -> Response:
    """POST /accounts/import: keeps the file and leads to the page that checks it."""
    if not from_here(request):
        return _to_page(problem="elsewhere")
    try:
        actor = await actor_of(request, upload)
        name, content = await _file(request)
        job = await db.work(import_service.put, actor, name, content)
    except Denied:
        return _to_page()
    except _Problem as problem:
        return _to_page(problem=str(problem))
    return _to_page(job=job)


@guard.requires(Permission.ACCOUNTS_ADD)
async def template(request: Request) -> Response:
    """GET /accounts/import/template.csv."""
    try:
        await actor_of(request, template)
    except Denied:
        return _to_page()
    return _csv("accounts-template.csv", import_csv.template())


@guard.requires(Permission.ACCOUNTS_ADD)
async def faults(request: Request) -> Response:
    """GET /accounts/import/faults.csv?job=…: all faults of the file as it is now."""
    job = request.query_params.get("job", "")
    try:
        actor = await actor_of(request, faults)
        content = await anyio.to_thread.run_sync(_faults, actor, job, limiter=import_service.ONE_AT_A_TIME)
    except (Denied, NotFound):
        return _to_page(job="unknown")
    return _csv("import-faults.csv", content)


def _faults(actor: Actor, job: str) -> bytes:
    return import_csv.faults_file(import_service.check(actor, job, lambda _share: None).faults)


def _csv(name: str, content: bytes) -> Response:
    headers = _HEADERS | {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type="text/csv; charset=utf-8", headers=headers)


async def _file(request: Request) -> tuple[str, bytes]:
    """The name and the bytes of the form's file."""
    body = await _body(request)
    try:
        form = await MultiPartParser(Headers(scope=request.scope), _once(body), max_files=1, max_fields=2).parse()
    except (MultiPartException, KeyError, ValueError):
        raise _Problem("unreadable") from None
    try:
        given = form.get("file")
        if not isinstance(given, UploadFile) or not given.filename:
            raise _Problem("none")
        content = await given.read()
    finally:
        await form.close()
    if len(content) > import_service.MOST_BYTES:
        raise _Problem("large")
    return given.filename, content


async def _body(request: Request) -> bytearray:
    body, seen = bytearray(), 0
    try:
        async for chunk in request.stream():
            seen += len(chunk)
            if seen <= LARGEST_BODY:
                body += chunk
            elif seen > READ_IN_VAIN:
                break
    except ClientDisconnect:
        raise _Problem("unreadable") from None
    if seen > LARGEST_BODY:
        raise _Problem("large")
    return body


async def _once(body: bytearray) -> Any:
    yield bytes(body)


routes = [
    Route("/accounts/import", upload, methods=["POST"]),
    Route("/accounts/import/template.csv", template),
    Route("/accounts/import/faults.csv", faults),
]
