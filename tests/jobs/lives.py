"""Trials in every stretch of their life, and what the rules have made of them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlmodel import Session, select

from portal_app import clock, db
from portal_app.accounts import trials
from portal_app.models import Account, AuditEvent, DataCenter, DeletedAccount, Partner, TrialNotice
from tests import factories

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
# Days before NOW at which a trial began: one for each stretch of its life.
AGES = (3.0, 9.5, 13.5, 14.5, 20.5, 22.0)
PLANS = (None, "monthly", "annual")


def at(instant: datetime) -> Any:
    """A clock that stands at the instant."""
    return lambda: instant


def trial(session: Session, of: Partner, begun: datetime, plan: str | None = None, **given: Any) -> Account:
    """A trial that nobody has looked at since it began."""
    ends_at, next_step_at = trials.new_trial(begun, plan)
    timing = {"created_at": begun, "trial_ends_at": ends_at, "next_step_at": next_step_at, "auto_subscribe": plan}
    return factories.account(session, of, **timing | given)


def warn(session: Session, account: Account, made_at: datetime) -> None:
    """The notice before deletion, made at the instant."""
    notice = {"account_id": account.id, "kind": trials.Notice.DELETION, "account_name": account.name}
    factories.save(session, TrialNotice(**notice, partner_id=account.partner_id, made_at=made_at))


def fill(session: Session, number: int) -> None:
    """`number` trials of three partners, in turn of every age and plan; every second old one was warned."""
    place: DataCenter = factories.data_center(session)
    partners = [factories.partner(session) for _ in range(3)]
    for index in range(number):
        age, plan = AGES[index % len(AGES)], PLANS[index // len(AGES) % len(PLANS)]
        account = trial(session, partners[index % 3], NOW - timedelta(days=age), plan, data_center_id=place.id)
        if age > 21 and plan is None and index % 4 < 2:
            warn(session, account, NOW - timedelta(days=1, hours=2))


def outcome() -> dict[str, Any]:
    """All that the rules decide and leave behind, without the instants at which they woke."""
    with db.reading() as session:
        accounts = session.exec(select(Account).order_by(Account.id)).all()
        return {
            "accounts": [(a.id, a.status, a.subscribed_at) for a in accounts],
            "deleted": sorted((d.account_id, d.reason) for d in session.exec(select(DeletedAccount))),
            "notices": sorted((n.account_id, n.kind) for n in session.exec(select(TrialNotice))),
            "audit": sorted((e.account_id, e.activity, e.performed_by) for e in session.exec(select(AuditEvent))),
            "due": trials.is_due(session, clock.now()),
        }
