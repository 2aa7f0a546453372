"""Pictures, videos and downloads of content, whole or in parts."""

import os
from pathlib import Path

import anyio.to_thread
from sqlmodel import Session
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from portal_app import db
from portal_app.auth import guard
from portal_app.auth.actor import Actor, ActorKind
from portal_app.auth.routes import HEADERS, actor_of
from portal_app.content import library
from portal_app.content.media import KEPT, SHOWN
from portal_app.errors import Denied, NotFound
from portal_app.shell import headers

# The viewer of PDFs does not start in a sandbox; nothing in the file runs all the same.
_POLICIES = {".pdf": headers.FILE}


@guard.partners()
async def fetch(request: Request) -> Response:
    """GET /content/{kind}/{slug}/{file}: a file of a page that is published; for operators of a draft, too."""
    try:
        actor = await actor_of(request, fetch)
    except Denied as refusal:
        if refusal.sentence == guard.SIGN_IN:
            return RedirectResponse(f"/login?next={request.url.path}", 303, headers=HEADERS)
        return PlainTextResponse(refusal.sentence, 403, headers=HEADERS)
    try:
        path, known = await anyio.to_thread.run_sync(_placed, actor, request.path_params)
    except NotFound as refusal:
        return PlainTextResponse(refusal.sentence, 404, headers=HEADERS)
    return _answer(request.headers, path, known, request.path_params["file"])


def _placed(actor: Actor, asked: dict[str, str]) -> tuple[Path, os.stat_result]:
    path = db.read(_path, actor, asked)
    try:
        return path, path.stat()
    except OSError:
        raise NotFound(library.NO_FILE) from None


def _path(session: Session, actor: Actor, asked: dict[str, str]) -> Path:
    drafts = actor.kind == ActorKind.OPERATOR
    return library.file(session, asked["kind"], asked["slug"], asked["file"], drafts=drafts)


def _answer(asked: Headers, path: Path, known: os.stat_result, name: str) -> Response:
    ending = Path(name).suffix.lower()
    # Asked for each time whether it still holds: who loses the right loses the file.
    told = {"cache-control": "private, no-cache"}
    if ending in _POLICIES:
        told["content-security-policy"] = _POLICIES[ending]
    answer = FileResponse(
        path,
        headers=told,
        media_type=SHOWN.get(ending) or KEPT.get(ending, "application/octet-stream"),
        filename=name,
        stat_result=known,
        content_disposition_type="inline" if ending in SHOWN else "attachment",
    )
    if asked.get("if-none-match") == answer.headers["etag"]:
        return Response(status_code=304, headers=told | {"etag": answer.headers["etag"]})
    return answer


routes = [Route("/content/{kind}/{slug}/{file}", fetch, methods=["GET"])]
