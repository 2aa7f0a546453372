"""Tabs share what holds nothing, and nothing else."""

import asyncio
from typing import Any

from reflex.istate.manager.memory import StateManagerMemory
from reflex.istate.manager.token import BaseStateToken

from portal_app import portal_app
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
