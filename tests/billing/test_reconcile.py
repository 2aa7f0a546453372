"""What was billed beside what is there."""

from pathlib import Path

import pytest
from sqlalchemy import delete, update
from sqlmodel import col, select

from portal_app import clock, db
from portal_app.billing import cycle, ledger, reconcile
from portal_app.billing.reconcile import ComparedPage
from portal_app.errors import Denied
from portal_app.models import BackupTask, Bill, BilledPeriod, BillShare, Partner, Subscription
from tests import factories
from tests.billing import lives
from tests.cast import Cast
from tests.demo.conftest import demo, demo_made

__all__ = ["demo", "demo_made"]


def test_only_the_provider_compares(cast: Cast) -> None:
    with db.reading() as session:
        alice, olga, partner_id = factories.actor(cast.alice), factories.actor(cast.olga), cast.partner_a.id or 0
        with pytest.raises(Denied):
            reconcile.compare(session, alice, partner_id, every=True)
        with pytest.raises(Denied):
            reconcile.faults(session, alice, partner_id)
        assert reconcile.compare(session, olga, partner_id, every=True) == ComparedPage([], 0, 0, 0)
        assert reconcile.faults(session, olga, partner_id) == []


def test_the_demo_agrees_and_a_difference_is_shown(demo: Path) -> None:
    with db.writing() as session:
        partner_id = session.exec(select(Partner.id).where(Partner.code == "DDEVR001")).one()
        operator = factories.actor(factories.user(session, kind="operator"))
        rows = reconcile.compare(session, operator, partner_id, every=True, size=500).rows
        billed = [row for row in rows if row.bill_number]
        assert len(billed) > 50
        assert not [row for row in billed if row.differs]
        # Whoever has a free first year is covered without a bill.
        assert reconcile.faults(session, operator, partner_id) == []
        changed = billed[0]
        mine = (col(BackupTask.account_id) == changed.account_id, col(BackupTask.service) == changed.service)
        session.execute(update(BackupTask).where(*mine).values(billed_entities=changed.entities + 2))
        found = reconcile.compare(session, operator, partner_id, every=False, size=500)
        assert all(row.differs for row in found.rows)
        differing = [row for row in found.rows if row.billed]
        assert [(row.account_id, row.entities - row.billed) for row in differing] == [(changed.account_id, 2)]


def test_what_does_not_add_up_is_said(demo: Path) -> None:
    with db.writing() as session:
        partner_id = session.exec(select(Partner.id).where(Partner.code == "DDEVR001")).one()
        operator = factories.actor(factories.user(session, kind="operator"))
        share = session.exec(
            select(BillShare).join(Bill, col(Bill.id) == BillShare.bill_id).where(Bill.partner_id == partner_id)
        ).first()
        share.amount_minor += 1
        monthly = select(Subscription.account_id).where(Subscription.plan == "monthly").scalar_subquery()
        periods = select(BilledPeriod).where(col(BilledPeriod.account_id).in_(monthly))
        gone = session.exec(periods.order_by(col(BilledPeriod.account_id), col(BilledPeriod.starts_on))).all()[1]
        session.execute(
            delete(BilledPeriod).where(
                col(BilledPeriod.account_id) == gone.account_id, col(BilledPeriod.starts_on) == gone.starts_on
            )
        )
        session.flush()
        found = reconcile.faults(session, operator, partner_id)
    assert len(found) == 2
    assert "-1 of its total" in found[0]
    assert f"from {gone.starts_on} to {gone.ends_on}" in found[1]


def test_every_service_stands_on_one_page(store: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: lives.NOW)
    db.write(lives.fill, 2, 30)
    assert all(cycle.run(lives.NOW, lambda *given: db.write(ledger.advance, *given)))

    operator = db.write(lambda session: factories.actor(factories.user(session, kind="operator")))
    partner_id = db.read(lambda session: session.exec(select(Partner.id).order_by(col(Partner.id))).first())

    def pages(every: bool, size: int) -> list[ComparedPage]:
        ask = {"every": every, "size": size}
        return [db.read(reconcile.compare, operator, partner_id, page=n + 1, **ask) for n in range(50 // size)]

    billed = next(row for row in pages(every=True, size=50)[0].rows if row.billed is not None)
    mine = (BackupTask.account_id == billed.account_id, BackupTask.service == billed.service)
    db.write(
        lambda session: session.execute(update(BackupTask).where(*mine).values(billed_entities=billed.entities + 7))
    )
    whole = pages(every=True, size=50)[0]
    parts = [row for page in pages(every=True, size=7) for row in page.rows]
    assert parts == whole.rows and len(parts) == whole.total == whole.matching > 15
    assert [row.account_name for row in parts] == sorted(row.account_name for row in parts)
    differing = pages(every=False, size=50)[0]
    assert differing.rows == [row for row in parts if row.differs]
    assert (differing.matching, differing.differing) == (len(differing.rows), whole.differing)
    assert [(row.entities - (row.billed or 0)) for row in differing.rows if row.billed is not None] == [7]
    assert db.read(reconcile.faults, operator, partner_id) == []
