"""From a listing to the bill: what is forecast, why, and that every change of it counts at once."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlmodel import Session, col, select

from portal_app import clock, db
from portal_app.auth.actor import Actor
from portal_app.backups.entities import service
from portal_app.backups.entities.rows import SeenEntity
from portal_app.billing import account_reading, forecasts, subscriptions
from portal_app.billing.why import tasks
from portal_app.jobs import cycle
from portal_app.models import BackupEntity, BackupTask, BillLine, BillShare
from tests.billing.test_subscriptions import billed

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
ADA, BO, ROOM = SeenEntity("ada"), SeenEntity("bo", licensed=True), SeenEntity("room", licensed=False)


@pytest.fixture(autouse=True)
def partner(store: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> tuple[Actor, int]:
    """Its administrator, and an account of the partner's that bills 300 a mailbox."""
    monkeypatch.setattr(clock, "now", lambda: NOW)
    actor, [account_id] = db.write(billed, "monthly", seats=9)
    return actor, account_id


def note(*seen: SeenEntity) -> None:
    def do(session: Session) -> None:
        service.note_seen(session, session.exec(select(BackupTask)).one(), seen, NOW)

    db.write(do)


def decide(decision: str, *keys: str) -> Callable[[Actor], None]:
    def do(session: Session, actor: Actor) -> None:
        chosen = session.exec(select(BackupEntity.id).where(col(BackupEntity.key).in_(keys))).all()
        service.decide(session, actor, session.exec(select(BackupTask.id)).one(), chosen, decision)

    return lambda actor: db.write(do, actor)


def forecast(actor: Actor) -> int:
    [found] = db.read(forecasts.forecast_of, actor).values()
    return found.amount_minor


def test_each_change_of_what_is_billed_changes_the_forecast_that_is_kept(partner: tuple[Actor, int]) -> None:
    actor, account_id = partner
    found = {9: forecast(actor)}
    changes: list[tuple[Callable[[], Any], int]] = [
        (lambda: note(ADA, BO, ROOM), 2),
        (lambda: decide("archive", "ada")(actor), 1),
        (lambda: decide("reactivate", "ada")(actor), 2),
        (lambda: note(ADA, BO, SeenEntity("room", licensed=True)), 3),
        (lambda: note(ADA), 1),
    ]
    for change, seats in changes:
        change()
        assert db.read(subscriptions.seats_of, account_id) == seats
        assert found.setdefault(seats, forecast(actor)) == forecast(actor)
    assert [amount for _, amount in sorted(found.items())] == sorted(set(found.values()))
    assert len(found) == 4


def test_the_bill_is_the_forecast_and_says_what_it_counts(partner: tuple[Actor, int]) -> None:
    actor, account_id = partner
    note(ADA, BO, ROOM)
    expected = forecast(actor)
    cycle.run_cycle()
    with db.reading() as session:
        line = session.exec(select(BillLine).order_by(col(BillLine.bill_id), col(BillLine.position))).first()
        assert session.exec(select(BillShare.amount_minor)).one() == expected
        [shown, *_] = account_reading.lines_of(session, actor, account_id, line.bill_id)
    assert (line.quantity_milli, line.trace["entities"]) == (2000, 2)
    assert [task["entities"] for task in tasks(shown)] == ["2 of 3 billed"]


def test_an_entity_that_waits_costs_nothing_until_it_is_added(partner: tuple[Actor, int]) -> None:
    actor, account_id = partner
    note(ADA, BO)
    before = forecast(actor)
    db.write(subscriptions.set_seat_cap, actor, account_id, 2)
    note(ADA, BO, SeenEntity("cy"))
    assert forecast(actor) == before
    decide("add", "cy")(actor)
    assert forecast(actor) > before
