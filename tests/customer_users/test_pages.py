"""The page's handlers in the real pipeline: what the form sends, and a right that goes while the tab is open."""

from typing import Any

from portal_app.auth.permissions import Permission
from portal_app.customer_users.state import CustomerUsersState
from portal_app.models import UserState
from tests.cast import Cast, cookie_of
from tests.customer_users.people import MANAGES, RESTORES, added, grant
from tests.security.pipeline import Pipeline, Tab, name_of, play
from tests.users.people import by_email, row

OF = "customer_users_state"


async def _opened(made: Pipeline, cast: Cast, who: str, asked: str = "") -> Tab:
    tab = made.tab(cookie_of(cast.people[who]), path=f"/accounts/{cast.accounts_a[0].id}/users{asked}")
    await tab.hydrate()
    await tab.send(name_of(f"{OF}.load"))
    return tab


def test_what_is_ticked_and_may_be_given_is_saved(cast: Cast) -> None:
    grant(cast.dave, MANAGES, RESTORES)

    async def scene(made: Pipeline) -> Any:
        tab = await _opened(made, cast, "dave")
        await tab.send(name_of(f"{OF}.open_new"))
        grants = {one["key"]: one for one in (await tab.state(CustomerUsersState)).grants}
        assert [key for key, one in grants.items() if not one["fixed"]] == [MANAGES, RESTORES]
        form = {"email": "n@new.example", "name": "N", f"may-{RESTORES}": "on"}
        return await tab.send(name_of(f"{OF}.save"), {"form": form})

    answer = play(scene)
    assert by_email("n@new.example").permissions == [RESTORES.value]
    assert answer.var("editing") is False


def test_a_tick_that_was_never_offered_is_refused(cast: Cast) -> None:
    grant(cast.dave, MANAGES)

    async def scene(made: Pipeline) -> Any:
        tab = await _opened(made, cast, "dave")
        await tab.send(name_of(f"{OF}.open_new"))
        form = {"email": "n@new.example", "name": "N", f"may-{RESTORES}": "on"}
        return await tab.send(name_of(f"{OF}.save"), {"form": form})

    assert "more than you may do yourself" in play(scene).var("error")


def test_a_right_that_is_taken_away_counts_at_the_next_event(cast: Cast) -> None:
    grant(cast.dave, MANAGES)

    async def scene(made: Pipeline) -> Any:
        tab = await _opened(made, cast, "dave")
        grant(cast.dave)
        return await tab.send(name_of(f"{OF}.open_new"))

    assert play(scene).var("denied") == Permission.CUSTOMER_USERS_MANAGE.refusal


def test_only_a_user_of_the_list_is_asked_about_and_never_oneself(cast: Cast) -> None:
    dave, nora = grant(cast.dave, MANAGES), added(cast)

    async def scene(made: Pipeline) -> None:
        tab = await _opened(made, cast, "dave")
        for number in (dave.id, cast.alice.id, 99_999):
            await tab.send(name_of(f"{OF}.ask"), {"act": "delete", "user_id": number})
            assert not (await tab.state(CustomerUsersState)).asking
        await tab.send(name_of(f"{OF}.ask"), {"act": "delete", "user_id": nora.id})
        answer = await tab.send(name_of(f"{OF}.act"))
        assert answer.var("text") == f"{nora.email} was deleted."

    play(scene)
    assert row(nora.id) is None


def test_the_address_filters_the_list(cast: Cast) -> None:
    nora = added(cast)

    async def scene(made: Pipeline) -> list[int]:
        tab = await _opened(made, cast, "alice", f"?state={UserState.INVITED}")
        return [line["id"] for line in (await tab.state(CustomerUsersState)).lines]

    assert play(scene) == [nora.id]
