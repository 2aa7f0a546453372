"""Refuses bodies that are too large, by what is declared and by what really comes."""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from portal_app.api.problems import ProblemResponse, Refusal

MOST_BYTES = 64 * 1024
_TOO_LARGE = f"The body is larger than {MOST_BYTES // 1024} kB."


class BodyLimit:
    """Middleware. FastAPI's own `max_body_size` answers in plain text, not with a problem."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            if _declared(scope) > MOST_BYTES:
                return await ProblemResponse(413, _TOO_LARGE)(scope, receive, send)
            receive = _counted(receive)
        return await self.app(scope, receive, send)


def _declared(scope: Scope) -> int:
    length = Headers(scope=scope).get("content-length", "0")
    return int(length) if length.isdecimal() and len(length) < 19 else MOST_BYTES + 1


def _counted(receive: Receive) -> Receive:
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > MOST_BYTES:
            raise Refusal(413, _TOO_LARGE)
        return message

    return counted
