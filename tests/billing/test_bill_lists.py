"""History and Unpaid Bills: whose bills, which part of them, in what order; what is owed."""

from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from sqlmodel import Session

from portal_app import clock, db
from portal_app.auth.actor import NOBODY, Actor, ActorKind
from portal_app.auth.permissions import Permission
from portal_app.billing import bills, standing
from portal_app.billing.bill_query import BillList, BillQuery
from portal_app.billing.bill_rows import BillPage, Owed
from portal_app.errors import Denied
from portal_app.models import Account, Bill, BillState, Partner
from tests.billing.factories import bill
from tests.cast import Cast, make_cast
from tests.factories import actor

UNPAID, HISTORY = BillQuery(BillList.UNPAID), BillQuery(BillList.HISTORY)
DAY = timedelta(days=1)


@dataclass
class Scene:
    """Alpha has a shared bill that is due, its first account's own one that is overdue, a refused card, a paid one."""

    cast: Cast
    shared: Bill
    own: Bill
    refused: Bill
    paid: Bill
    foreign: Bill


def make_scene(session: Session) -> Scene:
    cast, today = make_cast(session), clock.today()
    ash, birch, elm = cast.accounts_a
    a = cast.partner_a
    return Scene(
        cast,
        shared=bill(session, a, [(ash, 1_000), (birch, 2_000), (elm, 4_000)], issued_on=today - 3 * DAY),
        own=bill(session, a, [(ash, 500)], plan="annual", issued_on=today - 40 * DAY, due_on=today - 10 * DAY),
        refused=bill(session, a, [(birch, 70)], method="card", due_on=today, charge_refused=True),
        paid=bill(session, a, [(ash, 9), (elm, 90)], state=BillState.PAID, issued_on=today - 70 * DAY),
        foreign=bill(session, cast.partner_b, [(cast.accounts_b[0], 30_000)]),
    )


@pytest.fixture
def scene(database) -> Scene:
    return db.write(make_scene)


def numbers(found: BillPage) -> list[int]:
    return [row.number for row in found.rows]


def bob_with_bills(cast: Cast) -> Actor:
    """Sees the first account only, and billing."""
    return actor(cast.bob, permissions=frozenset({Permission.BILLING_VIEW}))


@pytest.mark.parametrize("who", ["nobody", "bob", "nina", "dave", "olga", "without", "token"])
def test_only_who_views_billing_sees_anything(scene: Scene, who: str) -> None:
    less = frozenset(Permission) - {Permission.BILLING_VIEW}
    others = {"nobody": NOBODY, "without": actor(scene.cast.alice, permissions=less), "token": Actor(ActorKind.TOKEN)}
    found = others.get(who) or scene.cast.actor(who)
    for act, given in ((bills.list_page, UNPAID), (bills.owed, None), (bills.find, "5")):
        with pytest.raises(Denied):
            db.read(act, found, *([given] if given else []))


def test_a_partner_sees_its_own_bills_only(scene: Scene) -> None:
    for who, unpaid in (("alice", [scene.refused, scene.shared, scene.own]), ("mallory", [scene.foreign])):
        found = db.read(bills.list_page, scene.cast.actor(who), UNPAID)
        assert numbers(found) == [one.number for one in unpaid]
        assert found.matching == found.total == len(unpaid)
    assert numbers(db.read(bills.list_page, scene.cast.actor("mallory"), HISTORY)) == []
    assert db.read(bills.find, scene.cast.actor("mallory"), str(scene.own.number)) == []


def test_an_operator_or_customer_with_every_permission_has_no_bills_of_their_own(scene: Scene) -> None:
    for who in ("olga", "dave"):
        everything = replace(scene.cast.actor(who), permissions=frozenset(Permission))
        assert db.read(bills.list_page, everything, UNPAID).rows == []
        assert db.read(bills.owed, everything) == Owed()


def test_rows_tell_name_status_amount(scene: Scene) -> None:
    rows = {row.number: row for row in db.read(bills.list_page, scene.cast.actor("carol"), UNPAID).rows}
    shared, own, refused = (rows[one.number] for one in (scene.shared, scene.own, scene.refused))
    assert (shared.account_name, shared.status, shared.amount_minor, shared.whole) == ("", "due", 7_000, True)
    assert (own.account_name, own.status, own.plan, own.amount_minor) == ("Alpha Ash", "overdue", "annual", 500)
    assert (refused.status, refused.method) == ("overdue", "card")
    (paid,) = db.read(bills.list_page, scene.cast.actor("carol"), HISTORY).rows
    assert (paid.number, paid.status, paid.amount_minor) == (scene.paid.number, "current", 99)


def test_who_sees_chosen_accounts_sees_their_part_of_a_bill_and_nothing_of_others(scene: Scene) -> None:
    bob = bob_with_bills(scene.cast)
    unpaid = db.read(bills.list_page, bob, UNPAID)
    assert [(row.number, row.amount_minor, row.whole) for row in unpaid.rows] == [
        (scene.shared.number, 1_000, False),
        (scene.own.number, 500, True),
    ]
    assert unpaid.total == 2
    (paid,) = db.read(bills.list_page, bob, HISTORY).rows
    assert (paid.amount_minor, paid.whole) == (9, False)
    assert db.read(bills.owed, bob) == Owed(1_000, 500, 0, 1, 1, 0, 2, scene.shared.due_on)
    assert db.read(bills.list_page, bob, replace(UNPAID, search="birch")).rows == []
    assert db.read(bills.find, bob, str(scene.refused.number)) == []
    assert [row.amount_minor for row in db.read(bills.find, bob, str(scene.shared.number))] == [1_000]


def test_what_is_owed_counts_a_refused_card_as_overdue(scene: Scene) -> None:
    assert db.read(bills.owed, scene.cast.actor("alice")) == Owed(7_000, 570, 70, 1, 2, 1, 2, scene.shared.due_on)
    assert db.read(bills.owed, replace(scene.cast.actor("alice"), partner_id=10_000)) == Owed()


def settle(session: Session, bill_id: int, minor: int) -> None:
    session.get_one(Bill, bill_id).settled_minor = minor


def test_what_is_paid_of_an_open_bill_is_owed_no_more(scene: Scene) -> None:
    """Of the 70.00 that three accounts share 10.01 came, of the refused bill a cent."""
    for one, minor in ((scene.shared, 1_001), (scene.refused, 1), (scene.own, 200)):
        db.write(settle, one.id, minor)
    everything, bob = (db.read(bills.owed, who) for who in (scene.cast.actor("alice"), bob_with_bills(scene.cast)))
    assert (everything.due_minor, everything.overdue_minor, everything.refused_minor) == (5_999, 369, 69)
    assert (bob.due_minor, bob.overdue_minor, bob.refused_minor) == (857, 300, 0)
    others = [one.id for one in scene.cast.accounts_a[1:]]
    db.write(standing.refresh, others)
    owed = db.read(lambda session: [session.get_one(Account, one).amount_minor for one in others])
    assert sum(owed) == (5_999 + 369) - (857 + 300)


def test_a_bill_is_overdue_the_day_after_its_due_date_in_the_partners_zone(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = scene.cast.actor("alice")
    late = clock.end_of(scene.shared.due_on) - timedelta(hours=1)
    monkeypatch.setattr(clock, "now", lambda: late)
    assert db.read(bills.owed, alice).due == 1
    assert db.read(bills.owed, replace(alice, time_zone="Asia/Tokyo")).due == 0


def test_search_filters_and_order(scene: Scene) -> None:
    alice = scene.cast.actor("alice")

    def asked(**changes) -> list[int]:
        return numbers(db.read(bills.list_page, alice, replace(UNPAID, **changes)))

    assert asked(search="BIRCH") == [scene.refused.number, scene.shared.number]
    assert asked(search=str(scene.own.number)) == [scene.own.number]
    assert asked(search="%") == asked(search="Oak") == []
    assert asked(status="overdue") == [scene.refused.number, scene.own.number]
    assert asked(status="due") == [scene.shared.number]
    assert asked(sort="amount", descending=False) == [scene.refused.number, scene.own.number, scene.shared.number]
    assert asked(sort="name", descending=True) == [scene.refused.number, scene.own.number, scene.shared.number]
    for sort in ("number", "status", "due"):
        assert sorted(asked(sort=sort)) == sorted(asked())


def test_a_credit_note_stands_in_history(scene: Scene) -> None:
    def note(session: Session) -> Bill:
        partner = session.get_one(Partner, scene.cast.partner_a.id)
        ash = scene.cast.accounts_a[0]
        return bill(session, partner, [(ash, -9)], kind="credit_note", credits_id=scene.paid.id, account_id=ash.id)

    made = db.write(note)
    assert made.number in numbers(db.read(bills.list_page, scene.cast.actor("alice"), HISTORY))
    assert made.number not in numbers(db.read(bills.list_page, scene.cast.actor("alice"), UNPAID))
    assert db.read(bills.owed, scene.cast.actor("alice")).due_minor == 7_000


def test_a_number_is_found_by_its_first_digits(scene: Scene) -> None:
    alice = scene.cast.actor("alice")
    assert len(db.read(bills.find, alice, "5")) == 4
    assert [row.number for row in db.read(bills.find, alice, f" #{scene.own.number} ")] == [scene.own.number]
    for words in ("", "x", "5_", "\u0665", "-5"):
        assert db.read(bills.find, alice, words) == []


def test_pages_and_reads_are_the_same_on_both_databases(store: dict[str, str]) -> None:
    scene = db.write(make_scene)
    first = db.read(bills.list_page, scene.cast.actor("alice"), replace(UNPAID, page=2, size=2))
    assert (numbers(first), first.matching) == ([scene.own.number], 3)
    assert len(db.read(bills.list_page, bob_with_bills(scene.cast), replace(UNPAID, search="ash")).rows) == 2
    assert db.read(bills.owed, bob_with_bills(scene.cast)) == Owed(1_000, 500, 0, 1, 1, 0, 2, scene.shared.due_on)
    assert len(db.read(bills.find, scene.cast.actor("alice"), "5")) == 4


def test_an_address_keeps_the_question() -> None:
    query = BillQuery.of(
        BillList.UNPAID, {"search": "ash", "status": "due", "sort": "amount", "page": "3", "size": "50"}
    )
    assert query.address(page=3) == "/billing/unpaid?search=ash&status=due&sort=amount&page=3&size=50"
    assert BillQuery.of(BillList.UNPAID, {"sort": "x", "status": "none", "page": "0"}) == UNPAID
    assert BillQuery.of(BillList.HISTORY, {"status": "due"}).address() == "/billing/history"
