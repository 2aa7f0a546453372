"""Sockets compress each message by itself, with what zlib understands; a wait ends when it should."""

import asyncio
import zlib
from typing import Any

import pytest
from engineio import async_socket
from uvicorn.config import Config
from uvicorn.protocols.websockets import websockets_sansio_impl
from uvicorn.server import ServerState
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Frame, Opcode

from portal_app import portal_app
from portal_app.listening import OPTIONS
from portal_app.shell import sockets

TEXT = b'42/_event,["event",{"delta":{}}]' * 40


def _extension(*asked: tuple[str, str | None]) -> PerMessageDeflate:
    async def made() -> list[Any]:
        config = Config(portal_app.http.outermost, ws=OPTIONS["ws"])
        socket = websockets_sansio_impl.WebSocketsSansIOProtocol(
            config=config, server_state=ServerState(), app_state={}
        )
        return list(socket.conn.available_extensions or ())

    [factory] = asyncio.run(made())
    answered, extension = factory.process_request_params(asked, [])
    assert ("server_no_context_takeover", None) in answered
    return extension


@pytest.mark.parametrize("bits", [9, 10, 12, 15])
def test_any_window_that_a_browser_asks_for_is_kept(bits: int) -> None:
    extension = _extension(("server_max_window_bits", str(bits)), ("client_max_window_bits", None))
    assert extension.remote_max_window_bits == sockets.WINDOW_BITS
    for _ in range(2):
        sent = bytes(extension.encode(Frame(Opcode.TEXT, TEXT)).data)
        assert len(sent) < len(TEXT) / 4
        # A reader that remembers nothing of the message before.
        assert zlib.decompressobj(wbits=-bits).decompress(sent + b"\x00\x00\xff\xff") == TEXT


def test_nothing_of_a_message_is_kept_for_the_next() -> None:
    assert not hasattr(_extension(), "encoder")


def test_a_wait_ends_with_what_came_or_with_its_time() -> None:
    async def wait() -> None:
        queue: asyncio.Queue[int] = asyncio.Queue()
        queue.put_nowait(1)
        assert await async_socket.asyncio.wait_for(queue.get(), 1) == 1
        with pytest.raises(TimeoutError):
            await async_socket.asyncio.wait_for(queue.get(), 0.01)
        # The one who gave up takes nothing from the next.
        queue.put_nowait(2)
        assert queue.get_nowait() == 2

    asyncio.run(wait())
    assert async_socket.asyncio.wait_for is sockets._wait_for
