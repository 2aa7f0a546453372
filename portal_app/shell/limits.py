"""How much one client may ask of the server: methods, bodies and the time to send them, sockets at once."""

import asyncio
import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope

from portal_app.settings import settings

log = logging.getLogger("portal.http")
METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
# In bytes; the forms that come by HTTP hold a ticket or a few fields.
LARGEST_BODY = 64 * 1024
SECONDS_TO_SEND = 30.0
# An uploaded file comes over a slow line too. These limit the size themselves, and say so in their own way.
_UPLOADS = ("/accounts/import", "/operator/content/files/", "/operator/tickets/files", "/support/tickets/files")
_API = "/api/"
SECONDS_TO_UPLOAD = 600.0


def is_too_large(scope: Scope) -> bool:
    """Whether the request says itself that its body is larger than any that is taken there."""
    length = Headers(scope=scope).get("content-length", "0")
    sized = length.isascii() and length.isdecimal() and len(length) < 19
    return not sized or (not _limits_itself(scope) and int(length) > LARGEST_BODY)


def _limits_itself(scope: Scope) -> bool:
    return scope["path"].startswith((*_UPLOADS, _API))


def in_time(scope: Scope, receive: Receive) -> Receive:
    """Receives the body; one that is too large or comes too slowly ends in an answer that says so."""
    seconds = SECONDS_TO_UPLOAD if scope["path"].startswith(_UPLOADS) else SECONDS_TO_SEND
    ends = asyncio.get_running_loop().time() + seconds
    seen, whole = 0, False

    async def receiving() -> Message:
        nonlocal seen, whole
        if whole:
            return await receive()
        try:
            async with asyncio.timeout_at(ends):
                message = await receive()
        except TimeoutError:
            raise HTTPException(408, "The request came too slowly.") from None
        seen += len(message.get("body", b""))
        whole = not message.get("more_body", False)
        if seen > LARGEST_BODY and not _limits_itself(scope):
            raise HTTPException(413, "The request is too large.")
        return message

    return receiving


class Sockets:
    """Counts the open sockets: of each address, and in all."""

    def __init__(self) -> None:
        self.open: Counter[str] = Counter()

    @contextmanager
    def one(self, scope: Scope) -> Iterator[bool]:
        """Whether one more socket may stand; it counts until the block ends."""
        address = (scope.get("client") or ("",))[0]
        few = self.open[address] < settings().sockets_per_address and self.open.total() < settings().sockets
        if not few:
            log.warning("a socket from %s was refused: %d stand from there", address, self.open[address])
            yield False
            return
        self.open[address] += 1
        try:
            yield True
        finally:
            self.open[address] -= 1
            if not self.open[address]:
                del self.open[address]
