"""What a partner's accounts add up to by their statuses: kept in memory until one of the partner's changes."""

from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import bindparam, select
from sqlmodel import Session

from portal_app import db, live
from portal_app.accounts.rows import Total, Totals
from portal_app.models import AccountTotal
from portal_app.question import Question

# Of so many partners.
MOST_KEPT = 1_000
_KEPT = AccountTotal.__table__.c
_OF_PARTNER = Question(
    select(
        _KEPT.status, _KEPT.backup_status, _KEPT.billing_status, _KEPT.accounts, _KEPT.amount_minor, _KEPT.size_bytes
    ).where(_KEPT.partner_id == bindparam("partner_id"), _KEPT.accounts > 0)
)


# Of each database: by partner the number of its last change, and the totals as of then.
_kept: WeakKeyDictionary[Any, dict[int, tuple[int, Totals]]] = WeakKeyDictionary()


def of_partner(session: Session, partner_id: int) -> Totals:
    """The totals that triggers keep. Each change counts the partner's number on in the same transaction, so while the

    number stands, so do they. What a session is about to write isn't kept: it may be rolled back.
    """
    if not db.is_reading(session):
        return _read(session, partner_id)
    bind: Any = session.bind
    kept = _kept.setdefault(bind.engine, {})
    number = live.number_of(session, partner_id)
    found = kept.get(partner_id)
    if found is None or found[0] != number:
        if len(kept) >= MOST_KEPT:
            kept.clear()
        found = kept[partner_id] = (number, _read(session, partner_id))
    return found[1]


def _read(session: Session, partner_id: int) -> Totals:
    return Totals(Total(*row) for row in _OF_PARTNER.rows(session, {"partner_id": partner_id}))
