"""The chain of the audit: every row carries the hash of the one before it.

Rows wait until their transaction commits and are chained then: the lock of the chain's end is the last one that a
transaction takes, and is held for no longer than the commit. So two writers never wait for each other in a ring.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import event, insert, text, update
from sqlalchemy.orm import SessionTransaction
from sqlmodel import Session, col, select

from portal_app.models import AuditChain, AuditEvent

# All that a row says, in the order in which it is hashed. The order is for ever: a change breaks every chain.
FIELDS = (
    "partner_id",
    "number",
    "account_id",
    "account_name",
    "user_id",
    "performed_by",
    "activity",
    "completed",
    "description",
    "address",
    "browser",
    "made_at",
)
# The chain of rows that belong to no partner.
NO_PARTNER = 0
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_WAITING, _MARKS = "audit_waiting", "audit_marks"
_NEW_CHAIN = text("INSERT INTO audit_chain (chain, number, hash) VALUES (:chain, 0, '') ON CONFLICT DO NOTHING")
_AT_ONCE = 2_000


def digest(previous: str, row: Mapping[str, Any]) -> str:
    """SHA-256, in hex, of the JSON list [previous hash, …FIELDS] in ASCII; the instant in microseconds since 1970."""
    said = [previous, *(row[name] for name in FIELDS)]
    said[-1] = (said[-1] - _EPOCH) // _MICROSECOND
    return hashlib.sha256(json.dumps(said, separators=(",", ":")).encode()).hexdigest()


def add(session: Session, rows: Iterable[dict[str, Any]]) -> None:
    """Let these rows, complete but for the chain's own columns, be added when the transaction commits."""
    _waiting(session).extend(rows)


def link(end: tuple[int, str], rows: list[dict[str, Any]]) -> tuple[int, str]:
    """Number and chain the rows behind this end. Gives the new end."""
    number, previous = end
    for row in rows:
        number += 1
        row["number"], row["previous_hash"] = number, previous
        previous = row["hash"] = digest(previous, row)
    return number, previous


def _waiting(session: Session) -> list[dict[str, Any]]:
    return session.info.setdefault(_WAITING, [])


@event.listens_for(Session, "before_commit")
def write(session: Session) -> None:
    """Add what waits. Happens by itself before a commit (that of a savepoint aside)."""
    if not _waiting(session) or session.in_nested_transaction():
        return
    # Whatever locks the rest of the transaction still needs come first.
    session.flush()
    chains: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in session.info.pop(_WAITING):
        chains[row["partner_id"] or NO_PARTNER].append(row)
    for chain in sorted(chains):
        _append(session, chain, chains[chain])


def _append(session: Session, chain: int, rows: list[dict[str, Any]]) -> None:
    number, last = link(_locked_end(session, chain), rows)
    for start in range(0, len(rows), _AT_ONCE):
        session.execute(insert(AuditEvent.__table__), rows[start : start + _AT_ONCE])
    session.execute(update(AuditChain).where(col(AuditChain.chain) == chain).values(number=number, hash=last))


def _locked_end(session: Session, chain: int) -> tuple[int, str]:
    wanted = select(AuditChain.number, AuditChain.hash).where(AuditChain.chain == chain).with_for_update()
    found = session.exec(wanted).first()
    if found is None:
        session.execute(_NEW_CHAIN, {"chain": chain})
        found = session.exec(wanted).one()
    return found[0], found[1]


@event.listens_for(Session, "after_transaction_create")
def _mark(session: Session, transaction: SessionTransaction) -> None:
    if transaction.nested:
        session.info.setdefault(_MARKS, {})[transaction] = len(_waiting(session))


@event.listens_for(Session, "after_soft_rollback")
def _forget(session: Session, transaction: SessionTransaction) -> None:
    """What was recorded since a savepoint goes with it; without one, everything goes."""
    if transaction.nested or transaction.parent is None:
        del _waiting(session)[session.info.get(_MARKS, {}).pop(transaction, 0) :]
