"""Every handler, called by everybody: who may not is refused, and nothing is changed."""

import asyncio
import inspect
from datetime import datetime, timedelta
from typing import Any, get_type_hints

import pytest
from sqlalchemy import ColumnElement, func, select, update
from sqlmodel import Session, col

from portal_app import clock, db
from portal_app.auth import guard, limiter, sessions, tokens
from portal_app.auth.actor import NOBODY, Actor
from portal_app.auth.permissions import Permission
from portal_app.errors import Denied
from portal_app.models import AuditEvent, LoginSession, User, UserState
from tests.cast import Cast, cookie_of
from tests.security.pipeline import HYDRATE, ROOT, Pipeline, Tab, handlers, name_of, play
from tests.tables import Contents, contents

NOBODIES = ("nobody", "disabled", "invited", "suspended", "ended session", "forged cookie", "token as cookie")
PEOPLE = ("nina", "carol", "bob", "dave", "olga", "alice", "mallory")
REFUSALS = {permission.refusal for permission in Permission} | {
    "This is for people of a partner.",
    "This page is for the provider's operators.",
}
SAMPLES: dict[Any, Any] = {str: "x", int: 1, float: 1.0, bool: True, dict: {}, list: []}


def _payload(function: Any) -> dict[str, Any]:
    hints = get_type_hints(function)
    names = [name for name in inspect.signature(function).parameters if name != "self"]
    return {name: SAMPLES[hints[name]] for name in names}


def _cookie(cast: Cast, who: str) -> str:
    if who in cast.people:
        return cookie_of(cast.people[who])
    shut_out = {"disabled": cast.ivan, "invited": cast.irene, "suspended": cast.sam}
    if who in shut_out:
        return cookie_of(shut_out[who])
    if who == "token as cookie":
        granted = (cast.actor("alice"), cast.partner_a.id, "Engine", frozenset(Permission))
        return f"{sessions.COOKIE}={db.write(tokens.create_token, *granted)}"
    if who == "ended session":
        cookie = cookie_of(cast.alice)
        db.write(sessions.end, sessions.digest(cookie.partition("=")[2]))
        return cookie
    return "portal_session=forged" if who == "forged cookie" else ""


def _actor(cast: Cast, who: str) -> Actor:
    return cast.actor(who) if who in PEOPLE else NOBODY


def _refused(policy: guard.Policy, actor: Actor) -> bool:
    try:
        policy.check(actor)
    except Denied:
        return True
    return False


@pytest.mark.parametrize("who", [*NOBODIES, *PEOPLE])
def test_each_handler_is_refused_to_who_may_not_call_it(cast: Cast, who: str) -> None:
    cookie, actor = _cookie(cast, who), _actor(cast, who)
    refused = [name for name in handlers() if _refused(guard.policy_of(name), actor)]
    assert refused or who in ("alice", "mallory")

    async def scene(made: Pipeline) -> None:
        # One tab for all of them: each has to leave it, and the database, as it found them.
        tab = made.tab(cookie)
        await tab.hydrate()
        before, kept = await tab.values(), _rows()
        for name in refused:
            # Of one session only so many refusals an hour are audited: here each is looked at alone.
            limiter.reset_limits()
            await _is_refused(tab, name, signed_in=actor.signed_in)
            assert await tab.values() == before, f"{name} changed the state"
            assert _rows() == kept, f"{name} wrote into the database"

    if refused:
        play(scene)


async def _is_refused(tab: Tab, name: str, *, signed_in: bool) -> None:
    last = _last_audited()
    answer = await tab.send(name, _payload(handlers()[name]))
    ending = f" ({name.rpartition('____')[2]})"
    told = [words.endswith(ending) and not completed for words, completed in _audited(last)]
    assert told == ([True] if signed_in else []), f"{name} was not audited"
    assert not answer.errors, name
    if signed_in:
        assert answer.var("denied") in REFUSALS, name
    else:
        assert answer.redirects == ["/login"], name


def _rows() -> Contents:
    """All that the database holds, but for the audit."""
    return {table: rows for table, rows in contents().items() if not table.startswith("audit_")}


def _audited(after: int) -> list[tuple[str, bool]]:
    with db.reading() as session:
        later = select(AuditEvent.description, AuditEvent.completed).where(col(AuditEvent.id) > after)
        return [(words, completed) for words, completed in session.execute(later.order_by(col(AuditEvent.id)))]


def _last_audited() -> int:
    with db.reading() as session:
        return session.scalar(select(func.max(AuditEvent.id))) or 0


@pytest.mark.parametrize("who", ["alice", "bob", "carol", "dave", "olga", "nina"])
def test_each_handler_lets_in_who_may_call_it(cast: Cast, who: str) -> None:
    """Or a guard that refuses everything would pass the test above."""
    cookie, actor = cookie_of(cast.people[who]), cast.actor(who)

    async def scene(made: Pipeline) -> None:
        for name, function in handlers().items():
            if not _refused(guard.policy_of(name), actor):
                answer = await made.tab(cookie).send(name, _payload(function))
                assert not answer.var("denied"), name
                assert "/login" not in answer.redirects, name
                assert not [e for e in answer.errors if not hasattr(e, "sentence")], name

    play(scene)


@pytest.mark.parametrize(
    ("ending", "who", "allowed"),
    [
        ("dashboard_state.load", "alice", True),
        ("dashboard_state.load", "bob", True),
        ("dashboard_state.load", "carol", False),
        ("dashboard_state.load", "nina", False),
        ("dashboard_state.load", "dave", False),
        ("dashboard_state.load", "olga", False),
        ("dashboard_state.subscribe", "bob", False),
        ("dashboard_state.subscribe", "olga", False),
        ("dashboard_state.delete_trial", "bob", False),
        ("dashboard_state.delete_trial", "dave", False),
        ("shell_state.find", "carol", True),
        ("shell_state.find", "nina", False),
        ("account_state.load", "bob", True),
        ("account_state.load", "dave", True),
        ("account_state.load", "carol", False),
        ("account_state.load", "olga", False),
        ("operator_state.load", "olga", True),
        ("operator_state.load", "alice", False),
        ("operator_state.load", "dave", False),
        ("customer_users_state.load", "alice", True),
        ("customer_users_state.load", "bob", False),
        ("customer_users_state.save", "dave", False),
        ("customer_users_state.act", "olga", False),
        ("account_settings_state.save", "alice", True),
        ("account_settings_state.save", "bob", False),
        ("account_settings_state.load", "dave", False),
        ("removal_state.remove", "alice", True),
        ("removal_state.remove", "bob", False),
        ("removal_state.remove", "dave", False),
        ("removed_state.load", "carol", False),
        ("new_account_state.add", "alice", True),
        ("new_account_state.add", "bob", False),
        ("new_account_state.add", "dave", False),
    ],
)
def test_who_may_do_what_said_by_hand(ending: str, who: str, allowed: bool, cast: Cast) -> None:
    """Independent of what the handlers declare."""

    async def scene(made: Pipeline) -> Any:
        name = name_of(ending)
        return await made.tab(cookie_of(cast.people[who])).send(name, _payload(handlers()[name]))

    assert play(scene).ran is allowed


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/", "/login"),
        ("/login?again=1", "/login"),
        ("/accounts/7", "/login?next=%2Faccounts%2F7"),
        ("/?status=trial_expired&page=2", "/login?next=%2F%3Fstatus%3Dtrial_expired%26page%3D2"),
    ],
)
def test_who_must_sign_in_comes_back_to_the_same_page_with_its_filters(cast: Cast, path: str, target: str) -> None:
    async def scene(made: Pipeline) -> list[str]:
        return (await made.tab(path=path).send(name_of("dashboard_state.load"))).redirects

    assert play(scene) == [target]


def test_setvar_unknown_events_and_the_exception_report_are_refused_to_an_administrator_too(cast: Cast) -> None:
    async def scene(made: Pipeline) -> None:
        for name in (
            f"{ROOT}.setvar",
            name_of("dashboard_state.load").replace("load", "setvar"),
            f"{ROOT}.reflex___state____frontend_event_exception_state.handle_frontend_exception",
        ):
            answer = await made.tab(cookie_of(cast.alice)).send(name, {"var_name": "total", "value": 7})
            assert answer.var("denied") == "There is no such action."
            assert answer.var("total") is None

    play(scene)


def test_the_state_of_a_tab_is_emptied_for_another_session(cast: Cast) -> None:
    async def scene(made: Pipeline) -> None:
        load = name_of("dashboard_state.load")
        for cookie in ("", cookie_of(cast.mallory), cookie_of(cast.alice)):
            owner = made.tab(cookie_of(cast.alice))
            assert "Alpha Elm" in str((await owner.send(load)).deltas)
            for first in (HYDRATE, load, name_of("notice_state.tell")):
                thief = made.tab(cookie, token=owner.token)
                payload = {"kind": "red", "text": "x"} if first.endswith("tell") else {}
                heard = str((await thief.send(first, payload)).deltas) + str((await thief.hydrate()).deltas)
                assert "alice@" not in heard
                assert "Alpha" not in heard or cookie.endswith(cookie_of(cast.alice))
                await owner.send(load)
                await owner.send(load)

    play(scene)


def test_a_narrowed_right_and_a_disabled_user_count_at_the_next_event(cast: Cast) -> None:
    async def scene(made: Pipeline) -> None:
        tab, find = made.tab(cookie_of(cast.bob)), name_of("shell_state.find")
        assert (await tab.send(find, {"text": "Alpha"})).var("found")
        db.write(_set, cast.bob, permissions=[])
        assert (await tab.send(find, {"text": "Alpha"})).var("denied") == Permission.BILLING_VIEW.refusal
        db.write(_set, cast.bob, state=UserState.DISABLED)
        assert (await tab.send(find, {"text": "Alpha"})).redirects

    play(scene)


def test_what_a_page_does_by_itself_does_not_keep_the_session_in_use(cast: Cast) -> None:
    """An open dashboard refreshes whenever a backup reports: the idle end must come all the same."""
    cookie = cookie_of(cast.alice)

    async def scene(made: Pipeline) -> None:
        tab = made.tab(cookie)
        await tab.send(name_of("notice_state.dismiss"))
        before = db.write(_use_half_an_hour_ago, cookie)
        state = await tab.state(guard.SessionState)
        assert (await guard.check_again(state, Permission.DASHBOARD_VIEW)).email == cast.alice.email
        assert db.read(_used_at, cookie) == before
        await tab.send(name_of("notice_state.dismiss"))
        assert db.read(_used_at, cookie) > before

    play(scene)


def test_a_failure_of_the_telling_itself_is_told_of_once(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the database gone the sentence about it can't be shown either; that must not go round for ever."""

    async def gone(*_: Any, **__: Any) -> None:
        raise OSError("the database is gone")

    async def scene(made: Pipeline) -> int:
        tab = made.tab(cookie_of(cast.alice))
        await tab.hydrate()
        monkeypatch.setattr(guard, "identify", gone)
        answer = await tab.send(name_of("notice_state.dismiss"))
        for _ in range(10_000):
            if not made.busy or len(answer.errors) > 20:
                break
            await asyncio.sleep(0)
        return len(answer.errors)

    assert 1 <= play(scene) <= 2


def _set(session: Session, user: User, **values: Any) -> None:
    session.execute(update(User).where(col(User.id) == user.id).values(**values))


def _mine(cookie: str) -> ColumnElement[bool]:
    return col(LoginSession.token_hash) == sessions.digest(cookie.partition("=")[2])


def _use_half_an_hour_ago(session: Session, cookie: str) -> datetime:
    used = clock.now() - timedelta(minutes=30)
    session.execute(update(LoginSession).where(_mine(cookie)).values(used_at=used))
    return used


def _used_at(session: Session, cookie: str) -> datetime:
    return session.scalar(select(LoginSession.used_at).where(_mine(cookie)))
