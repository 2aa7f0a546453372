"""What the import needs of plain HTTP: the upload of a file, and files to download."""

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from portal_app import db
from portal_app.accounts import import_csv, import_service
from portal_app.auth import guard
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.auth.routes import actor_of, from_here
from portal_app.errors import Denied, NotFound
from portal_app.upload_form import BadUpload, read_file

PAGE = "/accounts/import"
_HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}


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
        name, content, _ = await read_file(request, import_service.MOST_BYTES)
        job = await db.work(import_service.put, actor, name, content)
    except Denied:
        return _to_page()
    except BadUpload as problem:
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


routes = [
    Route("/accounts/import", upload, methods=["POST"]),
    Route("/accounts/import/template.csv", template),
    Route("/accounts/import/faults.csv", faults),
]
