"""Every SELECT of the audit, always of the actor's own partner and accounts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, literal, or_, select, text, tuple_
from sqlmodel import Session, col

from portal_app.audit.query import COMPLETED, AuditQuery, Mark
from portal_app.audit.rows import AuditRow
from portal_app.auth.actor import Actor, ActorKind
from portal_app.models import AuditChain, AuditEvent, DeletedAccount, User, UserAccount
from portal_app.models.base import Instant
from portal_app.text import fold

# Up to here rows are counted; beyond it the page says "more than".
COUNT_CAP = 10_000
MOST_PEOPLE = 5_000

_COLUMNS = (
    col(AuditEvent.made_at),
    col(AuditEvent.number),
    col(AuditEvent.activity),
    col(AuditEvent.completed),
    col(AuditEvent.account_id),
    col(AuditEvent.account_name),
    col(AuditEvent.performed_by),
    col(AuditEvent.description),
    col(AuditEvent.address),
    col(AuditEvent.browser),
)
_PLACE = (col(AuditEvent.made_at), col(AuditEvent.number))
# From one name to the next one of the index: as many looks as there are people, however many rows each has.
_PERFORMERS = text(
    """
    WITH RECURSIVE person(name) AS (
        SELECT min(performed_by) FROM audit_event WHERE partner_id = :partner
        UNION ALL
        SELECT (SELECT min(performed_by) FROM audit_event WHERE partner_id = :partner AND performed_by > person.name)
        FROM person WHERE person.name IS NOT NULL
    )
    SELECT name FROM person WHERE name IS NOT NULL LIMIT :most
    """
)


@dataclass(frozen=True, slots=True)
class Found:
    """What the words of a query stand for: ids of accounts and names of people; None where nothing was asked."""

    accounts: Sequence[int] | None = None
    people: Sequence[str] | None = None


def in_scope(actor: Actor) -> ColumnElement[bool]:
    """The rows that exist for the actor: their partner's; with chosen accounts, theirs and those without an account."""
    if actor.partner_id is None or actor.kind == ActorKind.CUSTOMER:
        return literal(False)
    own = col(AuditEvent.partner_id) == actor.partner_id
    if actor.all_accounts:
        return own
    chosen = select(UserAccount.account_id).where(col(UserAccount.user_id) == actor.user_id)
    return and_(own, or_(col(AuditEvent.account_id).is_(None), col(AuditEvent.account_id).in_(chosen)))


def rows(
    session: Session, actor: Actor, query: AuditQuery, found: Found, limit: int, *, upto: int | None = None
) -> list[AuditRow]:
    """The next rows before (or after) the query's place, the newest first; `upto` leaves out those added since."""
    wanted = select(*_COLUMNS).where(_where(actor, query, found))
    if upto is not None:
        wanted = wanted.where(col(AuditEvent.number) <= upto)
    if query.after:
        wanted = wanted.where(tuple_(*_PLACE) > _at(query.after)).order_by(*(one.asc() for one in _PLACE))
    else:
        if query.before:
            wanted = wanted.where(tuple_(*_PLACE) < _at(query.before))
        wanted = wanted.order_by(*(one.desc() for one in _PLACE))
    read = [AuditRow(*row) for row in session.execute(wanted.limit(limit))]
    return read[::-1] if query.after else read


def count(session: Session, actor: Actor, query: AuditQuery, found: Found) -> int:
    """How many rows match, up to one more than the cap. All of a partner's are known without counting."""
    if actor.all_accounts and not query.filtered:
        return end_of(session, actor)
    capped = select(literal(1)).select_from(AuditEvent).where(_where(actor, query, found)).limit(COUNT_CAP + 1)
    return session.scalar(select(func.count()).select_from(capped.subquery())) or 0


def end_of(session: Session, actor: Actor) -> int:
    """The number of the partner's last row."""
    return session.scalar(select(col(AuditChain.number)).where(col(AuditChain.chain) == actor.partner_id)) or 0


def performers(session: Session, actor: Actor, words: str) -> list[str]:
    """The names in the audit that hold the words; only the one that is the words, if there is."""
    exact = select(literal(1)).where(
        col(AuditEvent.partner_id) == actor.partner_id, col(AuditEvent.performed_by) == words
    )
    if session.scalar(exact.limit(1)):
        return [words]
    names = session.scalars(_PERFORMERS, {"partner": actor.partner_id, "most": MOST_PEOPLE})
    return [name for name in names if fold(words) in fold(name)]


def deleted_accounts(session: Session, actor: Actor, words: str, limit: int) -> list[int]:
    """Ids of the partner's deleted accounts whose name or email holds the words."""
    names = (func.lower(col(DeletedAccount.name)), func.lower(col(DeletedAccount.email)))
    found = select(col(DeletedAccount.account_id)).where(
        col(DeletedAccount.partner_id) == actor.partner_id,
        or_(*(name.contains(words.lower(), autoescape=True) for name in names)),
    )
    return list(session.scalars(found.limit(limit)))


def colleagues(session: Session, actor: Actor, limit: int) -> list[str]:
    """Addresses of the partner's own users, to choose from."""
    own = select(col(User.email)).where(col(User.partner_id) == actor.partner_id)
    return list(session.scalars(own.order_by(col(User.email_key)).limit(limit)))


def _where(actor: Actor, query: AuditQuery, found: Found) -> ColumnElement[bool]:
    asked = [in_scope(actor), *_dates(query.span(actor.time_zone))]
    if query.activity:
        asked.append(col(AuditEvent.activity) == query.activity)
    if query.status:
        completed = col(AuditEvent.completed)
        # In the words of the index over what failed, or it would not serve.
        asked.append(completed if query.status == COMPLETED else ~completed)
    if found.accounts is not None:
        asked.append(col(AuditEvent.account_id).in_(found.accounts))
    if found.people is not None:
        asked.append(col(AuditEvent.performed_by).in_(found.people))
    return and_(*asked)


def _dates(span: tuple[datetime | None, datetime | None]) -> list[ColumnElement[bool]]:
    since, until = span
    asked = [] if since is None else [col(AuditEvent.made_at) >= since]
    return asked if until is None else [*asked, col(AuditEvent.made_at) < until]


def _at(mark: Mark) -> ColumnElement[Any]:
    return tuple_(literal(mark.made_at, Instant), literal(mark.number))
