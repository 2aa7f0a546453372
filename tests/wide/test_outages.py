"""Redis or PostgreSQL goes away while pages are open: they say so, lose nothing that was saved, and come back."""

import asyncio
import json
import pickle
from collections.abc import Iterator
from contextlib import closing, contextmanager
from types import SimpleNamespace
from typing import cast as cast_type
from uuid import uuid4

import pytest
import redis
import reflex as rx
from redis.asyncio import Redis
from reflex.istate.manager.redis import StateManagerRedis
from reflex.istate.manager.token import BaseStateToken
from reflex.utils.token_manager import RedisTokenManager, SocketRecord
from sqlmodel import Session

from portal_app import db
from portal_app.auth.state import SessionState
from portal_app.dashboard.state import ChartState, DashboardState
from portal_app.models import Account
from portal_app.shell import closed, outages
from portal_app.shell.moving import Tabs
from portal_app.shell.recovery import Keeper
from tests.backups.portals import wait_for
from tests.cast import Cast, cookie_of
from tests.security.pipeline import ROOT, name_of
from tests.security.served import Raw
from tests.wide.conftest import Wide, boot

TICK = name_of("dashboard_state.tick")
CHARTS = ChartState.get_full_name()


@pytest.fixture
def page(wide: Wide, cast: Cast) -> Iterator[Raw]:
    """Alice's dashboard at A, whole and watching."""
    with Raw(wide.a, cookie_of(cast.alice), auth=boot()) as opened:
        opened.until(lambda: _is_whole(opened))
        yield opened


def _is_whole(page: Raw) -> bool:
    """The charts come last."""
    deltas = [message[1].get("delta") or {} for message in page.seen if message[0] == "event"]
    return any(delta.get(CHARTS, {}).get("loading_rx_state_") is False for delta in deltas)


def _tick(page: Raw, cast: Cast) -> None:
    page.send(TICK, {"account_id": cast.accounts_a[0].id, "ticked": True})


def _answers(page: Raw, cast: Cast) -> bool:
    said = page.ask(TICK, {"account_id": cast.accounts_a[1].id, "ticked": True})
    return f"{cast.accounts_a[1].id}]" in json.dumps(said)


def _rename(session: Session, account_id: int, name: str) -> None:
    session.get_one(Account, account_id).name = name


@contextmanager
def _database_down(wide: Wide) -> Iterator[None]:
    wide.postgres.down()
    try:
        yield
    finally:
        wide.postgres.up()


@contextmanager
def _redis_down(wide: Wide) -> Iterator[None]:
    wide.redis.stop()
    try:
        yield
    finally:
        wide.redis.start()


def _is_told(page: Raw) -> bool:
    return outages.SENTENCE in page.heard()


def test_a_database_that_restarts(wide: Wide, cast: Cast, page: Raw) -> None:
    """A click is told, who comes is asked to wait; then all goes on at the same socket, live updates too."""
    cookie = cookie_of(cast.alice)
    with _database_down(wide):
        _tick(page, cast)
        page.until(lambda: _is_told(page))
        with Raw(wide.b, cookie, auth=boot()) as late:
            assert late.refused
    page.until(lambda: _answers(page, cast))
    name = f"Alpha {uuid4().hex}"
    db.write(_rename, cast.accounts_a[0].id, name)
    page.until(lambda: name in page.heard())


def test_a_page_that_could_not_be_loaded_comes_back(wide: Wide, cast: Cast, page: Raw) -> None:
    with _database_down(wide):
        page.send(f"{ROOT}.hydrate_and_load")
        page.until(lambda: page.closed)


def test_a_redis_that_lost_everything(wide: Wide, cast: Cast, page: Raw) -> None:
    """A click is told, who comes is asked to wait; then every page connects again by itself and loads anew."""
    with _redis_down(wide):
        _tick(page, cast)
        page.until(lambda: _is_told(page))
        with Raw(wide.b, auth=boot()) as late:
            assert late.refused
    page.until(lambda: page.closed)
    with Raw(wide.a, cookie_of(cast.alice), token=page.token, auth=boot()) as again:
        again.until(lambda: _is_whole(again))
        assert _answers(again, cast)
    with closing(redis.Redis.from_url(wide.redis.url)) as client:
        # Without these, who waits for the lock of a state hears nothing of its release.
        assert set("KgxE$s") & set(client.config_get("notify-keyspace-events")["notify-keyspace-events"])


def test_a_full_redis(wide: Wide, cast: Cast, page: Raw) -> None:
    with closing(redis.Redis.from_url(wide.redis.url)) as client:
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("maxmemory", "1")
        _tick(page, cast)
        page.until(lambda: _is_told(page))
        client.config_set("maxmemory", "0")
    assert _answers(page, cast)


def test_the_state_of_an_open_page_does_not_expire(wide: Wide) -> None:
    """Each part of it would, an hour after that part changed last."""

    async def scene() -> list[int]:
        manager = RedisTokenManager(Redis.from_url(wide.redis.url))
        opened = {"here": manager.instance_id, "elsewhere": "another"}
        manager.token_to_socket = {tab: SocketRecord(instance_id=of, sid=tab) for tab, of in opened.items()}
        names = SimpleNamespace(_token_manager=manager, emit_update=None)
        keys = [BaseStateToken(ident=tab, cls=SessionState)._state_key(SessionState) for tab in opened]
        for key in keys:
            await manager.redis.set(key, b"", ex=5)
        await Keeper(Tabs(cast_type(rx.App, SimpleNamespace(event_namespace=names)))).renew()
        left = [await manager.redis.ttl(key) for key in keys]
        await manager.close()
        return left

    renewed, left = asyncio.run(scene())
    assert renewed > 3_000
    assert left <= 5


def test_the_state_of_a_closed_page_goes_unless_it_is_open_elsewhere(
    wide: Wide, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(closed, "MOST_KEPT", 1)
    monkeypatch.setattr(closed, "SECONDS_TO_RETURN", 0)

    async def scene() -> list[str]:
        manager = RedisTokenManager(Redis.from_url(wide.redis.url))
        names = SimpleNamespace(_token_manager=manager, emit_update=None, on_disconnect=None)
        app = cast_type(rx.App, SimpleNamespace(event_namespace=names, state_manager=None))
        left, tabs = closed.Closed(app, Tabs(app)), ("gone", "moved", "last")
        keys = {tab: BaseStateToken(ident=tab, cls=SessionState)._state_key(SessionState) for tab in tabs}
        await manager.redis.mset(dict.fromkeys(keys.values(), b"state"))
        elsewhere = SocketRecord(instance_id="another", sid="moved")
        await manager.redis.set(manager._get_redis_key("moved"), pickle.dumps(elsewhere))
        for tab in tabs:
            left.note(tab)
        await asyncio.gather(*left._under_way)
        kept = [tab for tab, key in keys.items() if await manager.redis.exists(key)]
        await manager.close()
        return kept

    assert asyncio.run(scene()) == ["moved", "last"]


def test_a_page_that_went_elsewhere_is_not_loaded_where_it_was(wide: Wide, cast: Cast, page: Raw) -> None:
    """Else what it shows by then is undone: an empty state has whoever does a click load the page, too."""
    lock = StateManagerRedis._lock_key(BaseStateToken(ident=page.token, cls=SessionState))
    with closing(redis.Redis.from_url(wide.redis.url)) as client:
        # What watches the page may be at it: whose hold is taken away has the page loaded anew.
        wait_for(lambda: client.set(lock, "a click that takes long", nx=True), 10)
        _tick(page, cast)
        page.call("ping")
        page.until(lambda: ["ping", "pong"] in page.seen)
        page.close()
        wait_for(lambda: not client.exists(f"token_manager_socket_record_{page.token}"), 10)
        client.delete(*client.scan_iter(f"{page.token}_reflex*"), lock)
        wait_for(lambda: client.exists(f"{page.token}_{DashboardState.get_full_name()}"), 10)
        with Raw(wide.a, cookie_of(cast.alice), auth=boot()) as late:
            late.until(lambda: _is_whole(late))
        assert not client.exists(f"{page.token}_{CHARTS}")


def test_a_page_whose_click_was_not_kept_is_loaded_anew(wide: Wide, cast: Cast, page: Raw) -> None:
    """Its process was held up for so long that another might have had the state: it shows what nobody knows of."""
    lock = StateManagerRedis._lock_key(BaseStateToken(ident=page.token, cls=SessionState))
    with closing(redis.Redis.from_url(wide.redis.url)) as client:
        # What watches the page for changes may have been the one whose hold was taken.
        while not page.closed:
            with db.engine().begin() as held:
                held.exec_driver_sql("LOCK TABLE login_session")
                _tick(page, cast)
                wait_for(lambda: client.delete(lock), 10)
            page.settle()
