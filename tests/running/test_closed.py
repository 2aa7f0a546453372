"""Of closed tabs only so many leave their state in memory; what is open or in hand stays."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, cast

import pytest
import reflex as rx
from reflex.istate.manager.memory import StateManagerMemory
from reflex.istate.manager.token import BaseStateToken

from portal_app import portal_app
from portal_app.shell import closed
from portal_app.shell.moving import Tabs
from portal_app.shell.state import NoticeState


class Names:
    """Reflex's namespace of open pages, as far as a closing socket is concerned."""

    def __init__(self) -> None:
        self.sid_to_token: dict[str, str] = {}

    def on_disconnect(self, sid: str) -> None:
        del self.sid_to_token[sid]


class Few:
    """Pages of a server that keeps the state of two closed tabs."""

    def __init__(self, manager: StateManagerMemory) -> None:
        self.manager, self.names = manager, Names()
        app = SimpleNamespace(event_namespace=self.names, state_manager=manager)
        tabs = SimpleNamespace(has=lambda tab: tab in self.names.sid_to_token.values())
        self.closed = closed.Closed(cast(rx.App, app), cast(Tabs, tabs))

    async def open(self, *tabs: str) -> None:
        for tab in tabs:
            self.names.sid_to_token[f"of {tab}"] = tab
            await self.manager.get_state(_token(tab))

    def close(self, *tabs: str) -> None:
        for tab in tabs:
            self.names.on_disconnect(f"of {tab}")

    def kept(self) -> set[str]:
        return {*self.manager.states}


def _token(tab: str) -> BaseStateToken:
    return BaseStateToken(ident=tab, cls=NoticeState)


@contextmanager
def few(monkeypatch: pytest.MonkeyPatch, seconds: float = 0) -> Iterator[Any]:
    monkeypatch.setattr(closed, "MOST_KEPT", 2)
    monkeypatch.setattr(closed, "SECONDS_TO_RETURN", seconds)
    with portal_app.app.set_contexts():
        yield lambda scene: asyncio.run(_ended(scene))


async def _ended(scene: Any) -> None:
    manager = StateManagerMemory()
    await scene(Few(manager))
    await manager.close()


def test_the_oldest_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene(pages: Few) -> None:
        await pages.open("one", "two", "three", "open")
        pages.close("two", "one", "three")
        assert pages.kept() == {"one", "three", "open"}
        pages.closed.note("refused")
        assert pages.kept() == {"three", "open"}

    with few(monkeypatch) as run:
        run(scene)


def test_a_tab_that_came_back_keeps_its_state(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene(pages: Few) -> None:
        await pages.open("back", "two", "three", "four")
        pages.close("back")
        await pages.open("back")
        pages.close("two", "three", "four")
        assert pages.kept() == {"back", "three", "four"}
        # And is the newest when it goes for good.
        pages.close("back")
        assert pages.kept() == {"back", "four"}

    with few(monkeypatch) as run:
        run(scene)


def test_what_an_event_has_in_hand_stays_until_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene(pages: Few) -> None:
        await pages.open("busy", "two", "three", "four")
        async with pages.manager.modify_state(_token("busy")):
            pages.close("busy", "two", "three")
            assert pages.kept() == {"busy", "two", "three", "four"}
        pages.close("four")
        assert pages.kept() == {"three", "four"}

    with few(monkeypatch) as run:
        run(scene)


def test_who_has_just_left_may_come_back_however_many_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a server that stops would forget what it hands on."""

    async def scene(pages: Few) -> None:
        await pages.open("one", "two", "three")
        pages.close("one", "two", "three")
        assert pages.kept() == {"one", "two", "three"}

    with few(monkeypatch, seconds=60) as run:
        run(scene)


def test_the_portal_s_pages_are_looked_after() -> None:
    names: Any = portal_app.app.event_namespace
    assert isinstance(names.on_disconnect.__self__, closed.Closed)
