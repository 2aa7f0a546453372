"""Choosing out of ten thousand accounts: a page of them at a time, and no list of ids anywhere but in the database."""

import time
from collections.abc import Callable
from functools import partial

import pytest
from sqlalchemy import insert
from sqlmodel import Session

from portal_app import clock, db
from portal_app.models import Account
from portal_app.users import service
from portal_app.users.choice import tick, tick_all
from portal_app.users.rows import Asked, Change
from tests.cast import Cast
from tests.users.people import accounts_of, change

MANY = 10_000


@pytest.fixture
def crowd(cast: Cast) -> Cast:
    def add(session: Session) -> None:
        like = cast.accounts_a[1]
        rows = [
            like.model_dump(exclude={"id", "name", "name_key", "email", "email_key"})
            | {"name": f"Crowd {n:05}", "name_key": f"crowd {n:05}"}
            | {"email": f"c{n}@crowd.example", "email_key": f"c{n}@crowd.example", "created_at": clock.now()}
            for n in range(MANY)
        ]
        session.execute(insert(Account.__table__), rows)

    db.write(add)
    return cast


def seconds(do: Callable[[], object]) -> float:
    """The best of three: what else runs on the machine is not what is measured."""
    found = []
    for _ in range(3):
        begin = time.perf_counter()
        do()
        found.append(time.perf_counter() - begin)
    return min(found)


def test_ten_thousand_are_chosen_by_one_change_and_one_is_left_out(crowd: Cast) -> None:
    alice, out = crowd.actor("alice"), crowd.accounts_a[0].id or 0
    changes = tick(tick_all((), "", True), out, False)
    assert changes == (Change(True, words=""), Change(False, frozenset({out})))
    change(alice, crowd.carol, all_accounts=False, changes=changes)
    assert len(accounts_of(crowd.carol.id)) == MANY + 2
    page = db.read(service.accounts_to_choose, alice, crowd.carol.id, Asked("crowd 099", page=3), ())
    assert ([line.name for line in page.lines][:1], len(page.lines)) == (["Crowd 09950"], 25)
    assert (page.matching, page.total, page.ticked) == (100, MANY + 3, MANY + 2)
    change(alice, crowd.carol, all_accounts=False, changes=(Change(False, words="crowd 0"),))
    assert len(accounts_of(crowd.carol.id)) == 2


def test_a_page_of_ten_thousand_is_there_while_one_types(crowd: Cast) -> None:
    """Best of three; 30 ms where it was written. The half second leaves room for a machine that does other things."""
    changes = tick(tick_all(tick_all((), "", True), "crowd 01", False), 7, True)
    for asked in (Asked(), Asked("crowd 09"), Asked("c")):
        look = partial(db.read, service.accounts_to_choose, crowd.actor("alice"), crowd.bob.id, asked, changes)
        assert seconds(look) < 0.5
