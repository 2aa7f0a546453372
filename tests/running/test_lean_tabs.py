"""Tabs share what holds nothing, and nothing else; sockets compress with small windows."""

import asyncio
from typing import Any

from reflex.istate.manager.memory import StateManagerMemory
from reflex.istate.manager.token import BaseStateToken
from uvicorn.config import Config
from uvicorn.protocols.websockets import websockets_sansio_impl
from uvicorn.server import ServerState

from portal_app import portal_app
from portal_app.listening import OPTIONS
from portal_app.shell import lean_tabs
from portal_app.shell.state import NoticeState


async def _tabs() -> list[Any]:
    manager = StateManagerMemory()
    roots = [await manager.get_state(BaseStateToken(ident=name, cls=NoticeState)) for name in ("one", "two")]
    await manager.close()
    return roots


def test_a_change_in_one_tab_is_that_tab_s_alone() -> None:
    with portal_app.app.set_contexts():
        one, two = asyncio.run(_tabs())
        notices = [root.get_substate(NoticeState._get_substate_path()) for root in (one, two)]
        assert notices[0].dirty_substates is notices[1].dirty_substates
        notices[0].text = "changed"
        assert one.dirty_substates == {NoticeState.get_name()}
        assert not two.dirty_substates
        assert NoticeState.get_full_name() in one.get_delta()
        one._clean()
        assert not one.get_delta()


def test_a_socket_compresses_with_a_small_window() -> None:
    async def extensions() -> list[Any]:
        config = Config(portal_app.http.outermost, ws=OPTIONS["ws"])
        made = websockets_sansio_impl.WebSocketsSansIOProtocol(config=config, server_state=ServerState(), app_state={})
        return list(made.conn.available_extensions or ())

    [found] = asyncio.run(extensions())
    assert found.server_max_window_bits == lean_tabs.WINDOW_BITS
    assert found.compress_settings == lean_tabs.SETTINGS
