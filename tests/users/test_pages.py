"""The handlers behind the pages, through the guard."""

from typing import Any

import pytest

from portal_app import db
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.models import User, UserState
from portal_app.settings import reset_settings
from portal_app.users import service
from portal_app.users.invitation_state import InvitationState
from tests import factories
from tests.cast import Cast, cookie_of
from tests.security.pipeline import Pipeline, Tab, name_of, play
from tests.users.people import ACCESS, DASHBOARD, LENA, accounts_of, by_email, link_of, manager, row

PASSWORD = "a rather odd phrase 7"


def ticked(answer: Any, group: str = "portal") -> dict[str, tuple[bool, bool]]:
    return {one["key"]: (one["ticked"], one["fixed"]) for one in answer.var(f"{group}_operations")}


async def opened(made: Pipeline, user: User, path: str) -> tuple[Tab, Any]:
    tab = made.tab(cookie_of(user), path=path)
    return tab, await tab.send(name_of("user_editor_state.load"))


async def tick(tab: Tab, key: str, on: bool) -> Any:
    return await tab.send(name_of("user_editor_state.tick_operation"), {"key": key, "ticked": on})


def test_account_operations_wait_for_what_opens_them_and_go_with_it(cast: Cast) -> None:
    async def scene(made: Pipeline) -> None:
        tab, first = await opened(made, cast.alice, "/settings/users/new")
        assert set(ticked(first, "account").values()) == {(False, True)}
        assert ACCESS not in str((await tick(tab, ACCESS, True)).var("account_operations") and "")
        answer = await tick(tab, DASHBOARD, True)
        assert ticked(answer, "account")[ACCESS] == (False, False)
        assert ticked(await tick(tab, ACCESS, True), "account")[ACCESS] == (True, False)
        answer = await tick(tab, DASHBOARD, False)
        assert ticked(answer, "account")[ACCESS] == (False, True)

    play(scene)


def test_administrator_ticks_everything_and_custom_brings_the_ticks_back(cast: Cast) -> None:
    async def scene(made: Pipeline) -> None:
        tab, _ = await opened(made, cast.alice, "/settings/users/new")
        await tick(tab, DASHBOARD, True)
        choose = name_of("user_editor_state.choose_role")
        answer = await tab.send(choose, {"value": "administrator"})
        assert set(ticked(answer).values()) == {(True, True)}
        answer = await tab.send(choose, {"value": "custom"})
        assert [key for key, (on, _) in ticked(answer).items() if on] == [DASHBOARD]

    play(scene)


def test_what_the_manager_lacks_cant_be_ticked(cast: Cast) -> None:
    me = db.write(manager, cast.partner_a)

    async def scene(made: Pipeline) -> None:
        tab, first = await opened(made, me, "/settings/users/new")
        assert first.var("may_make_administrator") in (False, None)
        free = {key for key, (_, fixed) in ticked(first).items() if not fixed}
        assert free == {DASHBOARD, Permission.USERS_MANAGE}
        await tick(tab, Permission.BILLS_PAY, True)
        await tab.send(name_of("user_editor_state.save"), {"form": {"email": "x@x.example", "name": "X"}})
        assert by_email("x@x.example").permissions == []

    play(scene)


def test_a_fault_keeps_what_was_ticked_and_the_second_try_saves_it(cast: Cast) -> None:
    async def scene(made: Pipeline) -> None:
        tab, _ = await opened(made, cast.alice, "/settings/users/new")
        await tick(tab, DASHBOARD, True)
        await tab.send(name_of("user_editor_state.choose_all_accounts"), {"value": "chosen"})
        number = cast.accounts_a[1].id
        await tab.send(name_of("user_editor_state.tick_account"), {"account_id": number, "ticked": True})
        save = name_of("user_editor_state.save")
        answer = await tab.send(save, {"form": {"email": "zoe", "name": "Zoe"}})
        assert list(answer.var("errors")) == ["email"]
        answer = await tab.send(save, {"form": {"email": "zoe@x.example", "name": "Zoe"}})
        assert answer.redirects == ["/settings/users"]
        zoe = by_email("zoe@x.example")
        assert (zoe.permissions, accounts_of(zoe.id)) == ([DASHBOARD], {number})

    play(scene)


def test_another_partners_user_a_customer_and_an_unknown_one_are_the_same_to_the_editor(cast: Cast) -> None:
    async def scene(made: Pipeline) -> None:
        found = []
        for wanted in (cast.mallory.id, cast.dave.id, cast.olga.id, 99_999, "x", "1e3", "-1", "9" * 30):
            _, answer = await opened(made, cast.alice, f"/settings/users/{wanted}")
            assert (answer.var("missing"), answer.errors) == (True, [])
            found.append(answer.deltas[-1].keys())
        assert len({str(sorted(keys)) for keys in found}) == 1

    play(scene)


@pytest.mark.parametrize(
    ("set_up", "kind", "works"), [("", "azure", False), ("id", "azure", True), ("", "email", True)]
)
def test_a_sign_in_that_is_not_set_up_is_said_before_anybody_is_invited(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, set_up: str, kind: str, works: bool
) -> None:
    for name in ("CLIENT_ID", "CLIENT_SECRET"):
        monkeypatch.setenv(f"PORTAL_MICROSOFT_{name}", set_up)
    reset_settings()

    async def scene(made: Pipeline) -> None:
        tab, _ = await opened(made, cast.alice, "/settings/users/new")
        answer = None
        for chosen in ("google", kind):
            answer = await tab.send(name_of("user_editor_state.choose_type"), {"value": chosen})
        assert answer.var("type_works") is works

    play(scene)


def test_deleting_acts_on_the_line_that_was_shown(cast: Cast) -> None:
    async def scene(made: Pipeline) -> None:
        tab = made.tab(cookie_of(cast.alice), path="/settings/users")
        await tab.send(name_of("users_state.load"))
        ask, act = name_of("users_state.ask"), name_of("users_state.act")
        for stranger in (cast.mallory.id, cast.alice.id):
            assert not (await tab.send(ask, {"act": "delete", "user_id": stranger})).var("asking")
            await tab.send(act)
        assert row(cast.mallory.id)
        assert (await tab.send(ask, {"act": "delete", "user_id": cast.nina.id})).var("asked_email") == cast.nina.email
        service.disable(cast.actor("alice"), cast.nina.id or 0, cast.nina.version)
        assert "changed this user meanwhile" in (await tab.send(act)).var("ask_error")
        await tab.send(name_of("users_state.answer"))
        await tab.send(ask, {"act": "delete", "user_id": cast.nina.id})
        await tab.send(act)
        assert row(cast.nina.id) is None

    play(scene)


def test_the_search_of_the_frame_finds_users_for_who_manages_them(cast: Cast) -> None:
    async def scene(made: Pipeline) -> None:
        find = name_of("shell_state.find")
        found = (await made.tab(cookie_of(cast.alice)).send(find, {"text": "BOB"})).var("found")
        assert [one["href"] for one in found] == [f"/settings/users/{cast.bob.id}"]
        for who in (cast.bob, cast.mallory):
            assert (await made.tab(cookie_of(who)).send(find, {"text": "carol"})).var("found") in ([], None)

    play(scene)


def test_the_token_leaves_the_address_and_never_comes_back_to_the_browser(cast: Cast) -> None:
    lena = by_email(service.add(cast.actor("alice"), LENA))
    token = link_of(lena.email)

    async def scene(made: Pipeline) -> None:
        load, accept = name_of("invitation_state.load"), name_of("invitation_state.accept")
        tab = made.tab(path=f"/invitation?token={token}")
        answer = await tab.send(load)
        assert answer.redirects == ["/invitation"]
        tab.path = "/invitation"
        # (The first answer tells the browser of the address that it came with.)
        answers = [await tab.send(load)]
        assert answers[-1].var("email") == lena.email
        answers.append(await tab.send(accept, {"form": {"password": "short", "retype": "short"}}))
        assert list(answers[-1].var("errors")) == ["password"]
        answers.append(await tab.send(accept, {"form": {"password": PASSWORD, "retype": PASSWORD}}))
        assert answers[-1].var("done") is True
        assert token not in str([one.deltas for one in answers])
        assert (await tab.state(InvitationState))._token == ""

    play(scene)
    assert row(lena.id).state == UserState.ACTIVE


def test_an_open_tab_of_a_disabled_user_is_sent_to_sign_in(cast: Cast) -> None:
    async def scene(made: Pipeline) -> None:
        tab, load = made.tab(cookie_of(cast.bob)), name_of("dashboard_state.back")
        assert (await tab.send(load)).ran
        service.disable(_admin(cast), cast.bob.id or 0, cast.bob.version)
        assert (await tab.send(load)).redirects == ["/login"]

    play(scene)


def _admin(cast: Cast) -> Actor:
    return factories.actor(cast.alice)
