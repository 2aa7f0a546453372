"""Every SELECT of accounts, always in the actor's own scope."""

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Column,
    ColumnElement,
    Integer,
    Select,
    TextClause,
    and_,
    bindparam,
    column,
    false,
    func,
    literal,
    or_,
    select,
    text,
)
from sqlmodel import Session, col

from portal_app.accounts import pages, totals
from portal_app.accounts.query import AccountQuery
from portal_app.accounts.rows import AccountPage, AccountRow, Total, Totals
from portal_app.auth.actor import Actor, ActorKind
from portal_app.models import Account, DeletedAccount, UserAccount
from portal_app.question import Question
from portal_app.text import holding, searchable

# Up to here matches of a search are counted; beyond it the page says "more than".
COUNT_CAP = 10_000
# A trigram index can't answer for less.
INDEXED_SEARCH = 3

# Plain columns: on the way of every click, what the mapper adds to a statement takes longer than the database's answer.
_ACCOUNT = Account.__table__.c
_COLUMNS = (
    _ACCOUNT.id,
    _ACCOUNT.name,
    _ACCOUNT.email,
    _ACCOUNT.status,
    _ACCOUNT.backup_status,
    _ACCOUNT.billing_status,
    _ACCOUNT.amount_minor,
    _ACCOUNT.size_bytes,
    _ACCOUNT.partner_access,
)
# What is searched.
_KEYS = (_ACCOUNT.name_key, _ACCOUNT.email_key)
_HITS = text("SELECT rowid FROM account_search WHERE account_search MATCH :phrase")
_ORDER: dict[str, tuple[Column[Any], ...]] = {
    "name": (_ACCOUNT.name_key, _ACCOUNT.id),
    "email": (_ACCOUNT.email_key, _ACCOUNT.id),
    "status": (_ACCOUNT.status, _ACCOUNT.name_key, _ACCOUNT.id),
    "backup": (_ACCOUNT.backup_status, _ACCOUNT.name_key, _ACCOUNT.id),
    "billing": (_ACCOUNT.billing_status, _ACCOUNT.name_key, _ACCOUNT.id),
    "amount": (_ACCOUNT.amount_minor, _ACCOUNT.id),
    "size": (_ACCOUNT.size_bytes, _ACCOUNT.id),
}
_FILTERS = {"status": _ACCOUNT.status, "backup": _ACCOUNT.backup_status, "billing": _ACCOUNT.billing_status}


class Scope(NamedTuple):
    """Of an actor, what decides which accounts exist for it, with parameters in place of the ids."""

    kind: ActorKind
    all_accounts: bool
    partner_id: BindParameter[int] | None
    account_id: BindParameter[int] = bindparam("account_id", type_=BigInteger)
    user_id: BindParameter[int] = bindparam("user_id", type_=BigInteger)


def in_scope(actor: Actor | Scope) -> ColumnElement[bool]:
    """The accounts that exist for the actor. Every query of accounts holds this."""
    if actor.kind == ActorKind.CUSTOMER:
        return _ACCOUNT.id == actor.account_id
    if actor.partner_id is None:
        return literal(False)
    return of_partner(actor.partner_id, None if actor.all_accounts else chosen_by(actor.user_id))


def openable(actor: Actor) -> ColumnElement[bool]:
    """Those of the actor's accounts that it may open; an operator can take that from a partner."""
    if actor.kind in {ActorKind.CUSTOMER, ActorKind.SYSTEM}:
        return in_scope(actor)
    return and_(in_scope(actor), _ACCOUNT.partner_access)


def of_partner(partner_id: Any, chosen: Select[Any] | None) -> ColumnElement[bool]:
    """The partner's accounts, all or the chosen ones. Ids may be parameters of a statement that is kept."""
    own = _ACCOUNT.partner_id == partner_id
    return own if chosen is None else and_(own, _ACCOUNT.id.in_(chosen))


def chosen_by(user_id: Any) -> Select[Any]:
    """The ids of the accounts that were chosen for a user."""
    table = UserAccount.__table__.c
    return select(table.account_id).where(table.user_id == user_id)


def find_openable(session: Session, actor: Actor, account_id: int, *, lock: bool = False) -> Account | None:
    """The account if the actor may open it."""
    wanted = select(Account).where(openable(actor), col(Account.id) == account_id)
    return session.scalars(wanted.with_for_update() if lock else wanted).first()


def find_account(session: Session, actor: Actor, account_id: int, *, lock: bool = False) -> Account | None:
    """The account if it exists for the actor, for its bills; `find_openable` for what is in it."""
    wanted = select(Account).where(in_scope(actor), col(Account.id) == account_id)
    return session.scalars(wanted.with_for_update() if lock else wanted).first()


def find_deleted(session: Session, actor: Actor, account_id: int) -> DeletedAccount | None:
    """What stays of an account that was the actor's. Who sees chosen accounts only has chosen none that are gone."""
    wanted = select(DeletedAccount).where(_was_in_scope(actor), col(DeletedAccount.account_id) == account_id)
    return session.scalars(wanted).first()


def deleted_that_match(actor: Actor, words: str) -> Select[Any]:
    """Ids of deleted accounts that were the actor's and whose name or email holds the words."""
    return select(col(DeletedAccount.account_id)).where(_was_in_scope(actor), deleted_holds(words))


def deleted_holds(words: str) -> ColumnElement[bool]:
    """Whether name or email of a deleted account hold the words, in any scope."""
    texts = (func.lower(col(DeletedAccount.name)), func.lower(col(DeletedAccount.email)))
    return or_(*(text.contains(words.lower(), autoescape=True) for text in texts))


def _was_in_scope(actor: Actor) -> ColumnElement[bool]:
    if actor.partner_id is None or not actor.all_accounts:
        return false()
    return col(DeletedAccount.partner_id) == actor.partner_id


class _Asked(NamedTuple):
    """All that changes the text of a question for accounts; the rest are its parameters."""

    kind: ActorKind
    all_accounts: bool
    has_partner: bool
    filters: tuple[str, ...]
    searches: bool
    indexed: bool


class _Shape(NamedTuple):
    """The same of the question for a page of them."""

    asked: _Asked
    sort: str
    descending: bool
    by_filter: bool
    begins_later: bool


def page(session: Session, actor: Actor, query: AccountQuery) -> AccountPage:
    """One page of accounts and how many match."""
    sums = totals_of(session, actor)
    words = searchable(query.search)
    asked, values = _asked(session, actor, query, words), _parameters(actor, query, words)
    matching, more = _count(session, query, sums, asked, values)
    part = pages.plan(query, matching, None if words else sums)
    if part.count == 0:
        return AccountPage([], matching, more, sums)
    shape = _Shape(asked, query.sort, query.descending != part.backwards, part.by_filter, bool(part.first_value))
    place = {"first_value": part.first_value, "skip": part.skip, "count": part.count}
    rows = list(map(AccountRow._make, _page(shape).rows(session, values | place)))
    return AccountPage(rows[::-1] if part.backwards else rows, matching, more, sums)


def _asked(session: Session, actor: Actor, query: AccountQuery, words: str) -> _Asked:
    filters = tuple(name for name, value in query.filters.items() if value)
    whose = (actor.kind, actor.all_accounts, actor.partner_id is not None)
    return _Asked(*whose, filters, bool(words), _is_indexed(session, words))


def _conditions(asked: _Asked) -> list[ColumnElement[bool]]:
    """Scope and filters."""
    partner_id = bindparam("partner_id", type_=BigInteger) if asked.has_partner else None
    scope = in_scope(Scope(asked.kind, asked.all_accounts, partner_id))
    return [scope, *(_FILTERS[name] == bindparam(name) for name in asked.filters)]


def _found(*, indexed: bool) -> ColumnElement[bool]:
    """Whether the account holds the words, with parameters in place of them."""
    if indexed:
        return _ACCOUNT.id.in_(_HITS)
    return or_(*(key.like(bindparam("pattern"), escape="/") for key in _KEYS))


@lru_cache(1024)
def _page(shape: _Shape) -> Question:
    """The question for a page. Made once for each shape: making it takes longer than the database's answer."""
    wanted = select(*_COLUMNS).where(*_conditions(shape.asked))
    if shape.asked.searches:
        wanted = wanted.where(_found(indexed=shape.asked.indexed))
    columns = list[Any](_ORDER[shape.sort])
    if shape.begins_later:
        # At the first status that has a match, where the accounts are sorted by a status.
        first = bindparam("first_value")
        wanted = wanted.where(columns[0] <= first if shape.descending else columns[0] >= first)
    if shape.by_filter:
        columns[0] = _no_index(columns[0])
    order = (column.desc() if shape.descending else column.asc() for column in columns)
    return Question(wanted.order_by(*order).offset(bindparam("skip")).limit(bindparam("count")))


def _parameters(actor: Actor, query: AccountQuery, words: str) -> dict[str, Any]:
    ids = {"partner_id": actor.partner_id, "account_id": actor.account_id, "user_id": actor.user_id}
    return {**ids, **query.filters, "phrase": _phrase(words), "pattern": holding(words)}


def totals_of(session: Session, actor: Actor) -> Totals:
    """Accounts, amount and size by combination of statuses: kept by triggers, or counted for a chosen list."""
    if actor.all_accounts and actor.partner_id is not None:
        return totals.of_partner(session, actor.partner_id)
    group = tuple(_FILTERS.values())
    sums = (func.count(), func.sum(_ACCOUNT.amount_minor), func.sum(_ACCOUNT.size_bytes))
    counted = session.execute(select(*group, *sums).where(in_scope(actor)).group_by(*group))
    return Totals(Total(s, b, i, int(n), int(a), int(z)) for s, b, i, n, a, z in counted)


def matching_ids(session: Session, actor: Actor, query: AccountQuery) -> list[int]:
    """The ids of all accounts that match, on every page."""
    found = session.scalars(select(col(Account.id)).where(_where(session, actor, query)))
    return [account_id for account_id in found if account_id is not None]


def that_match(session: Session, actor: Actor, words: str) -> ColumnElement[bool]:
    """The accounts that exist for the actor and whose name or email holds the words; all of them without words."""
    return and_(in_scope(actor), holds(session, words))


def holds(session: Session, words: str) -> ColumnElement[bool]:
    """Whether name or email of an account hold the words, in any scope."""
    found = searchable(words)
    return _search(session, found) if found else literal(True)


def _where(session: Session, actor: Actor, query: AccountQuery) -> ColumnElement[bool]:
    words = searchable(query.search)
    asked = [column == value for name, column in _FILTERS.items() if (value := getattr(query, name))]
    return and_(in_scope(actor), *asked, *([_search(session, words)] if words else []))


def _search(session: Session, words: str) -> ColumnElement[bool]:
    if _is_indexed(session, words):
        return col(Account.id).in_(_hits(words))
    return or_(*(key.contains(words, autoescape=True) for key in _KEYS))


def _is_indexed(session: Session, words: str) -> bool:
    bind: Any = session.bind
    return len(words) >= INDEXED_SEARCH and bind.dialect.name == "sqlite"


def _hits(words: str) -> TextClause:
    # A name of its own for each: one query may search several times.
    return _HITS.bindparams(bindparam("phrase", _phrase(words), unique=True))


def _phrase(words: str) -> str:
    return '"' + words.replace('"', '""') + '"'


def _no_index(indexed: Any) -> Any:
    """The same value, in a form that no index serves: the few that match are found by the filter and then sorted."""
    return indexed + (literal(0) if isinstance(indexed.type, BigInteger) else literal(""))


def _count(
    session: Session, query: AccountQuery, sums: Totals, asked: _Asked, values: dict[str, Any]
) -> tuple[int, bool]:
    """How many match: from the totals; of a search those up to the cap, and whether there are more."""
    if not asked.searches:
        return pages.that_match(sums, query).accounts, False
    [(found,)] = _matching(asked).rows(session, values)
    return min(found, COUNT_CAP), found > COUNT_CAP


@lru_cache(256)
def _matching(asked: _Asked) -> Question:
    """The question how many match a search, counted up to the cap."""
    capped: Select[Any] = select(literal(1)).select_from(Account.__table__).where(*_conditions(asked))
    if asked.indexed:
        # One hit after the other, so that the count can stop at the cap.
        hits = _HITS.columns(column("rowid", Integer)).subquery()
        capped = capped.join(hits, _ACCOUNT.id == hits.c.rowid)
    else:
        capped = capped.where(_found(indexed=False))
    return Question(select(func.count().label("found")).select_from(capped.limit(COUNT_CAP + 1).subquery()))


def first_matches(session: Session, actor: Actor, words: str, limit: int) -> list[AccountRow]:
    """The first accounts by name whose name or email holds the words, of those that the actor may open."""
    where = and_(_where(session, actor, AccountQuery(search=words)), openable(actor))
    found = session.execute(select(*_COLUMNS).where(where).order_by(col(Account.name_key)).limit(limit))
    return list(map(AccountRow._make, found))


def named(session: Session, actor: Actor, words: str, limit: int) -> list[tuple[int, bool]]:
    """Ids of a partner's accounts whose name or email holds the words, and whether one is just the words: first."""
    values = {"partner": actor.partner_id, "user": actor.user_id, "words": words, "limit": limit}
    values |= {"phrase": _phrase(words), "pattern": holding(words)}
    statement = _named(indexed=_is_indexed(session, words), chosen=not actor.all_accounts)
    return [(account_id, exact) for account_id, exact in session.execute(statement, values)]


@cache
def _named(*, indexed: bool, chosen: bool) -> Select[int, bool]:
    exact = or_(*(key == bindparam("words") for key in _KEYS))
    mine = of_partner(bindparam("partner"), chosen_by(bindparam("user")) if chosen else None)
    return (
        select(_ACCOUNT.id, exact).where(mine, _found(indexed=indexed)).order_by(exact.desc()).limit(bindparam("limit"))
    )


def ids_in_scope(session: Session, actor: Actor, account_ids: Sequence[int]) -> list[int]:
    """Those of the ids that exist for the actor."""
    return _ids(session, in_scope(actor), account_ids)


def ids_openable(session: Session, actor: Actor, account_ids: Sequence[int]) -> list[int]:
    """Those of the ids that the actor may open."""
    return _ids(session, openable(actor), account_ids)


def _ids(session: Session, scope: ColumnElement[bool], account_ids: Sequence[int]) -> list[int]:
    found: list[int] = []
    for start in range(0, len(account_ids), 500):
        part = account_ids[start : start + 500]
        here = session.scalars(select(col(Account.id)).where(scope, col(Account.id).in_(part)))
        found += [account_id for account_id in here if account_id is not None]
    return found
