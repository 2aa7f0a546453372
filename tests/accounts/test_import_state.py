"""The page's state, through Reflex's own pipeline: what is shown, and what a click can do."""

import asyncio
from collections.abc import Awaitable, Callable
from threading import Event
from typing import Any

import anyio.lowlevel
import pytest
from sqlmodel import Session, select, update

from portal_app import db
from portal_app.accounts import import_service
from portal_app.accounts.import_csv import Checked
from portal_app.accounts.import_state import FAILED, NEXT, PROBLEMS, ImportAccountsState
from portal_app.auth.actor import Actor
from portal_app.models import AccountImport, Role, User
from tests import factories
from tests.accounts.import_files import emails, put, rows, sheet
from tests.cast import Cast, cookie_of
from tests.security.pipeline import Answer, Pipeline, Tab, name_of, play

GOOD = sheet("Ann,ann@x.example,,", "Bob,bob@x.example,,Monthly")
SECONDS = 10


async def click(tab: Tab, name: str) -> Answer:
    return await tab.send(name_of(f"import_accounts_state.{name}"))


async def shown(tab: Tab) -> ImportAccountsState:
    return await tab.state(ImportAccountsState)


def visit(cast: Cast, query: str, *clicks: str, who: str = "alice") -> ImportAccountsState:
    """What the page holds after it was opened and these were clicked."""

    async def scene(made: Pipeline) -> ImportAccountsState:
        tab = made.tab(cookie_of(cast.people[who]), f"/accounts/import{query}")
        for name in ("load", *clicks):
            answer = await click(tab, name)
            assert answer.errors == []
        return await shown(tab)

    return play(scene)


def test_the_form_tells_what_a_row_may_say(cast: Cast) -> None:
    state = visit(cast, "")
    assert (state.phase, state.left_job, state.problem) == ("upload", "", "")
    assert state.default_place in state.place_names
    assert state.default_subscription == "Trial"


def test_the_form_offers_the_file_that_was_left(cast: Cast) -> None:
    job = put(cast.actor("alice"), GOOD, "left.csv")
    state = visit(cast, "")
    assert (state.left_file, state.left_job) == ("left.csv", job)


@pytest.mark.parametrize(("asked", "words"), [*PROBLEMS.items(), ("<b>evil</b>", ""), ("", "")])
def test_a_refused_upload_is_told_in_our_own_words(cast: Cast, asked: str, words: str) -> None:
    assert visit(cast, f"?problem={asked}").problem == words


def test_a_good_file_shows_what_it_would_add(cast: Cast) -> None:
    before = emails()
    state = visit(cast, f"?job={put(cast.actor('alice'), GOOD)}")
    assert (state.phase, state.accounts, state.encoding_note) == ("ready", "2 accounts", "")
    assert [(line["row"], line["name"]) for line in state.sample] == [(2, "Ann"), (3, "Bob")]
    assert [tally["count"] for tally in state.subscriptions] == ["1", "1"]
    assert emails() == before


def test_a_guessed_encoding_is_told(cast: Cast) -> None:
    content = sheet("Müller,m@x.example,,").decode().encode("cp1252")
    state = visit(cast, f"?job={put(cast.actor('alice'), content)}")
    assert state.phase == "ready"
    assert "Windows-1252" in state.encoding_note


def test_faults_are_counted_and_the_first_two_hundred_shown(cast: Cast) -> None:
    job = put(cast.actor("alice"), sheet(*(f",bad{n},," for n in range(150))))
    state = visit(cast, f"?job={job}", "save")
    assert (state.phase, state.fault_count) == ("faults", "300 faults in 150 rows")
    assert (len(state.faults), state.faults_left) == (200, True)
    assert state.faults[0] == {"key": 0, "row": "2", "column": "Account name", "value": "", "text": "Enter a name."}


@pytest.mark.parametrize("who", ["alice", "mallory"])
def test_an_unknown_and_anothers_import_look_the_same(cast: Cast, who: str) -> None:
    job = put(cast.actor("mallory" if who == "alice" else "alice"), GOOD)
    unknown, anothers = visit(cast, "?job=unknown", "check", "save", who=who), visit(cast, f"?job={job}", who=who)
    assert unknown.phase == anothers.phase == "missing"
    assert unknown.job == anothers.job == anothers.file_name == ""


def test_importing_says_how_many_and_a_second_click_adds_nothing(cast: Cast) -> None:
    job, before = put(cast.actor("alice"), GOOD, "list.csv"), len(emails())
    state = visit(cast, f"?job={job}", "save", "save", "check")
    assert (state.phase, state.notice) == ("done", "2 accounts were imported from list.csv.")
    assert len(emails()) == before + 2
    assert visit(cast, f"?job={job}").notice == "2 accounts were imported already from list.csv."


def test_two_clicks_at_once_import_once(cast: Cast) -> None:
    job, before = put(cast.actor("alice"), GOOD), len(emails())

    async def scene(made: Pipeline) -> ImportAccountsState:
        tab = made.tab(cookie_of(cast.alice), f"/accounts/import?job={job}")
        await click(tab, "load")
        await asyncio.gather(*(click(tab, "save") for _ in range(5)))
        return await shown(tab)

    assert play(scene).phase == "done"
    assert len(emails()) == before + 2


def test_a_second_tab_is_told_that_the_first_has_imported_it(cast: Cast) -> None:
    job = put(cast.actor("alice"), GOOD)

    async def scene(made: Pipeline) -> list[str]:
        tabs = [made.tab(cookie_of(cast.alice), f"/accounts/import?job={job}") for _ in range(2)]
        for tab in tabs:
            await click(tab, "load")
        for tab in tabs:
            await click(tab, "save")
        return [(await shown(tab)).notice for tab in tabs]

    first, second = play(scene)
    assert "already" not in first
    assert "imported already" in second


def test_addresses_taken_meanwhile_are_shown_as_faults(cast: Cast) -> None:
    job = put(cast.actor("alice"), GOOD)

    async def scene(made: Pipeline) -> ImportAccountsState:
        tab = made.tab(cookie_of(cast.alice), f"/accounts/import?job={job}")
        await click(tab, "load")
        with db.writing() as session:
            factories.account(session, cast.partner_b, email="bob@x.example")
        await click(tab, "save")
        return await shown(tab)

    state = play(scene)
    assert (state.phase, state.fault_count) == ("faults", "1 fault in 1 row")
    assert state.problem.startswith("Nothing was imported")
    assert "ann@x.example" not in emails()


def test_cancel_forgets_the_file_and_leads_back(cast: Cast) -> None:
    job = put(cast.actor("alice"), GOOD)

    async def scene(made: Pipeline) -> list[str]:
        tab = made.tab(cookie_of(cast.alice), f"/accounts/import?job={job}")
        await click(tab, "load")
        return (await click(tab, "cancel")).redirects

    assert play(scene) == ["/accounts/import"]
    assert rows(AccountImport) == 0


def test_a_permission_taken_away_after_the_check_stops_the_import(cast: Cast) -> None:
    job, before = put(cast.actor("alice"), GOOD), emails()

    async def scene(made: Pipeline) -> Answer:
        tab = made.tab(cookie_of(cast.alice), f"/accounts/import?job={job}")
        await click(tab, "load")
        with db.writing() as session:
            session.execute(update(User).where(User.id == cast.alice.id).values(role=Role.CUSTOM))
        return await click(tab, "save")

    assert play(scene).var("denied") == "You may not add accounts."
    assert emails() == before


def test_an_import_that_cannot_be_saved_may_be_tried_again(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_given: Any) -> None:
        raise import_service.Conflict(import_service.BUSY)

    monkeypatch.setattr(import_service, "_save_job", busy)
    state = visit(cast, f"?job={put(cast.actor('alice'), GOOD)}", "save")
    assert (state.phase, state.problem) == ("ready", import_service.BUSY)


@pytest.mark.parametrize(("broken_at", "phase"), [("load", "stopped"), ("save", "ready")])
def test_a_defect_leaves_a_page_that_can_go_on(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, broken_at: str, phase: str
) -> None:
    def broken(*_given: Any) -> None:
        raise ZeroDivisionError

    job = put(cast.actor("alice"), GOOD)

    async def scene(made: Pipeline) -> ImportAccountsState:
        tab = made.tab(cookie_of(cast.alice), f"/accounts/import?job={job}")
        for name in ("load", "save"):
            if name == broken_at:
                monkeypatch.setattr(import_service, "_check", broken)
            await click(tab, name)
        return await shown(tab)

    state = play(scene)
    assert (state.phase, state.problem) == (phase, FAILED)


def _held(monkeypatch: pytest.MonkeyPatch, scene: Callable[[Pipeline, Event, Event], Awaitable[Any]]) -> Any:
    """Play a scene in which checks begin (the first event) and wait for the second before they go on."""
    begun, go = Event(), Event()
    check = import_service._check

    def held(content: bytes, known: Any, on_step: Any) -> Checked:
        on_step(0.5)
        begun.set()
        assert go.wait(SECONDS)
        return check(content, known, on_step)

    monkeypatch.setattr(import_service, "_check", held)
    return play(lambda made: scene(made, begun, go))


async def _until(tab: Tab, true: Callable[[ImportAccountsState], bool]) -> ImportAccountsState:
    async with asyncio.timeout(SECONDS):
        while not true(await shown(tab)):
            await anyio.lowlevel.checkpoint()
    return await shown(tab)


def test_while_a_file_is_checked_the_page_shows_how_far_and_others_wait_their_turn(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = [put(cast.actor(who), GOOD) for who in ("alice", "mallory")]

    async def scene(made: Pipeline, begun: Event, go: Event) -> list[str]:
        alice = made.tab(cookie_of(cast.alice), f"/accounts/import?job={jobs[0]}")
        mallory = made.tab(cookie_of(cast.mallory), f"/accounts/import?job={jobs[1]}")
        first = asyncio.create_task(click(alice, "load"))
        await _until(alice, lambda state: state.percent == 50)
        second = asyncio.create_task(click(mallory, "load"))
        await _until(mallory, lambda state: state.work == NEXT)
        go.set()
        await asyncio.gather(first, second)
        return [(await shown(tab)).phase for tab in (alice, mallory)]

    assert _held(monkeypatch, scene) == ["ready", "ready"]


def test_a_check_that_is_under_way_is_not_begun_again(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    job = put(cast.actor("alice"), GOOD)

    reads: list[str] = []
    content = import_service._content

    def counted(session: Session, actor: Actor, asked: str) -> bytes:
        reads.append(asked)
        return content(session, actor, asked)

    async def scene(made: Pipeline, begun: Event, go: Event) -> None:
        tab = made.tab(cookie_of(cast.alice), f"/accounts/import?job={job}")
        checking = asyncio.create_task(click(tab, "load"))
        await _until(tab, lambda state: state.percent == 50)
        again = asyncio.create_task(click(tab, "check"))
        go.set()
        await asyncio.gather(checking, again)

    monkeypatch.setattr(import_service, "_content", counted)
    _held(monkeypatch, scene)
    assert reads == [job]


def test_a_check_that_was_left_ends_and_shows_nothing(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    job = put(cast.actor("alice"), GOOD)

    async def scene(made: Pipeline, begun: Event, go: Event) -> ImportAccountsState:
        tab = made.tab(cookie_of(cast.alice), f"/accounts/import?job={job}")
        checking = asyncio.create_task(click(tab, "load"))
        await _until(tab, lambda state: state.percent == 50)
        tab.path = "/accounts/import"
        await click(tab, "load")
        go.set()
        await checking
        return await shown(tab)

    state = _held(monkeypatch, scene)
    assert (state.phase, state.accounts, state.percent) == ("upload", "", 0)
    with db.reading() as session:
        assert session.exec(select(AccountImport.id)).one() == job
