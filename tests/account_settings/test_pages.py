"""The pages' handlers in the real pipeline: a stale session is asked once more, and the deletion is followed."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from portal_app import clock, db
from portal_app.account_settings import removal_state
from portal_app.auth.actor import FRESH_FOR
from portal_app.live import hub
from portal_app.models import Account, JobState, LoginSession
from tests.account_settings.test_removal import NAME, ended, remove, there, vault
from tests.cast import Cast, cookie_of
from tests.factories import PASSWORD
from tests.security.pipeline import Pipeline, Tab, name_of, play


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(removal_state, "SECONDS_BETWEEN_LOOKS", 0)


def _stale() -> None:
    with db.writing() as session:
        session.execute(update(LoginSession).values(confirmed_at=clock.now() - FRESH_FOR - timedelta(minutes=1)))


async def _asked_for_name(made: Pipeline, cast: Cast) -> Tab:
    """Alice has ticked the box and typed the name."""
    tab = made.tab(cookie_of(cast.alice), path=f"/accounts/{cast.accounts_a[0].id}/settings")
    await tab.hydrate()
    await tab.send(name_of("account_settings_state.load"))
    await tab.send(name_of("removal_state.open_dialog"))
    assert not (await tab.state(removal_state.RemovalState)).asking
    await tab.send(name_of("removal_state.approve"), {"ticked": True})
    await tab.send(name_of("removal_state.open_dialog"))
    await tab.send(name_of("removal_state.type_name"), {"text": NAME})
    return tab


def test_who_signed_in_long_ago_shows_once_more_who_they_are(cast: Cast) -> None:
    account_id = cast.accounts_a[0].id

    async def scene(made: Pipeline) -> None:
        tab = await _asked_for_name(made, cast)
        _stale()
        assert (await tab.send(name_of("removal_state.remove"))).var("asked") is True
        assert there(Account, account_id)
        answer = await tab.send(name_of("confirm_state.submit"), {"form": {"confirm_password": PASSWORD}})
        assert not there(Account, account_id)
        assert f"/accounts/{account_id}/removed" in answer.redirects

    play(scene)


def test_another_name_removes_nothing_and_says_so(cast: Cast) -> None:
    async def scene(made: Pipeline) -> None:
        tab = await _asked_for_name(made, cast)
        await tab.send(name_of("removal_state.type_name"), {"text": "Alpha Birch"})
        answer = await tab.send(name_of("removal_state.remove"))
        assert "not the same" in answer.var("remove_error")
        assert there(Account, cast.accounts_a[0].id)

    play(scene)


def test_the_approval_of_one_account_is_none_for_the_next(cast: Cast) -> None:
    async def scene(made: Pipeline) -> None:
        tab = await _asked_for_name(made, cast)
        tab.path = f"/accounts/{cast.accounts_a[1].id}/settings"
        await tab.send(name_of("account_settings_state.load"))
        answer = await tab.send(name_of("removal_state.remove"))
        assert not answer.redirects
        assert there(Account, cast.accounts_a[0].id)
        assert there(Account, cast.accounts_a[1].id)

    play(scene)


def test_the_page_follows_the_deletion_while_it_is_open(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    account_id = cast.accounts_a[0].id
    db.write(vault, account_id)
    remove(cast)
    looks: list[str] = []

    def is_connected(tab: str) -> bool:
        looks.append(tab)
        if len(looks) == 3:
            ended(JobState.DONE, {"deleted": 7, "left": 0})
        return len(looks) < 50

    monkeypatch.setattr(hub, "is_connected", is_connected)

    async def scene(made: Pipeline) -> Any:
        tab = made.tab(cookie_of(cast.alice), path=f"/accounts/{account_id}/removed")
        return await tab.send(name_of("removed_state.load"))

    answer = play(scene)
    seen = [values for delta in answer.deltas for values in delta.values() if "ended_rx_state_" in values]
    assert seen[-1]["ended_rx_state_"] is True
    assert answer.var("proof") == "0 objects left in the storage. 7 were deleted."
    assert len(looks) == 3


def test_a_stranger_sees_no_removed_account(cast: Cast) -> None:
    remove(cast)

    async def scene(made: Pipeline) -> Any:
        tab = made.tab(cookie_of(cast.mallory), path=f"/accounts/{cast.accounts_a[0].id}/removed")
        return await tab.send(name_of("removed_state.load"))

    answer = play(scene)
    assert answer.var("missing") is True
    assert NAME not in str(answer.deltas)
