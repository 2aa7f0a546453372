"""What an open tab takes of the server's memory, where most of it held nothing.

Internals of Reflex 0.10.1 and uvicorn; tests/running/test_lean_tabs.py holds them.
"""

from typing import Any

from reflex.state import BaseState
from uvicorn.protocols.websockets import websockets_sansio_impl
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory

# 16 kB of each socket instead of 32; a first load grows by 1 kB, clicks by a hundredth.
WINDOW_BITS, SETTINGS = 11, {"memLevel": 4}
_bookkeeping = BaseState._init_bookkeeping


def use() -> None:
    """Have tabs of this process take less."""
    BaseState._init_bookkeeping = _init_bookkeeping
    websockets_sansio_impl.ServerPerMessageDeflateFactory = _deflate  # type: ignore[misc]


def _init_bookkeeping(self: BaseState, parent_state: BaseState | None = None) -> None:
    _bookkeeping(self, parent_state)
    if not self.get_substates():
        # Nearly all of a tab's states have no states below them: one empty set does for all.
        self.dirty_substates = _NONE


_NONE: Any = frozenset()


def _deflate(**given: Any) -> ServerPerMessageDeflateFactory:
    given |= {"server_max_window_bits": WINDOW_BITS, "client_max_window_bits": WINDOW_BITS}
    return ServerPerMessageDeflateFactory(**given | {"compress_settings": SETTINGS})
