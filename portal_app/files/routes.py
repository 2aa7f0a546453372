"""Files that the portal made, to download. The address is in mails and on pages: who isn't signed in signs in first."""

import anyio.to_thread
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from portal_app import db
from portal_app.audit.service import record
from portal_app.audit.tags import Activity
from portal_app.auth import guard
from portal_app.auth.actor import Actor
from portal_app.auth.routes import HEADERS, actor_of
from portal_app.errors import Denied, NotFound
from portal_app.files import service as files
from portal_app.models import Account, StoredFile

# Longer is no number for a database.
_MOST_DIGITS = 18


@guard.signed_in()
async def download(request: Request) -> Response:
    """GET /files/7: the file, if its permission and its account are the person's; each fetching is audited."""
    try:
        actor = await actor_of(request, download)
    except Denied:
        return RedirectResponse(f"/login?next={request.url.path}", 303, headers=HEADERS)
    try:
        file = await db.work(_fetched, actor, request.path_params["number"], _is_first(request))
    except NotFound as refusal:
        return PlainTextResponse(refusal.sentence, 404, headers=HEADERS)
    place = files.path_of(file)
    if not await anyio.to_thread.run_sync(place.is_file):
        return PlainTextResponse(files.NOT_FOUND, 404, headers=HEADERS)
    return FileResponse(place, filename=file.name, media_type=_media(file.name), headers=HEADERS)


def _fetched(session: Session, actor: Actor, number: str, is_first: bool) -> StoredFile:
    if not (number.isascii() and number.isdecimal() and len(number) <= _MOST_DIGITS):
        raise NotFound(files.NOT_FOUND)
    file = files.find(session, actor, int(number))
    if is_first:
        account = session.get(Account, file.account_id) if file.account_id is not None else None
        about = (account.id, account.name) if account else (None, "")
        told = f"Downloaded {file.name}"
        record(session, actor, Activity.DATA_EXPORT, told, account=about, partner_id=file.partner_id)
    return file


def _is_first(request: Request) -> bool:
    """Whether it isn't the rest of a download that broke off."""
    wanted = request.headers.get("range", "")
    return not wanted or wanted.startswith("bytes=0-")


def _media(name: str) -> str:
    return {"zip": "application/zip", "csv": "text/csv; charset=utf-8"}.get(
        name.rpartition(".")[2], "application/octet-stream"
    )


routes = [Route("/files/{number}", download, methods=["GET"])]
