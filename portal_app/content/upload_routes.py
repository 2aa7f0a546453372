"""The upload of a file for a page of content."""

import anyio.to_thread
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from portal_app import db
from portal_app.auth import guard
from portal_app.auth.routes import HEADERS, actor_of, from_here
from portal_app.content import service, uploads
from portal_app.errors import Denied, Invalid, PortalError

UPLOAD = "/operator/content/files"
# Beside the file: the boundaries and the headers of the form's parts.
LARGEST_BODY = uploads.MOST_BYTES + 8_192
TOO_LARGE = f"The file is too large: {uploads.MOST_BYTES // 1_000_000} MB at most."
# One at a time holds a whole file in memory.
_ONE = anyio.CapacityLimiter(1)


@guard.operators()
async def upload(request: Request) -> Response:
    """POST /operator/content/files/7: keeps the file; answers with what is wrong with it, or nothing."""
    if not from_here(request):
        return _said("This form was sent from another site.", 403)
    try:
        actor = await actor_of(request, upload)
        number = request.path_params["page"]
        page_id = int(number) if number.isascii() and number.isdecimal() and len(number) < 12 else 0
        async with _ONE:
            name, data = await _file(request)
            await db.work(service.put_file, actor, page_id, name, data)
    except Denied as refusal:
        return _said(refusal.sentence, 403)
    except PortalError as refusal:
        return _said(refusal.sentence, 422)
    return _said("", 200)


def _said(sentence: str, status: int) -> Response:
    return PlainTextResponse(sentence, status, headers=HEADERS)


async def _file(request: Request) -> tuple[str, bytes]:
    """The name and the bytes of the form's file. Raises Invalid."""
    length = request.headers.get("content-length", "")
    if not (length.isascii() and length.isdecimal() and len(length) < 12 and int(length) <= LARGEST_BODY):
        raise Invalid(TOO_LARGE)
    seen = 0

    async def stream():
        nonlocal seen
        async for chunk in request.stream():
            seen += len(chunk)
            if seen > LARGEST_BODY:
                raise Invalid(TOO_LARGE)
            yield chunk

    try:
        form = await MultiPartParser(Headers(scope=request.scope), stream(), max_files=1, max_fields=1).parse()
    except (MultiPartException, ClientDisconnect, KeyError, ValueError):
        raise Invalid("The file did not arrive whole. Please try again.") from None
    try:
        given = form.get("file")
        if not isinstance(given, UploadFile) or not given.filename:
            raise Invalid("Choose a file.")
        return given.filename, await given.read()
    finally:
        await form.close()


routes = [Route(f"{UPLOAD}/{{page}}", upload, methods=["POST"])]
