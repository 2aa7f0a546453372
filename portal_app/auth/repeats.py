"""Requests of tokens under a key of theirs: what was answered is kept, so that a repetition is not done again.

A key is written down before its request is done, and the answer after it. What was cut off in between leaves the key
without an answer: nobody knows then whether it had its effect, so the same key is never tried again.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session, col, delete, select, update

from portal_app import clock, db
from portal_app.auth.actor import Actor
from portal_app.errors import Conflict, Invalid
from portal_app.models import ApiToken, IdempotencyKey

KEPT = timedelta(hours=24)
_UNDER_WAY = 0
_TWICE = "A request with this Idempotency-Key is under way, or was cut off. See whether it had its effect."
_OTHER = "This Idempotency-Key was used for another request. Each request needs a key of its own."


@dataclass(frozen=True, slots=True)
class Claim:
    """A request of a token that is to be done under its key."""

    token_id: int
    key: str


@dataclass(frozen=True, slots=True)
class Answered:
    """What a request was answered when it came first."""

    status: int
    body: str


def claim(session: Session, actor: Actor, key: str, request_hash: str) -> Claim | Answered:
    """The right to do the request, or the answer it had. Raises Conflict while it is done, Invalid for another one."""
    token_id = session.scalars(select(ApiToken.id).where(col(ApiToken.token_hash) == actor.session_hash)).one() or 0
    row = {"token_id": token_id, "key": key, "request_hash": request_hash, "status": _UNDER_WAY, "body": ""}
    insert = db.insert(session, IdempotencyKey.__table__).values(row | {"made_at": clock.now()})
    if session.execute(insert.on_conflict_do_nothing().returning(col(IdempotencyKey.key))).first():
        return Claim(token_id, key)
    known = session.get(IdempotencyKey, (token_id, key))
    if known is not None and known.request_hash != request_hash:
        raise Invalid(_OTHER)
    if known is None or known.status == _UNDER_WAY:
        raise Conflict(_TWICE)
    return Answered(known.status, known.body)


def keep(session: Session, done: Claim, status: int, body: str) -> None:
    """Keep the answer."""
    session.execute(update(IdempotencyKey).where(*_row(done)).values(status=status, body=body))


def let_go(session: Session, failed: Claim) -> None:
    """The request had no effect: it may come again."""
    session.execute(delete(IdempotencyKey).where(*_row(failed)))


def prune(session: Session, now: datetime) -> None:
    """Forget the keys of yesterday."""
    session.execute(delete(IdempotencyKey).where(col(IdempotencyKey.made_at) <= now - KEPT))


def _row(of: Claim) -> tuple[Any, ...]:
    return col(IdempotencyKey.token_id) == of.token_id, col(IdempotencyKey.key) == of.key
