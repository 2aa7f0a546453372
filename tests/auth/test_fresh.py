"""Sensitive acts wait until the person has shown once more that it is they."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from portal_app import clock, db
from portal_app.auth import guard, limiter, service, sessions
from portal_app.auth.actor import FRESH_FOR
from portal_app.auth.state import WaitingState
from portal_app.models import AuditEvent, LoginSession, User
from portal_app.shell.confirm_state import TOO_LATE, ConfirmState
from portal_app.shell.state import NoticeState
from tests.cast import HERE, Cast, cookie_of
from tests.factories import PASSWORD
from tests.security.pipeline import Pipeline, Tab, name_of, play

TELL = "notice_state.tell"
SAY = {"kind": "green", "text": "typed with care"}


@pytest.fixture(autouse=True)
def sensitive(monkeypatch: pytest.MonkeyPatch) -> None:
    """One harmless handler of the portal is a sensitive one here."""
    policy = guard.Policy("signed in", fresh=True)
    monkeypatch.setattr(NoticeState.event_handlers["tell"].fn, "__policy__", policy)


def _age(by: timedelta) -> None:
    """Let so much time pass since everybody's last proof."""
    with db.writing() as session:
        session.execute(update(LoginSession).values(confirmed_at=clock.now() - by))


async def _open(made: Pipeline, user: User) -> Tab:
    tab = made.tab(cookie_of(user))
    await tab.hydrate()
    return tab


async def _said(tab: Tab) -> str:
    return (await tab.state(NoticeState)).text


async def _confirm(tab: Tab, password: Any) -> Any:
    return await tab.send(name_of("confirm_state.submit"), {"form": {"confirm_password": password}})


def test_who_has_just_signed_in_is_not_asked(cast: Cast) -> None:
    async def scene(made: Pipeline) -> None:
        tab = await _open(made, cast.alice)
        _age(FRESH_FOR - timedelta(seconds=30))
        await tab.send(name_of(TELL), SAY)
        assert await _said(tab) == SAY["text"]
        assert not (await tab.state(WaitingState)).asked

    play(scene)


def test_nobody_is_asked_for_anything_but_to_sign_in(cast: Cast) -> None:
    async def scene(made: Pipeline) -> None:
        tab = made.tab()
        await tab.hydrate()
        answer = await tab.send(name_of(TELL), SAY)
        assert answer.redirects == ["/login"]
        assert not (await tab.state(WaitingState)).asked

    play(scene)


def test_the_event_waits_on_the_server_and_goes_on_by_itself(cast: Cast) -> None:
    async def scene(made: Pipeline) -> None:
        tab = await _open(made, cast.alice)
        _age(FRESH_FOR)
        answer = await tab.send(name_of(TELL), SAY)
        assert (answer.var("asked"), answer.var("has_password"), await _said(tab)) == (True, True, "")
        assert SAY["text"] not in str(answer.deltas)
        answer = await _confirm(tab, PASSWORD)
        assert (answer.var("asked"), answer.errors, await _said(tab)) == (False, [], SAY["text"])
        await tab.send(name_of(TELL), SAY | {"text": "and again"})
        assert await _said(tab) == "and again"

    play(scene)


@pytest.mark.parametrize("password", ["", "wrong", PASSWORD.upper(), None, 7, ["x"], "x" * 100_000, "\ud800"])
def test_a_wrong_password_sends_nothing_on(cast: Cast, password: Any) -> None:
    async def scene(made: Pipeline) -> None:
        tab = await _open(made, cast.alice)
        _age(FRESH_FOR)
        await tab.send(name_of(TELL), SAY)
        answer = await _confirm(tab, password)
        assert answer.var("error") in (service.WRONG_PASSWORD, "Enter your password.")
        assert await _said(tab) == ""
        await _confirm(tab, PASSWORD)
        assert await _said(tab) == SAY["text"]

    play(scene)


def test_wrong_passwords_count_as_those_of_the_sign_in_do(cast: Cast) -> None:
    limiter.reset_limits()

    async def scene(made: Pipeline) -> None:
        tab = await _open(made, cast.alice)
        _age(FRESH_FOR)
        await tab.send(name_of(TELL), SAY)
        for _ in range(5):
            assert (await _confirm(tab, "wrong")).var("error") == service.WRONG_PASSWORD
        assert "Too many attempts" in (await _confirm(tab, PASSWORD)).var("error")
        assert await _said(tab) == ""

    play(scene)
    with pytest.raises(service.Denied, match="Too many attempts"):
        service.sign_in(cast.alice.email, PASSWORD, HERE)
    limiter.reset_limits()


def test_cancel_forgets_the_event(cast: Cast) -> None:
    async def scene(made: Pipeline) -> None:
        tab = await _open(made, cast.alice)
        _age(FRESH_FOR)
        await tab.send(name_of(TELL), SAY)
        answer = await tab.send(name_of("confirm_state.cancel"))
        waiting = await tab.state(WaitingState)
        assert (answer.var("asked"), waiting._name, waiting._payload) == (False, "", {})
        await _confirm(tab, PASSWORD)
        assert await _said(tab) == ""

    play(scene)


def test_on_another_page_nothing_waits_any_more(cast: Cast) -> None:
    async def scene(made: Pipeline) -> None:
        tab = await _open(made, cast.alice)
        _age(FRESH_FOR)
        await tab.send(name_of(TELL), SAY)
        await _confirm(tab, "wrong")
        assert (await tab.state(ConfirmState)).error
        await tab.send(name_of("dashboard_state.load"))
        assert not (await tab.state(WaitingState)).asked
        assert not (await tab.state(ConfirmState)).error
        await _confirm(tab, PASSWORD)
        assert await _said(tab) == ""

    play(scene)


def test_after_five_minutes_the_event_is_too_old(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene(made: Pipeline) -> None:
        tab = await _open(made, cast.alice)
        _age(FRESH_FOR)
        await tab.send(name_of(TELL), SAY)
        late = clock.now() + timedelta(minutes=5)
        monkeypatch.setattr(clock, "now", lambda: late)
        answer = await _confirm(tab, PASSWORD)
        assert (answer.var("error"), await _said(tab)) == (TOO_LATE, "")

    play(scene)


def test_rights_that_were_lost_meanwhile_stop_the_event(cast: Cast) -> None:
    async def scene(made: Pipeline) -> None:
        tab = await _open(made, cast.alice)
        _age(FRESH_FOR)
        await tab.send(name_of(TELL), SAY)
        with db.writing() as session:
            session.execute(update(User).where(User.id == cast.alice.id).values(state="disabled"))
        answer = await _confirm(tab, PASSWORD)
        assert answer.redirects
        assert await _said(tab) == ""

    play(scene)


def test_another_session_of_the_same_tab_gets_nothing_of_it(cast: Cast) -> None:
    async def scene(made: Pipeline) -> None:
        tab = await _open(made, cast.alice)
        _age(FRESH_FOR)
        await tab.send(name_of(TELL), SAY)
        tab.cookie = cookie_of(cast.mallory)
        await tab.hydrate()
        await _confirm(tab, PASSWORD)
        assert (await tab.state(WaitingState))._name == ""
        assert await _said(tab) == ""

    play(scene)


def test_who_has_no_password_is_told_to_sign_in_again(cast: Cast) -> None:
    with db.writing() as session:
        session.execute(update(User).where(User.id == cast.alice.id).values(password_hash=None))

    async def scene(made: Pipeline) -> None:
        tab = await _open(made, cast.alice)
        _age(FRESH_FOR)
        answer = await tab.send(name_of(TELL), SAY)
        assert (answer.var("asked"), answer.var("has_password")) == (True, False)
        assert (await _confirm(tab, PASSWORD)).var("error") == service.WRONG_PASSWORD

    play(scene)


def test_a_session_from_before_has_to_confirm(cast: Cast) -> None:
    token = cookie_of(cast.alice).partition("=")[2]
    with db.writing() as session:
        session.execute(update(LoginSession).values(confirmed_at=None))
    assert not db.read(sessions.identify, token, HERE).is_fresh


def test_both_answers_are_audited(cast: Cast) -> None:
    actor = db.read(sessions.identify, cookie_of(cast.dave).partition("=")[2], HERE)
    with pytest.raises(service.Denied):
        service.confirm(actor, "wrong")
    service.confirm(actor, PASSWORD)
    with db.reading() as session:
        rows = session.scalars(select(AuditEvent)).all()
    assert [(row.completed, row.partner_id) for row in rows] == [
        (False, cast.partner_a.id),
        (True, cast.partner_a.id),
    ]
