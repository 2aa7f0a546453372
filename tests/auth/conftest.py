"""The cast, and the portal's HTTP routes without a server."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from portal_app.auth import limiter, routes
from portal_app.shell import health, http
from tests.cast import cast

__all__ = ["cast"]
Send = Callable[..., httpx.Response]


@pytest.fixture(autouse=True)
def _no_attempts_yet() -> Iterator[None]:
    limiter.reset_limits()
    yield
    limiter.reset_limits()


@pytest.fixture
def send(database: Any) -> Send:
    """`send("POST", "/auth/session", …)` through everything that stands before the routes; `peer` is who connects."""

    def sending(method: str, path: str, *, peer: str = "192.0.2.7", **given: Any) -> httpx.Response:
        async def run() -> httpx.Response:
            app = http.outermost(Starlette(routes=[*routes.routes, *health.routes]))
            transport = httpx.ASGITransport(app, client=(peer, 50_000))
            async with httpx.AsyncClient(transport=transport, base_url="http://portal.example") as client:
                return await client.request(method, path, **given)

        return asyncio.run(run())

    return sending
