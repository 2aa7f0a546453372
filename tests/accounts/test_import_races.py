"""Two who import at the same moment: one wins, the other is told; on every database."""

from collections.abc import Callable
from threading import Event, Thread

import pytest
from sqlmodel import Session

from portal_app import db
from portal_app.accounts import import_save, import_service
from portal_app.accounts.import_service import Saved
from portal_app.auth.actor import Actor
from tests import factories
from tests.accounts.import_files import audit, emails, put, sheet, silent

SECONDS = 30
# At it the check is over; beyond it accounts are written in a transaction that is still open.
CHECKED = import_service._CHECKING
ONE = sheet(*(f"A{n},a{n}@x.example,," for n in range(40)))
OTHER = sheet(*(f"B{n},a{n}@x.example,," for n in reversed(range(20, 60))))


def people(session: Session) -> tuple[Actor, Actor, Actor]:
    """Two colleagues, and somebody of another partner."""
    factories.data_center(session)
    ours, theirs = factories.partner(session), factories.partner(session)
    return tuple(factories.actor(factories.user(session, of)) for of in (ours, ours, theirs))


def both(first: tuple[Actor, str], second: tuple[Actor, str]) -> list[Saved]:
    """Save two imports; the second has passed its check before the first is through, and saves after it."""
    found: dict[int, Saved] = {}
    checked = Event()

    def save_second() -> None:
        found[1] = import_service.save(*second, lambda share: checked.set() if share >= CHECKED else None)

    other = Thread(target=save_second)

    def step(share: float) -> None:
        if share > CHECKED and other.ident is None:
            other.start()
            assert checked.wait(SECONDS)

    found[0] = import_service.save(*first, step)
    other.join(SECONDS)
    return [found[0], found[1]]


@pytest.mark.parametrize("who", [1, 2], ids=["a colleague", "another partner"])
def test_two_files_with_the_same_addresses(store: dict[str, str], who: int) -> None:
    cast = db.write(people)
    first, second = (cast[0], put(cast[0], ONE)), (cast[who], put(cast[who], OTHER))
    won, lost = both(first, second)
    assert (won.accounts, won.faults) == (40, [])
    assert (lost.accounts, len(lost.faults)) == (0, 20)
    assert {fault.column for fault in lost.faults} == {"Account email"}
    assert emails() == sorted(f"a{n}@x.example" for n in range(40))
    assert {event.user_id for event in audit()} == {cast[0].user_id}


def test_two_tabs_with_the_same_import(store: dict[str, str]) -> None:
    actor = db.write(people)[0]
    job = put(actor, ONE)
    assert both((actor, job), (actor, job)) == [Saved(40), Saved(40, before=True)]
    assert len(emails()) == 40
    assert len(audit()) == 41


def test_different_files_of_one_partner_are_both_saved(store: dict[str, str]) -> None:
    cast = db.write(people)
    rest = sheet(*(f"C{n},c{n}@x.example,," for n in range(40)))
    assert both((cast[0], put(cast[0], ONE)), (cast[1], put(cast[1], rest))) == [Saved(40), Saved(40)]
    assert len(emails()) == 80


def test_two_partners_never_wait_for_each_other_in_a_ring(
    store: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second would write the first's last addresses before its first ones, were they not taken in one order."""
    monkeypatch.setattr(import_save, "_AT_ONCE", 10)
    cast = db.write(people)
    upwards, downwards = (
        put(cast[0], ONE),
        put(cast[2], sheet(*(f"B{n},a{n:02}@x.example,," for n in range(99, 9, -1)))),
    )
    found: dict[int, Saved] = {}
    wrote = Event()

    def second(share: float) -> None:
        if share > CHECKED:
            wrote.set()

    other = Thread(target=lambda: found.update({1: import_service.save(cast[2], downwards, second)}))

    def first(share: float) -> None:
        if share > CHECKED and other.ident is None:
            other.start()
            wrote.wait(1)

    found[0] = import_service.save(cast[0], upwards, first)
    other.join(SECONDS)
    assert found[0] == Saved(40)
    assert len(found[1].faults) == 30


def at_once(*calls: Callable[[], object]) -> None:
    threads = [Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
    assert not any(thread.is_alive() for thread in threads)


def test_many_uploads_of_one_user_leave_one_file(store: dict[str, str]) -> None:
    actor = db.write(people)[0]
    jobs: list[str] = []
    at_once(*[lambda: jobs.append(put(actor, ONE))] * 6)
    assert len(set(jobs)) == 6
    left = db.read(import_service.form, actor).left
    assert left is not None
    assert import_service.save(actor, left.job, silent) == Saved(40)


def test_many_who_save_at_once_add_each_address_once(store: dict[str, str]) -> None:
    cast = db.write(people)
    jobs = [(actor, put(actor, content)) for actor, content in zip(cast, (ONE, OTHER, ONE), strict=True)]
    found: list[Saved] = []
    at_once(*(lambda one=one: found.append(import_service.save(*one, silent)) for one in jobs for _ in range(2)))
    won = [saved for saved in found if saved.accounts and not saved.before]
    assert len(found) == 6
    assert len(won) == 1
    assert len(emails()) == 40
