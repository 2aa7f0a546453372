"""Two administrators at once: one of them waits, and then finds what the other left."""

from collections.abc import Callable
from dataclasses import replace
from threading import Barrier, Thread

import pytest
from sqlmodel import Session

from portal_app import db
from portal_app.auth.actor import Actor
from portal_app.errors import Conflict, Denied, NotFound, PortalError
from portal_app.ip_restrictions import repository, service
from portal_app.ip_restrictions.rows import EntryForm
from portal_app.models import Partner
from tests import factories
from tests.ip_restrictions.places import HOME, OFFICE, add_entry, restrict

SECONDS = 30
ROUNDS = 8


def office(session: Session) -> tuple[Partner, Actor, Actor, list[int]]:
    """Two administrators at one address, which two entries hold."""
    partner = factories.partner(session)
    two = [replace(factories.actor(factories.user(session, partner)), origin=OFFICE) for _ in range(2)]
    ids = [int(add_entry(session, partner, text).id or 0) for text in (OFFICE.address, "192.0.2.0/24")]
    restrict(session, partner)
    return partner, *two, ids


def at_once(*calls: Callable[[], object]) -> list[PortalError | None]:
    """Run them together; what each was refused with."""
    found: dict[int, PortalError | None] = {}
    start = Barrier(len(calls))

    def run(number: int, call: Callable[[], object]) -> None:
        start.wait(SECONDS)
        try:
            call()
            found[number] = None
        except PortalError as refusal:
            found[number] = refusal

    threads = [Thread(target=run, args=one) for one in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
    assert len(found) == len(calls)
    return [found[number] for number in range(len(calls))]


def test_two_who_delete_at_once_do_not_lock_themselves_out(store: dict[str, str]) -> None:
    for _ in range(ROUNDS):
        partner, alice, ann, (one, other) = db.write(office)
        refused = at_once(
            lambda a=alice, i=one: db.write(service.delete, a, i), lambda a=ann, i=other: db.write(service.delete, a, i)
        )
        assert sorted(type(r).__name__ for r in refused) == ["Conflict", "NoneType"]
        assert db.read(repository.is_trusted, partner.id, OFFICE.address)


def test_one_who_deletes_while_the_other_turns_them_on(store: dict[str, str]) -> None:
    for _ in range(ROUNDS):
        partner, alice, ann, (one, other) = db.write(office)
        db.write(service.switch, alice, False)
        db.write(service.delete, alice, one)
        refused = at_once(
            lambda a=alice: db.write(service.switch, a, True), lambda a=ann, i=other: db.write(service.delete, a, i)
        )
        assert sum(isinstance(r, Conflict) for r in refused) == 1
        on, trusted = db.read(lambda s, p=partner: s.get(Partner, p.id).ip_restricted), refused[0] is None
        assert on is trusted is db.read(repository.is_trusted, partner.id, OFFICE.address)


def test_two_who_shut_each_other_out(store: dict[str, str]) -> None:
    """Each at an address of their own deletes the other's: only one of them can have been first."""
    for _ in range(ROUNDS):
        partner, alice, ann, _ = db.write(office)
        ann = replace(ann, origin=HOME)
        theirs = int(db.write(add_entry, partner, HOME.address).id or 0)
        mine = [int(entry.id) for entry in db.read(service.overview, alice).entries[:2]]
        db.write(service.delete, alice, mine[0])
        refused = at_once(
            lambda a=alice, i=theirs: db.write(service.delete, a, i),
            lambda a=ann, i=mine[1]: db.write(service.delete, a, i),
        )
        assert sum(r is None for r in refused) == 1
        assert sum(isinstance(r, Denied) for r in refused) == 1


@pytest.mark.parametrize("times", [6])
def test_one_deletion_sent_many_times_is_one_deletion(store: dict[str, str], times: int) -> None:
    _partner, alice, _ann, (one, _other) = db.write(office)
    refused = at_once(*[lambda: db.write(service.delete, alice, one)] * times)
    assert sum(r is None for r in refused) == 1
    assert sum(isinstance(r, NotFound) for r in refused) == times - 1


def test_first_entries_at_once_turn_them_on_once(store: dict[str, str]) -> None:
    partner, alice, ann, ids = db.write(office)
    db.write(service.switch, alice, False)
    for number in ids:
        db.write(service.delete, alice, number)
    said: list[str] = []
    form = EntryForm("Office", OFFICE.address)
    at_once(*(lambda a=a: said.append(db.write(service.add, a, form)) for a in (alice, ann)))
    assert sorted("is on" in sentence for sentence in said) == [False, True]
    assert db.read(lambda session: session.get(Partner, partner.id).ip_restricted)
