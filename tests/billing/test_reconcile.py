"""What was billed beside what is there."""

from pathlib import Path

import pytest
from sqlalchemy import delete, update
from sqlmodel import col, select

from portal_app import db
from portal_app.billing import reconcile
from portal_app.errors import Denied
from portal_app.models import BackupTask, Bill, BilledPeriod, BillShare, Partner, Subscription
from tests import factories
from tests.cast import Cast
from tests.demo.conftest import demo, demo_made

__all__ = ["demo", "demo_made"]


def test_only_the_provider_compares(cast: Cast) -> None:
    with db.reading() as session:
        for read in (reconcile.compare, reconcile.faults):
            with pytest.raises(Denied):
                read(session, factories.actor(cast.alice), cast.partner_a.id)
            assert read(session, factories.actor(cast.olga), cast.partner_a.id) == []


def test_the_demo_agrees_and_a_difference_is_shown(demo: Path) -> None:
    with db.writing() as session:
        partner_id = session.exec(select(Partner.id).where(Partner.code == "DDEVR001")).one()
        operator = factories.actor(factories.user(session, kind="operator"))
        rows = reconcile.compare(session, operator, partner_id)
        billed = [row for row in rows if row.bill_number]
        assert len(billed) > 50
        assert not [row for row in billed if row.differs]
        # Whoever has a free first year is covered without a bill.
        assert reconcile.faults(session, operator, partner_id) == []
        changed = billed[0]
        mine = (col(BackupTask.account_id) == changed.account_id, col(BackupTask.service) == changed.service)
        session.execute(update(BackupTask).where(*mine).values(entities=changed.entities + 2))
        differing = [row for row in reconcile.compare(session, operator, partner_id) if row.differs and row.billed]
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
