"""A client of the API over the test's own database, and the cast of the backups tests."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from portal_app import db
from portal_app.api import throttle
from portal_app.api.app import alone
from portal_app.auth import tokens
from portal_app.auth.actor import system
from portal_app.auth.permissions import Permission
from tests.backups.conftest import Cast, make_cast

URL = "/api/v1/backup-runs"


@pytest.fixture
def cast(database: Path) -> Cast:
    return db.write(make_cast)


class Client:
    """Sends requests straight into an app. An error inside becomes a response, as a browser would get it."""

    def __init__(self, app: Any) -> None:
        self.app = app

    def get(self, path: str, **given: Any) -> httpx.Response:
        return asyncio.run(self._send("GET", path, given))

    def post(self, path: str, **given: Any) -> httpx.Response:
        return asyncio.run(self._send("POST", path, given))

    def send(self, method: str, path: str, **given: Any) -> httpx.Response:
        return asyncio.run(self._send(method, path, given))

    async def _send(self, method: str, path: str, given: dict[str, Any]) -> httpx.Response:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://portal.test") as client:
            return await client.request(method, path, **given)


@pytest.fixture
def client() -> Client:
    throttle.reset()
    return Client(alone)


@pytest.fixture
def token(cast: Cast) -> str:
    return new_token(cast.partner_id)


def new_token(partner_id: int, *permissions: Permission, **given: object) -> str:
    """A token of the partner; it may run backups unless told otherwise."""
    chosen = permissions or (Permission.BACKUPS_RUN,)
    return db.write(tokens.create_token, system(), partner_id, "Engine", chosen, **given)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
