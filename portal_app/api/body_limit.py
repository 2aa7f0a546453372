"""Refuses bodies that are too large, by what is declared and by what really comes."""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from portal_app.api.problems import ProblemResponse, Refusal

MOST_BYTES = 64 * 1024
# A report may list ten thousand entities: some 200 bytes each, and more with errors in words. Only whoever holds a
# token that may report gets as far as being read.
MOST_OF = {"/v1/backup-runs": 4 * 1024 * 1024}


class BodyLimit:
    """Middleware. FastAPI's own `max_body_size` answers in plain text, not with a problem."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            most = MOST_OF.get(scope["path"].removeprefix(scope.get("root_path", "")), MOST_BYTES)
            if _declared(scope, most) > most:
                return await ProblemResponse(413, _too_large(most))(scope, receive, send)
            receive = _counted(receive, most)
        return await self.app(scope, receive, send)


def _too_large(most: int) -> str:
    return f"The body is larger than {most // 1024:,} kB."


def _declared(scope: Scope, most: int) -> int:
    length = Headers(scope=scope).get("content-length", "0")
    return int(length) if length.isdecimal() and len(length) < 19 else most + 1


def _counted(receive: Receive, most: int) -> Receive:
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > most:
            raise Refusal(413, _too_large(most))
        return message

    return counted
