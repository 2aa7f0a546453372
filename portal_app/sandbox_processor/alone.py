"""The sandbox as a service of its own; its books are in the data folder, its messages go by HTTP."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache

import httpx
from anyio.to_thread import run_sync
from starlette.applications import Starlette

from portal_app.sandbox_processor import signing
from portal_app.sandbox_processor.app import Processor
from portal_app.sandbox_processor.ledger import FILE, Ledger
from portal_app.settings import settings

SECONDS = 10.0
PAUSE_SECONDS = 5.0


@cache
def _books() -> Ledger:
    settings().data_dir.mkdir(parents=True, exist_ok=True)
    return Ledger(settings().data_dir / FILE)


def _secret() -> bytes:
    return hashlib.sha256(b"sandbox processor:" + settings().sandbox_secret.get_secret_value().encode()).digest()


def _tell(url: str, body: bytes, signature: str) -> bool:
    try:
        return httpx.post(url, content=body, headers={signing.HEADER: signature}, timeout=SECONDS).is_success
    except httpx.HTTPError:
        return False


_processor = Processor(_books, _secret, _tell)


@asynccontextmanager
async def _telling(_app: Starlette) -> AsyncIterator[None]:
    """What a shop did not take is told again."""

    async def again() -> None:
        while True:
            await asyncio.sleep(PAUSE_SECONDS)
            await run_sync(_processor.tell_all)

    task = asyncio.create_task(again())
    yield
    task.cancel()


app = Starlette(routes=_processor.routes(lambda endpoint: endpoint), lifespan=_telling)
