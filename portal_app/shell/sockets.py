"""What a message on an open page's socket costs the server around its handling: to wait for it, and to compress it.

Internals of uvicorn, websockets 17 and engineio 4; tests/running/test_sockets.py holds them.
"""

import asyncio
import zlib
from collections.abc import Awaitable
from types import SimpleNamespace
from typing import Any, TypeVar

from engineio import async_socket
from isal import isal_zlib
from uvicorn.protocols.websockets import websockets_sansio_impl
from websockets.extensions import permessage_deflate

R = TypeVar("R")
# Of what pages send; what they are sent is compressed message by message, and nothing is kept for the next.
WINDOW_BITS = 11
# The fastest that makes rows of a table a sixth of what they were.
SETTINGS = {"level": 1}


def use() -> None:
    """Have sockets of this process take less."""
    websockets_sansio_impl.ServerPerMessageDeflateFactory = _deflate  # type: ignore[misc]
    compressing = {"compressobj": isal_zlib.compressobj}
    permessage_deflate.zlib = SimpleNamespace(**vars(zlib) | compressing)  # type: ignore[assignment]
    async_socket.asyncio = SimpleNamespace(**vars(asyncio) | {"wait_for": _wait_for})


def _deflate(**given: Any) -> permessage_deflate.ServerPerMessageDeflateFactory:
    given |= {"server_no_context_takeover": True, "server_max_window_bits": None, "client_max_window_bits": WINDOW_BITS}
    return permessage_deflate.ServerPerMessageDeflateFactory(**given | {"compress_settings": SETTINGS})


async def _wait_for(awaited: Awaitable[R], timeout: float | None) -> R:  # noqa: ASYNC109 (stands for asyncio's own)
    """As Python 3.12's own, without the task that 3.11 makes for each wait."""
    async with asyncio.timeout(timeout):
        return await awaited
