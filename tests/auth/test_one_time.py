"""Links in mails: good once, for a time, for one purpose."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from portal_app import clock, db
from portal_app.auth import one_time
from portal_app.models import LinkKind
from tests.cast import Cast, make_cast
from tests.security.pipeline import Pipeline, name_of, play
from tests.stores import Environment

HOUR = timedelta(hours=1)
INVITATION, RESET = LinkKind.INVITATION, LinkKind.RESET


def _link(user_id: int | None, kind: LinkKind = RESET) -> str:
    return db.write(one_time.create, user_id, kind, HOUR)


def test_a_link_is_looked_at_often_and_taken_once(cast: Cast) -> None:
    token = _link(cast.alice.id)
    assert db.read(one_time.peek, token, RESET) == db.read(one_time.peek, token, RESET) == cast.alice.id
    assert db.write(one_time.take, token, RESET) == cast.alice.id
    assert db.write(one_time.take, token, RESET) is None
    assert db.read(one_time.peek, token, RESET) is None


def test_the_page_of_a_link_forgets_its_faults_at_a_reload_and_keeps_the_link(cast: Cast) -> None:
    token = _link(cast.alice.id)

    async def scene(made: Pipeline) -> None:
        tab, load = made.tab(path=f"/reset?token={token}"), name_of("reset_state.load")
        assert (await tab.send(load)).redirects == ["/reset"]
        answer = await tab.send(name_of("reset_state.submit"), {"form": {"password": "short", "again": "short"}})
        assert answer.var("errors")
        tab.path = "/reset"
        answer = await tab.send(load)
        assert (answer.var("errors"), answer.var("good")) == ({}, True)

    play(scene)


@pytest.mark.parametrize("token", ["", "x", "\u2028", "x" * 10_000])
def test_a_link_that_was_never_made_opens_nothing(cast: Cast, token: str) -> None:
    _link(cast.alice.id)
    assert db.read(one_time.peek, token, RESET) is None
    assert db.write(one_time.take, token, RESET) is None


def test_a_link_serves_its_own_purpose_only(cast: Cast) -> None:
    token = _link(cast.alice.id, INVITATION)
    assert db.read(one_time.peek, token, RESET) is None
    assert db.write(one_time.take, token, RESET) is None
    assert db.write(one_time.take, token, INVITATION) == cast.alice.id


def test_a_new_link_voids_the_users_older_one_of_its_kind(cast: Cast) -> None:
    old, bobs, other = _link(cast.alice.id), _link(cast.bob.id), _link(cast.alice.id, INVITATION)
    new = _link(cast.alice.id)
    assert db.write(one_time.take, old, RESET) is None
    assert db.write(one_time.take, new, RESET) == cast.alice.id
    assert db.write(one_time.take, bobs, RESET) == cast.bob.id
    assert db.write(one_time.take, other, INVITATION) == cast.alice.id


def test_a_link_ends_on_the_minute(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    token, end = _link(cast.alice.id), clock.now() + HOUR
    monkeypatch.setattr(clock, "now", lambda: end)
    assert db.read(one_time.peek, token, RESET) is None
    assert db.write(one_time.take, token, RESET) is None


def test_of_many_at_once_one_takes_it(store: Environment) -> None:
    cast = db.write(make_cast)
    token = _link(cast.alice.id)
    with ThreadPoolExecutor(20) as pool:
        found = list(pool.map(lambda _: db.write(one_time.take, token, RESET), range(50)))
    assert sorted(one for one in found if one) == [cast.alice.id]
