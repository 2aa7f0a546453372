"""The frame of a customer's account: who sees which tabs, and what is written down of an opening."""

from dataclasses import replace
from typing import Any

import pytest
from sqlmodel import Session, col, func, select

from portal_app import db
from portal_app.audit.tags import Activity
from portal_app.auth.actor import NOBODY
from portal_app.auth.permissions import Permission
from portal_app.models import AuditEvent
from portal_app.shell.account_tabs import TABS, tabs_for
from tests.cast import Cast, cookie_of, make_cast
from tests.security.pipeline import Pipeline, Tab, name_of, play

OVERVIEW, ELSEWHERE = "account_state.load", "security_state.load"


@pytest.fixture
def people(database: Any) -> Cast:
    return db.write(make_cast)


def openings(account_id: int | None) -> int:
    def read(session: Session) -> int:
        rows = select(func.count()).where(
            col(AuditEvent.account_id) == account_id, col(AuditEvent.activity) == Activity.ACCOUNT_ACCESSED
        )
        return session.exec(rows).one()

    return db.read(read)


async def go(tab: Tab, path: str, load: str = OVERVIEW) -> Any:
    tab.path = path
    return await tab.send(name_of(load))


def test_an_opening_is_written_down_once_however_one_goes_about_within(people: Cast) -> None:
    account = people.bobs_account.id

    async def scene(made: Pipeline) -> None:
        tab = made.tab(cookie_of(people.bob))
        answer = await go(tab, f"/accounts/{account}")
        assert answer.var("title") == people.bobs_account.name
        assert answer.var("tabs")[0]["href"] == f"/accounts/{account}"
        for path in (f"/accounts/{account}/", f"/accounts/{account}/tasks/7", f"/accounts/{account}"):
            await go(tab, path)
        assert openings(account) == 1
        # Another browser tab, and one that comes back from elsewhere, open it anew.
        await go(made.tab(cookie_of(people.bob)), f"/accounts/{account}")
        await go(tab, "/settings/security", ELSEWHERE)
        await go(tab, f"/accounts/{account}")
        assert openings(account) == 3

    play(scene)


def test_from_account_to_account_each_is_opened(people: Cast) -> None:
    first, second = people.accounts_a[:2]

    async def scene(made: Pipeline) -> None:
        tab = made.tab(cookie_of(people.alice))
        for account in (first, second, first):
            assert (await go(tab, f"/accounts/{account.id}")).var("title") == account.name
        assert (openings(first.id), openings(second.id)) == (2, 1)

    play(scene)


@pytest.mark.parametrize("path", ["{strange}", "{strange}/backups", "987654321", "x", "1e5/backups"])
def test_a_strangers_account_is_missing_and_leaves_nothing_of_the_one_before(people: Cast, path: str) -> None:
    strange = people.accounts_b[0].id

    async def scene(made: Pipeline) -> None:
        tab = made.tab(cookie_of(people.bob))
        await go(tab, f"/accounts/{people.bobs_account.id}")
        answer = await go(tab, f"/accounts/{path.format(strange=strange)}")
        assert answer.var("missing") is True
        assert (answer.var("title"), answer.var("tabs"), answer.var("account_id")) == ("", [], 0)
        assert openings(strange) == 0
        answer = await go(tab, f"/accounts/{people.bobs_account.id}")
        assert (answer.var("missing"), answer.var("title")) == (False, people.bobs_account.name)

    play(scene)


def test_tabs_are_those_that_the_actor_may_open(people: Cast) -> None:
    for name in ("alice", "bob", "dave", "carol", "nina"):
        actor = people.actor(name)
        expected = [tab.label for tab in TABS if tab.any_of & actor.permissions]
        opens = actor.may(Permission.ACCOUNTS_ACCESS)
        assert [tab["label"] for tab in tabs_for(actor, 7)] == (expected if opens else [])
    assert tabs_for(NOBODY, 7) == []
    everything = replace(people.actor("alice"), permissions=frozenset(Permission) - {Permission.ACCOUNTS_ACCESS})
    assert tabs_for(everything, 7) == []
