"""A request that is sent again under its `Idempotency-Key` gets the first one's answer, and does nothing."""

import hashlib
import re
from collections.abc import Awaitable, Callable

from fastapi import Request, Response

from portal_app import db
from portal_app.api.problems import MEDIA_TYPE
from portal_app.auth import repeats
from portal_app.auth.actor import Actor
from portal_app.errors import Invalid

HEADER = "Idempotency-Key"
PARAMETER = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": "A name for this request. Sent again under it within a day, it is done once and answered the same.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 120, "pattern": "^[!-~]+$"},
}
_KEY = re.compile(r"[\x21-\x7e]{1,120}")
_BAD = "The Idempotency-Key can't be taken: use 1 to 120 visible characters without spaces, such as a UUID."


async def once(request: Request, actor: Actor, handle: Callable[[], Awaitable[Response]]) -> Response:
    """The answer of `handle`, or the one that it gave when the same request came before.

    Raises Invalid and Conflict. What failed on our side had no effect: it may come again under its key.
    """
    key = request.headers.get(HEADER)
    if key is None:
        return await handle()
    if not _KEY.fullmatch(key):
        raise Invalid(_BAD)
    found = await db.work(repeats.claim, actor, key, await _hash(request))
    if isinstance(found, repeats.Answered):
        media = "application/json" if found.status < 400 else MEDIA_TYPE
        return Response(found.body, found.status, {"Idempotency-Replayed": "true"}, media)
    response = await handle()
    if response.status_code >= 500:
        await db.work(repeats.let_go, found)
    else:
        await db.work(repeats.keep, found, response.status_code, bytes(response.body).decode())
    return response


async def _hash(request: Request) -> str:
    what = f"{request.method} {request.url.path}?{request.url.query}\n".encode() + await request.body()
    return hashlib.sha256(what).hexdigest()
