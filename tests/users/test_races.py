"""Two at the same moment, on each database that is supported."""

from collections.abc import Callable
from dataclasses import replace
from threading import Barrier, Thread
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlmodel import col

from portal_app import db
from portal_app.errors import PortalError
from portal_app.models import OneTimeLink, Role, User, UserState
from portal_app.users import invitations, service
from tests import factories
from tests.cast import HERE, Cast
from tests.users.people import LENA, as_is, audit, by_email, link_of, row

SECONDS = 30
NEW = "a rather odd phrase 7"


def at_once(*calls: Callable[[], object]) -> list[object]:
    """What each gave or raised; they start together."""
    start, found = Barrier(len(calls)), list[object]([None] * len(calls))

    def run(number: int) -> None:
        start.wait(SECONDS)
        try:
            found[number] = calls[number]()
        except PortalError as refusal:
            found[number] = refusal

    threads = [Thread(target=run, args=(number,)) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
    assert not any(thread.is_alive() for thread in threads)
    return found


def refused(found: list[object]) -> int:
    return sum(isinstance(one, PortalError) for one in found)


def edit(by: User, user: User, **changes: Any) -> str:
    """Save the changes as an editor that was opened before anything happened."""
    return service.change(factories.actor(by), user.id or 0, user.version, as_is(user, **changes))


def administrators(office: Cast) -> int:
    """How many of partner A's administrators can sign in."""
    able = (col(User.role) == Role.ADMINISTRATOR, col(User.state) == UserState.ACTIVE)
    wanted = select(func.count()).select_from(User).where(col(User.partner_id) == office.partner_a.id, *able)
    return db.read(lambda session: session.scalar(wanted)) or 0


ACTS: dict[str, Callable[[User, User], object]] = {
    "demote": lambda by, user: edit(by, user, role=Role.CUSTOM),
    "disable": lambda by, user: service.disable(factories.actor(by), user.id or 0, user.version),
    "delete": lambda by, user: service.remove(factories.actor(by), user.id or 0, user.version),
}


@pytest.mark.parametrize("first", ACTS)
@pytest.mark.parametrize("second", ACTS)
def test_two_administrators_who_remove_each_other_leave_one(office: Cast, first: str, second: str) -> None:
    bea = db.write(lambda session: factories.user(session, office.partner_a, email="bea@people.example"))
    found = at_once(lambda: ACTS[first](office.alice, bea), lambda: ACTS[second](bea, office.alice))
    assert refused(found) == 1
    assert administrators(office) == 1
    assert [event.completed for event in audit()] == [True, False]


def test_three_who_remove_each_other_in_a_ring_leave_one(office: Cast) -> None:
    others = [db.write(lambda session: factories.user(session, office.partner_a)) for _ in range(2)]
    ring = [office.alice, *others]
    at_once(*(lambda i=i: ACTS["demote"](ring[i], ring[(i + 1) % 3]) for i in range(3)))
    assert administrators(office) >= 1


def test_an_address_is_given_once_in_the_whole_portal(office: Cast) -> None:
    found = at_once(
        lambda: service.add(office.actor("alice"), LENA),
        lambda: service.add(office.actor("mallory"), replace(LENA, email="LENA@people.example ")),
    )
    assert refused(found) == 1
    total = select(func.count()).select_from(User).where(col(User.email_key) == "lena@people.example")
    assert db.read(lambda session: session.scalar(total)) == 1


def test_of_two_editors_the_second_is_told(office: Cast) -> None:
    seen = row(office.carol.id)
    assert refused(at_once(*(lambda n=n: edit(office.alice, seen, name=n) for n in "AB"))) == 1
    assert len(audit()) == 1


def test_a_link_is_spent_once_even_when_it_is_sent_many_times_at_once(office: Cast) -> None:
    service.add(office.actor("alice"), LENA)
    token = link_of(LENA.email)
    found = at_once(*[lambda: invitations.accept(token, NEW, NEW, HERE)] * 6)
    assert refused(found) == 5
    assert by_email(LENA.email).state == UserState.ACTIVE


@pytest.mark.parametrize("act", ["remove", "resend", "change"])
def test_a_link_that_is_taken_while_the_user_is_changed_blocks_nobody(office: Cast, act: str) -> None:
    lena = by_email(service.add(office.actor("alice"), LENA))
    token, me = link_of(LENA.email), office.actor("alice")
    acts = {
        "remove": lambda: service.remove(me, lena.id or 0, lena.version),
        "resend": lambda: service.resend(me, lena.id or 0),
        "change": lambda: service.change(me, lena.id or 0, lena.version, as_is(lena, email="new@people.example")),
    }
    found = at_once(lambda: invitations.accept(token, NEW, NEW, HERE), acts[act])
    assert refused(found) <= 1
    left = db.read(lambda session: session.query(OneTimeLink).count())
    assert left == (0 if act == "remove" or isinstance(found[1], PortalError) else 1 - isinstance(found[0], str))
