"""Every SELECT of the audit, always of the actor's own partner and accounts."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    ScalarSelect,
    Select,
    and_,
    bindparam,
    func,
    literal,
    or_,
    select,
    text,
    tuple_,
)
from sqlmodel import Session, col

from portal_app.accounts import repository as accounts
from portal_app.audit.chain import NO_PARTNER
from portal_app.audit.query import AuditQuery
from portal_app.audit.rows import AuditRow
from portal_app.auth.actor import Actor, ActorKind
from portal_app.auth.permissions import Permission
from portal_app.models import Account, AuditChain, AuditEvent, DeletedAccount, User, UserKind
from portal_app.models.base import Instant
from portal_app.text import fold, holding

# Up to here rows are counted; beyond it the page says "more than".
COUNT_CAP = 10_000
MOST_PEOPLE = 5_000

_EVENT, _ACCOUNT = AuditEvent.__table__.c, Account.__table__.c
_COLUMNS = (
    _EVENT.made_at,
    _EVENT.number,
    _EVENT.activity,
    _EVENT.completed,
    _EVENT.account_id,
    _EVENT.account_name,
    _EVENT.performed_by,
    _EVENT.description,
    _EVENT.address,
    _EVENT.browser,
)
_PLACE = (_EVENT.made_at, _EVENT.number)
_MARK = tuple_(bindparam("at", type_=Instant), bindparam("number", type_=BigInteger))
_CHOSEN = accounts.chosen_by(bindparam("user"))
# Whatever may be asked of a row, by the name of its value. Of the words asked for there is one statement each time, so
# that a question costs the database's time and not that of writing it down.
_CONDITIONS: dict[str, ColumnElement[bool]] = {
    "partner": _EVENT.partner_id == bindparam("partner"),
    # The rows that belong to no partner: for operators.
    "provider": _EVENT.partner_id.is_(None),
    # With chosen accounts: theirs and the rows without an account.
    "user": or_(_EVENT.account_id.is_(None), _EVENT.account_id.in_(_CHOSEN)),
    "since": _EVENT.made_at >= bindparam("since"),
    "until": _EVENT.made_at < bindparam("until"),
    "activity": _EVENT.activity == bindparam("activity"),
    "completed": _EVENT.completed,
    # In the very words of the index over what failed: SQLite takes no others for the same.
    "failed": text("NOT audit_event.completed"),
    "accounts": _EVENT.account_id.in_(bindparam("accounts", expanding=True)),
    "named": func.lower(_EVENT.account_name).like(bindparam("named"), escape="/"),
    "people": _EVENT.performed_by.in_(bindparam("people", expanding=True)),
    "before": tuple_(*_PLACE) < _MARK,
    "after": tuple_(*_PLACE) > _MARK,
    "last": _EVENT.number <= bindparam("last"),
}
_PLACED = frozenset({"before", "after"})
_WHOSE = {True: _CONDITIONS["provider"], False: _CONDITIONS["partner"]}
_BY = {
    provider: select(_EVENT.number).where(whose, _EVENT.performed_by == bindparam("words")).limit(1)
    for provider, whose in _WHOSE.items()
}
_GONE = DeletedAccount.__table__.c
_DELETED = (
    select(_GONE.account_id)
    .where(
        _GONE.partner_id == bindparam("partner"),
        or_(*(func.lower(one).like(bindparam("pattern"), escape="/") for one in (_GONE.name, _GONE.email))),
    )
    .limit(bindparam("limit"))
)
# From one name to the next one of the index: as many looks as there are people, however many rows each has.
_PERFORMERS = """
    WITH RECURSIVE person(name) AS (
        SELECT min(performed_by) FROM audit_event WHERE partner_id {whose}
        UNION ALL
        SELECT (SELECT min(performed_by) FROM audit_event WHERE partner_id {whose} AND performed_by > person.name)
        FROM person WHERE person.name IS NOT NULL
    )
    SELECT name FROM person WHERE name IS NOT NULL LIMIT :most
    """
_EVERYBODY = {
    True: text(_PERFORMERS.format(whose="IS NULL")),
    False: text(_PERFORMERS.format(whose="= :partner")),
}


@dataclass(frozen=True, slots=True)
class Found:
    """What the words of a query stand for: ids of accounts and names of people; None where nothing was asked."""

    accounts: Sequence[int] | None = None
    people: Sequence[str] | None = None
    # In the provider's own audit accounts are found by the names in it.
    named: str | None = None


def page(session: Session, actor: Actor, query: AuditQuery, found: Found, limit: int) -> tuple[list[AuditRow], int]:
    """The next rows before (or after) the query's place, the newest first, and how many match wherever they stand."""
    values = _values(actor, query, found)
    names = _names(values)
    openable = actor.may(Permission.ACCOUNTS_ACCESS)
    read = session.execute(_page(names, openable), values | {"limit": limit}).all()
    rows = [AuditRow(*row[:-1]) for row in read]
    if rows:
        return rows[::-1] if query.after else rows, read[0][-1]
    # None beyond the place: some may be before it.
    return [], 0 if _PLACED.isdisjoint(names) else session.scalar(select(_count(names)), values) or 0


def part(session: Session, actor: Actor, query: AuditQuery, found: Found, limit: int, *, last: int) -> list[AuditRow]:
    """The next rows before the query's place up to number `last`, the newest first."""
    values = _values(actor, query, found) | {"last": last}
    return [AuditRow(*row) for row in session.execute(_rows(_names(values)), values | {"limit": limit})]


def end_of(session: Session, actor: Actor) -> int:
    """The number of the chain's last row."""
    chain = NO_PARTNER if is_provider(actor) else actor.partner_id
    return session.scalar(select(col(AuditChain.number)).where(col(AuditChain.chain) == chain)) or 0


def performers(session: Session, actor: Actor, words: str) -> list[str]:
    """The names in the audit that hold the words; only the one that is the words, if there is."""
    whose = {} if (provider := is_provider(actor)) else {"partner": actor.partner_id}
    if session.execute(_BY[provider], whose | {"words": words}).first():
        return [words]
    names = session.scalars(_EVERYBODY[provider], whose | {"most": MOST_PEOPLE})
    return [name for name in names if fold(words) in fold(name)]


def deleted_accounts(session: Session, actor: Actor, words: str, limit: int) -> list[int]:
    """Ids of the partner's deleted accounts whose name or email holds the words."""
    values = {"partner": actor.partner_id, "pattern": holding(words.lower()), "limit": limit}
    return list(session.scalars(_DELETED, values))


def colleagues(session: Session, actor: Actor, limit: int) -> list[str]:
    """Addresses of the partner's own users, or of the provider's people, to choose from."""
    mine = col(User.kind) == UserKind.OPERATOR if is_provider(actor) else col(User.partner_id) == actor.partner_id
    own = select(col(User.email)).where(mine)
    return list(session.scalars(own.order_by(col(User.email_key)).limit(limit)))


def is_provider(actor: Actor) -> bool:
    """Whether the provider's own audit is read: the rows without a partner."""
    return actor.kind == ActorKind.OPERATOR and actor.partner_id is None


def _values(actor: Actor, query: AuditQuery, found: Found) -> dict[str, Any]:
    """What is asked for, by the names of `_CONDITIONS` and of their parameters; the actor's own scope always is."""
    # No partner is none: nothing is equal to NULL.
    scope: dict[str, Any] = {"partner": None if actor.kind == ActorKind.CUSTOMER else actor.partner_id}
    if is_provider(actor):
        scope = {"provider": True}
    if not actor.all_accounts:
        scope["user"] = actor.user_id
    since, until = query.span(actor.time_zone)
    asked = {
        "since": since,
        "until": until,
        "activity": query.activity or None,
        query.status: query.status or None,
        "accounts": found.accounts,
        "named": found.named,
        "people": found.people,
    }
    place = query.after or query.before
    if place is not None:
        asked |= {"after" if query.after else "before": True, "at": place.made_at, "number": place.number}
    return scope | {name: value for name, value in asked.items() if value is not None}


def _names(values: dict[str, Any]) -> tuple[str, ...]:
    return tuple(name for name in _CONDITIONS if name in values)


@cache
def _rows(names: tuple[str, ...]) -> Select[*tuple[Any, ...]]:
    forwards = "after" in names
    order = (one.asc() if forwards else one.desc() for one in _PLACE)
    return select(*_COLUMNS).where(_where(names)).order_by(*order).limit(bindparam("limit"))


@cache
def _page(names: tuple[str, ...], openable: bool) -> Select[*tuple[Any, ...]]:
    """The rows; whether the account of each still exists for the actor; how many match."""
    rows = _rows(names)
    if openable:
        mine = accounts.of_partner(bindparam("partner"), _CHOSEN if "user" in names else None)
        this = and_(_ACCOUNT.id == _EVENT.account_id, _ACCOUNT.partner_access, mine)
        rows = rows.join_from(AuditEvent.__table__, Account.__table__, this, isouter=True)
    return rows.add_columns(_ACCOUNT.id.is_not(None) if openable else literal(False), _count(names))


@cache
def _count(names: tuple[str, ...]) -> ScalarSelect[Any]:
    """How many rows match, up to one more than the cap. All of a partner's are known without counting."""
    asked = tuple(name for name in names if name not in _PLACED)
    if asked in {("partner",), ("provider",)}:
        chain = AuditChain.__table__.c
        whose = bindparam("partner") if asked == ("partner",) else literal(NO_PARTNER)
        return select(chain.number).where(chain.chain == whose).scalar_subquery()
    matching = select(literal(1)).select_from(AuditEvent.__table__).where(_where(asked)).limit(COUNT_CAP + 1)
    return select(func.count()).select_from(matching.subquery()).scalar_subquery()


def _where(names: tuple[str, ...]) -> ColumnElement[bool]:
    return and_(*(_CONDITIONS[name] for name in names))
