"""What every answer to a token says: how many requests it has left, and that nobody keeps a copy on the way."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from portal_app.api.throttle import Standing


class Headers:
    """Middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def told(message: Message) -> None:
            standing = scope.get("state", {}).get("standing")
            if message["type"] == "http.response.start" and isinstance(standing, Standing):
                MutableHeaders(scope=message).update(standing.headers() | {"Cache-Control": "no-store"})
            await send(message)

        await self.app(scope, receive, told)
