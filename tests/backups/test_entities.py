"""Entities of a task: who may, what a listing changes, what people decide, and what of it is billed."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session, col, select

from portal_app import clock, db, live
from portal_app.auth.actor import NOBODY
from portal_app.auth.permissions import Permission
from portal_app.backups.entities import repository, service
from portal_app.backups.entities.query import EntityQuery
from portal_app.backups.entities.rows import EntityPage, Noted, SeenEntity, ShownState
from portal_app.backups.service import record_run
from portal_app.errors import Conflict, Denied, Invalid, NotFound
from portal_app.models import (
    Account,
    AuditEvent,
    BackupEntity,
    BackupRun,
    BackupTask,
    Job,
    OutboxMail,
    Outcome,
    Standing,
    Subscription,
)
from tests import factories
from tests.backups.conftest import Cast, at_once, report, without

AT = clock.now().replace(microsecond=0)
LATER = AT + timedelta(hours=1)


def new_task(account_id: int, **given: Any) -> int:
    values = {"account_id": account_id, "key": "mail", "name": "Mail", "service": "exchange", "created_at": AT}
    return db.write(lambda session: factories.save(session, BackupTask(**values | given)).id)


@pytest.fixture
def task(cast_anywhere: Cast) -> int:
    return new_task(cast_anywhere.account)


def see(task_id: int, *seen: SeenEntity | str, at: Any = AT, **how: Any) -> Noted:
    listing = [SeenEntity(one) if isinstance(one, str) else one for one in seen]
    return db.write(
        lambda session: service.note_seen(session, session.get_one(BackupTask, task_id), listing, at, **how)
    )


def standings(task_id: int) -> dict[str, str]:
    query = select(BackupEntity.key, BackupEntity.standing).where(BackupEntity.task_id == task_id)
    return db.read(lambda session: dict(session.exec(query).all()))


def ids(task_id: int, *keys: str) -> list[int]:
    query = select(BackupEntity.key, BackupEntity.id).where(BackupEntity.task_id == task_id)
    found = db.read(lambda session: dict(session.exec(query).all()))
    return [found[key] for key in keys]


def counts(task_id: int) -> tuple[int, int]:
    task = db.read(lambda session: session.get_one(BackupTask, task_id))
    return task.entities, task.billed_entities


def entity(key: str) -> BackupEntity:
    return db.read(lambda session: session.exec(select(BackupEntity).where(BackupEntity.key == key)).one())


def page_of(cast: Cast, task_id: int, **asked: Any) -> EntityPage:
    query = EntityQuery(account_id=cast.account, task_id=task_id, **asked)
    return db.read(service.page, cast.alice, query)


def keys(page: EntityPage) -> list[str]:
    return [row.key for row in page.rows]


def cap(cast: Cast, seats: int) -> None:
    day = AT.date()
    row = {"partner_id": cast.partner_id, "plan": "monthly", "started_on": day, "anchor_on": day, "covered_until": day}
    db.write(
        lambda session: factories.save(session, Subscription(account_id=cast.account, seat_cap=seats, **row)).account_id
    )


def mails() -> list[str]:
    """Subjects; each is sent to two administrators."""
    return db.read(lambda session: list(session.exec(select(OutboxMail.subject).order_by(col(OutboxMail.id)))))


# Access


def test_only_who_may_sees_and_decides(cast_anywhere: Cast, task: int) -> None:
    cast = cast_anywhere
    see(task, "ada")
    query = EntityQuery(account_id=cast.account, task_id=task)
    for actor in (without(cast.alice, Permission.ACCOUNTS_ACCESS), NOBODY, cast.engine):
        with pytest.raises(Denied):
            db.read(service.page, actor, query)
    for actor in (without(cast.alice, Permission.TASKS_MANAGE), NOBODY, cast.customer, cast.engine):
        with pytest.raises(Denied):
            db.write(service.decide, actor, task, ids(task, "ada"), "archive")
    assert standings(task) == {"ada": "active"}
    for actor in (cast.alice, cast.bob, cast.customer):
        assert keys(db.read(service.page, actor, query)) == ["ada"]


def test_a_strangers_task_and_entities_answer_like_unknown_ones(cast_anywhere: Cast, task: int) -> None:
    cast = cast_anywhere
    strangers, hidden = new_task(cast.charlies_account), new_task(cast.other_account)
    for one in (task, strangers, hidden):
        see(one, "ada")
    told = set()
    for actor, number, account_id in (
        (cast.alice, strangers, cast.charlies_account),
        (cast.alice, task, cast.other_account),
        (cast.bob, hidden, cast.other_account),
        (cast.customer, hidden, cast.other_account),
        (cast.alice, 999_999, cast.account),
    ):
        with pytest.raises(NotFound) as refused:
            db.read(service.page, actor, EntityQuery(account_id=account_id, task_id=number))
        told.add(refused.value.sentence)
        assert account_id == cast.other_account or db.read(repository.listed, actor, number) == []
    for number in (strangers, 999_999):
        with pytest.raises(NotFound) as refused:
            db.write(service.decide, cast.alice, number, ids(task, "ada"), "archive")
        told.add(refused.value.sentence)
    assert told == {service.NOT_FOUND}
    for number in (*ids(strangers, "ada"), *ids(hidden, "ada"), 999_999):
        with pytest.raises(NotFound, match="no such entity"):
            db.write(service.decide, cast.alice, task, [*ids(task, "ada"), number], "archive")
    assert [standings(one) for one in (task, strangers, hidden)] == [{"ada": "active"}] * 3


# What a listing changes


def test_a_listing_is_kept_with_what_each_attempt_brought(cast_anywhere: Cast, task: int) -> None:
    told = see(
        task,
        SeenEntity("ada", "Ada", "mailbox", 500, Outcome.SUCCESSFUL, licensed=True),
        SeenEntity("bo", "Bo", "mailbox", 70, Outcome.FAILED, "Access refused.", licensed=False),
    )
    assert told == Noted(new=2)
    ada, bo = entity("ada"), entity("bo")
    assert (ada.account_id, ada.name, ada.kind, ada.size_bytes, ada.outcome) == (
        cast_anywhere.account, "Ada", "mailbox", 500, "successful",
    )  # fmt: skip
    assert (ada.last_backup_at, ada.last_attempt_at, ada.found_at) == (AT, AT, AT)
    assert (bo.last_backup_at, bo.last_attempt_at, bo.error) == (None, AT, "Access refused.")
    see(
        task,
        SeenEntity("ada", outcome=Outcome.FAILED, error="Gone\nmad\x00"),
        SeenEntity("bo", outcome=Outcome.PARTIAL, error="Two folders."),
        at=LATER,
    )
    ada, bo = entity("ada"), entity("bo")
    assert (ada.name, ada.size_bytes, ada.licensed, ada.error) == ("Ada", 500, True, "Gone mad")
    assert (ada.last_backup_at, ada.last_attempt_at) == (AT, LATER)
    assert (bo.last_backup_at, bo.error, bo.licensed, bo.found_at) == (LATER, "Two folders.", False, AT)
    see(task, SeenEntity("ada", outcome=Outcome.SUCCESSFUL), "bo", at=LATER)
    assert (entity("ada").error, entity("bo").outcome) == ("", "partial")


def test_what_nobody_can_see_is_in_no_name(task: int) -> None:
    see(task, "a\u202eb", SeenEntity("cy", "C\x00y\ud800"), SeenEntity("dee", "\x1b"))
    assert [entity(key).name for key in ("a\u202eb", "cy", "dee")] == ["a b", "C y", "dee"]
    see(task, "a\u202eb", SeenEntity("cy", "Cyrus"), "dee")
    assert [entity(key).name for key in ("a\u202eb", "cy", "dee")] == ["a b", "Cyrus", "dee"]


def test_what_is_gone_becomes_inactive_and_comes_back(task: int) -> None:
    see(task, "ada", "bo", "cy")
    assert see(task, "ada", whole=False) == Noted()
    assert see(task, "ada") == Noted(gone=2)
    assert standings(task) == {"ada": "active", "bo": "inactive", "cy": "inactive"}
    assert counts(task) == (3, 1)
    assert see(task, "ada", "bo") == Noted(back=1)
    assert standings(task) == {"ada": "active", "bo": "active", "cy": "inactive"}
    assert counts(task) == (3, 2)


@pytest.mark.parametrize(("rule", "standing"), [("add", "active"), ("ask", "waiting"), ("ignore", "ignored")])
def test_what_appears_later_stands_as_the_rule_says(cast_anywhere: Cast, rule: str, standing: str) -> None:
    task = new_task(cast_anywhere.account, discovery=rule)
    assert see(task, "ada").waiting == 0
    assert see(task, "ada", "bo") == Noted(new=1, waiting=int(rule == "ask"))
    assert standings(task) == {"ada": "active", "bo": standing}
    # It stands so until somebody decides.
    see(task, "ada", "bo")
    assert standings(task) == {"ada": "active", "bo": standing}
    assert counts(task) == ((2, 2) if rule == "add" else (1, 1))
    with db.reading() as session:
        to_do = service.to_back_up(session, session.get_one(BackupTask, task))
    assert [one.key for one in to_do] == (["ada", "bo"] if rule == "add" else ["ada"])


def test_a_number_counts_until_entities_are_told(task: int) -> None:
    def note(number: int) -> None:
        db.write(lambda session: service.note_number(session, session.get_one(BackupTask, task), number))

    note(12)
    assert counts(task) == (12, 12)
    see(task, "ada", SeenEntity("room", licensed=False))
    assert counts(task) == (2, 1)
    note(40)
    assert counts(task) == (2, 1)


def test_ten_thousand_entities_are_noted_in_a_few_statements(task: int) -> None:
    many = [SeenEntity(f"m{number}", f"Mailbox {number}", "mailbox", number) for number in range(10_000)]
    assert see(task, *many).new == 10_000
    assert see(task, *many[5:], at=LATER) == Noted(gone=5)
    assert counts(task) == (10_000, 9_995)


# What people decide


@pytest.mark.parametrize(
    ("decision", "changes"),
    [
        ("add", {"waiting": "active", "ignored": "active"}),
        ("ignore", {"waiting": "ignored"}),
        ("archive", {"active": "archived", "inactive": "archived"}),
        ("reactivate", {"archived": "active"}),
    ],
)
def test_a_decision_changes_what_it_is_for(
    cast_anywhere: Cast, task: int, decision: str, changes: dict[str, str]
) -> None:
    cast, every = cast_anywhere, [str(one) for one in Standing]
    with db.writing() as session:
        for standing in every:
            values = {"name": standing, "name_key": standing, "standing": standing, "found_at": AT}
            session.add(BackupEntity(account_id=cast.account, task_id=task, key=standing, **values))
    before = db.read(live.number_of, cast.partner_id)
    assert db.write(service.decide, cast.alice, task, ids(task, *every), decision) == len(changes)
    after = {standing: changes.get(standing, standing) for standing in every}
    assert standings(task) == after
    assert counts(task)[1] == list(after.values()).count("active")
    assert db.read(live.number_of, cast.partner_id) > before
    with pytest.raises(Conflict):
        db.write(service.decide, cast.alice, task, ids(task, *changes), decision)
    told = db.read(lambda session: session.exec(select(AuditEvent)).all())
    assert [(row.activity, row.account_id, row.performed_by) for row in told] == [
        ("Backup tasks", cast.account, cast.alice.email)
    ]
    assert all(name in told[0].description for name in changes)


@pytest.mark.parametrize(("chosen", "decision"), [([], "add"), ([1] * 10_001, "add"), ([1], "burn")])
def test_what_cannot_be_decided(cast: Cast, chosen: Sequence[int], decision: str) -> None:
    task = new_task(cast.account)
    see(task, "ada")
    chosen = [ids(task, "ada")[0]] * len(chosen)
    with pytest.raises(Invalid):
        db.write(service.decide, cast.alice, task, chosen, decision)


# What is billed


def test_active_and_not_unlicensed_is_billed(cast_anywhere: Cast, task: int) -> None:
    see(task, "ada", SeenEntity("bo", licensed=True), SeenEntity("room", licensed=False), "cy", "dee")
    assert counts(task) == (5, 4)
    db.write(service.decide, cast_anywhere.alice, task, ids(task, "cy"), "archive")
    assert counts(task) == (5, 3)
    see(task, SeenEntity("ada", licensed=False), "bo", SeenEntity("room", licensed=True), "cy")
    assert standings(task)["dee"] == "inactive"
    assert counts(task) == (5, 2)


def test_above_the_cap_new_ones_wait_and_it_is_told(cast_anywhere: Cast, task: int) -> None:
    cast = cast_anywhere
    new_task(cast.account, key="sites", billed_entities=2)
    cap(cast, 4)
    assert see(task, "ada") == Noted(new=1)
    free = SeenEntity("room", licensed=False)
    assert see(task, "ada", "bo", "cy", free, "dee") == Noted(new=4, waiting=2, capped=2)
    assert standings(task) == {"ada": "active", "bo": "active", "cy": "waiting", "room": "active", "dee": "waiting"}
    assert counts(task) == (3, 2)
    subjects = mails()
    assert len(subjects) == 2 and "has reached its seat cap" in subjects[0]
    # Told once: the same listing finds nothing new.
    assert see(task, "ada", "bo", "cy", free, "dee") == Noted()
    assert mails() == subjects
    # Whoever adds them all the same is warned that they will be billed.
    db.write(service.decide, cast.alice, task, ids(task, "cy"), "add")
    assert counts(task) == (4, 3)
    assert len(mails()) == 4 and "more seats than its cap" in mails()[-1]


def test_a_seat_that_becomes_free_takes_who_comes(cast: Cast) -> None:
    task = new_task(cast.account)
    cap(cast, 2)
    see(task, "ada", "bo")
    assert see(task, "bo", "cy") == Noted(new=1, gone=1)
    assert see(task, "ada", "bo", "cy") == Noted(waiting=0, back=0, capped=1)
    assert standings(task) == {"ada": "waiting", "bo": "active", "cy": "active"}


def test_listings_and_decisions_at_once_leave_each_entity_once_and_the_count_right(
    cast_anywhere: Cast, task: int
) -> None:
    see(task, "ada")
    ada = ids(task, "ada")

    def do(number: int) -> None:
        if number % 2:
            see(task, "ada", "bo", "cy", at=LATER)
        else:
            with suppress(Conflict):
                db.write(service.decide, cast_anywhere.alice, task, ada, ("archive", "reactivate")[number // 2 % 2])

    at_once(do, 6)
    assert sorted(standings(task)) == ["ada", "bo", "cy"]
    assert counts(task) == (3, list(standings(task).values()).count("active"))


def test_a_report_that_dies_on_its_entities_leaves_nothing(
    cast_anywhere: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    cast = cast_anywhere
    given = report(cast, entities=None, entity_list=[{"key": "ada"}])

    def broken(*_given: Any) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch, pytest.raises(ZeroDivisionError):
        patch.setattr(repository, "counted", broken)
        db.write(record_run, cast.engine, given)
    for model in (BackupTask, BackupRun, BackupEntity):
        assert db.read(lambda session, model=model: session.exec(select(model)).all()) == []
    task_id = db.write(record_run, cast.engine, given).task_id
    assert (standings(task_id), counts(task_id)) == ({"ada": "active"}, (1, 1))


# Reading


def test_a_page_searches_filters_sorts_and_turns(cast_anywhere: Cast, task: int) -> None:
    cast = cast_anywhere
    see(
        task,
        SeenEntity("k1", "Ådne", "mailbox", 10, Outcome.SUCCESSFUL, licensed=True),
        SeenEntity("k2", "bea 100%", "room", 30, Outcome.FAILED, "No.", licensed=False),
        SeenEntity("k3", "Cleo", "mailbox", 20, Outcome.PARTIAL),
        SeenEntity("k4", "bea_2"),
    )
    see(task, "k1", "k2", "k3", SeenEntity("k5", "Dora"))
    whole = page_of(cast, task)
    assert (keys(whole), whole.matching, whole.total) == (["k2", "k4", "k3", "k5", "k1"], 5, 5)
    assert whole.standings == {"active": 4, "inactive": 1}
    found = page_of(cast, task, search="BEA")
    assert (keys(found), found.matching, found.total) == (["k2", "k4"], 2, 5)
    assert keys(page_of(cast, task, search="0%")) == ["k2"]
    assert keys(page_of(cast, task, search="a_")) == ["k4"]
    assert keys(page_of(cast, task, sort="size", descending=True))[:3] == ["k2", "k3", "k1"]
    assert keys(page_of(cast, task, standing="inactive")) == ["k4"]
    assert keys(page_of(cast, task, state="failed")) == ["k2"]
    assert keys(page_of(cast, task, state="scheduled")) == ["k5"]
    assert keys(page_of(cast, task, sort="name", descending=True)) == ["k1", "k5", "k3", "k4", "k2"]
    assert keys(page_of(cast, task, sort="attempt"))[:2] == ["k4", "k5"]
    for sort in EntityQuery.SORTS:
        for descending in (False, True):
            assert len(page_of(cast, task, sort=sort, descending=descending).rows) == 5
    bea = whole.rows[0]
    assert (bea.name, bea.kind, bea.licensed, bea.billed, bea.error) == ("bea 100%", "room", False, False, "No.")


def test_ids_turn_the_pages_of_programs(cast_anywhere: Cast, task: int) -> None:
    see(task, *"dbace")
    first = db.read(repository.listed, cast_anywhere.alice, task, limit=3)
    rest = db.read(repository.listed, cast_anywhere.alice, task, after=first[-1].id, limit=3)
    assert [row.key for row in (*first, *rest)] == list("dbace")


@pytest.mark.parametrize("active", [True, False])
@pytest.mark.parametrize("running", [True, False])
def test_each_entity_has_one_state_and_its_filter_finds_it(
    cast_anywhere: Cast, task: int, active: bool, running: bool
) -> None:
    cast = cast_anywhere
    rows = [
        (standing, outcome, attempted)
        for standing in Standing
        for outcome in (None, *Outcome)
        for attempted in ((None,) if outcome is None else (AT, LATER))
    ]
    with db.writing() as session:
        session.get_one(BackupTask, task).active = active
        if running:
            began = {"started_at": AT + timedelta(minutes=1), "run_at": AT, "created_at": AT}
            session.add(Job(kind="backup", account_id=cast.account, task_id=task, state="running", **began))
        for number, (standing, outcome, attempted) in enumerate(rows):
            values = {"key": str(number), "name": "", "name_key": "", "found_at": AT, "last_attempt_at": attempted}
            values |= {"standing": standing, "outcome": outcome}
            session.add(BackupEntity(account_id=cast.account, task_id=task, **values))
    shown = {row.key: row.state for row in page_of(cast, task, size=100).rows}
    assert shown == {str(number): _state(*row, active, running) for number, row in enumerate(rows)}
    for state in ShownState:
        found = page_of(cast, task, state=state, size=100)
        assert set(keys(found)) == {key for key, one in shown.items() if one == state}


def _state(standing: str, outcome: str | None, attempted: Any, active: bool, running: bool) -> str:
    if standing != Standing.ACTIVE:
        return "archived" if standing == Standing.ARCHIVED else "not_active"
    if not active:
        return "paused"
    if running and attempted != LATER:
        return "in_process"
    return {None: "scheduled", "successful": "success"}.get(outcome, outcome)


def test_the_account_goes_with_its_entities(cast_anywhere: Cast, task: int) -> None:
    see(task, "ada")

    def remove(session: Session) -> None:
        session.delete(session.get_one(BackupTask, task))
        session.flush()
        session.delete(session.get_one(Account, cast_anywhere.other_account))

    db.write(remove)
    assert standings(task) == {}
