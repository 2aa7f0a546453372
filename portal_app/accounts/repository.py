"""Every SELECT of accounts, always in the actor's own scope."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, literal, or_, select, text
from sqlmodel import Session, col

from portal_app.accounts.query import AccountQuery
from portal_app.accounts.rows import AccountPage, AccountRow, Total
from portal_app.auth.actor import Actor, ActorKind
from portal_app.models import Account, AccountTotal, UserAccount
from portal_app.text import searchable

# Up to here matches of a search are counted; beyond it the page says "more than".
COUNT_CAP = 10_000
# A trigram index can't answer for less.
INDEXED_SEARCH = 3

_COLUMNS = (
    col(Account.id),
    col(Account.name),
    col(Account.email),
    col(Account.status),
    col(Account.backup_status),
    col(Account.billing_status),
    col(Account.amount_minor),
    col(Account.size_bytes),
)
_ORDER: dict[str, tuple[Any, ...]] = {
    "name": (Account.name_key, Account.id),
    "email": (Account.email_key, Account.id),
    "status": (Account.status, Account.name_key, Account.id),
    "backup": (Account.backup_status, Account.name_key, Account.id),
    "billing": (Account.billing_status, Account.name_key, Account.id),
    "amount": (Account.amount_minor, Account.id),
    "size": (Account.size_bytes, Account.id),
}


def in_scope(actor: Actor) -> ColumnElement[bool]:
    """The accounts that exist for the actor. Every query of accounts holds this."""
    if actor.kind == ActorKind.CUSTOMER:
        return col(Account.id) == actor.account_id
    if actor.partner_id is None:
        return literal(False)
    own = col(Account.partner_id) == actor.partner_id
    if actor.all_accounts:
        return own
    chosen = select(UserAccount.account_id).where(col(UserAccount.user_id) == actor.user_id)
    return and_(own, col(Account.id).in_(chosen))


def find_account(session: Session, actor: Actor, account_id: int, *, lock: bool = False) -> Account | None:
    """The account if it exists for the actor."""
    wanted = select(Account).where(in_scope(actor), col(Account.id) == account_id)
    return session.scalars(wanted.with_for_update() if lock else wanted).first()


def page(session: Session, actor: Actor, query: AccountQuery) -> AccountPage:
    """One page of accounts and how many match."""
    totals = totals_of(session, actor)
    total = sum(t.accounts for t in totals)
    where = _where(session, actor, query)
    matching, more = _count(session, where, query, totals)
    order = [c.desc() if query.descending else c.asc() for c in map(col, _ORDER[query.sort])]
    wanted = select(*_COLUMNS).where(where).order_by(*order)
    rows = session.execute(wanted.offset((query.page - 1) * query.size).limit(query.size))
    return AccountPage([AccountRow(*row) for row in rows], matching, more, total)


def totals_of(session: Session, actor: Actor) -> list[Total]:
    """Accounts, amount and size by combination of statuses: kept by triggers, or counted for a chosen list."""
    if actor.all_accounts and actor.partner_id is not None:
        kept = AccountTotal
        columns = (
            kept.status,
            kept.backup_status,
            kept.billing_status,
            kept.accounts,
            kept.amount_minor,
            kept.size_bytes,
        )
        mine = and_(col(kept.partner_id) == actor.partner_id, col(kept.accounts) > 0)
        return [Total(*row) for row in session.execute(select(*map(col, columns)).where(mine))]
    group = (col(Account.status), col(Account.backup_status), col(Account.billing_status))
    sums = (func.count(), func.sum(Account.amount_minor), func.sum(Account.size_bytes))
    counted = session.execute(select(*group, *sums).where(in_scope(actor)).group_by(*group))
    return [Total(s, b, i, int(n), int(a), int(z)) for s, b, i, n, a, z in counted]


def matching_ids(session: Session, actor: Actor, query: AccountQuery) -> list[int]:
    """The ids of all accounts that match, on every page."""
    found = session.scalars(select(col(Account.id)).where(_where(session, actor, query)))
    return [account_id for account_id in found if account_id is not None]


def _where(session: Session, actor: Actor, query: AccountQuery) -> ColumnElement[bool]:
    parts = [in_scope(actor)]
    parts += [
        col(column) == value
        for column, value in (
            (Account.status, query.status),
            (Account.backup_status, query.backup),
            (Account.billing_status, query.billing),
        )
        if value
    ]
    wanted = searchable(query.search)
    if wanted:
        parts.append(_search(session, wanted))
    return and_(*parts)


def _search(session: Session, wanted: str) -> ColumnElement[bool]:
    if len(wanted) >= INDEXED_SEARCH and session.get_bind().dialect.name == "sqlite":
        phrase = '"' + wanted.replace('"', '""') + '"'
        hits = text("SELECT rowid FROM account_search WHERE account_search MATCH :phrase").bindparams(phrase=phrase)
        return col(Account.id).in_(hits)
    return or_(
        col(Account.name_key).contains(wanted, autoescape=True),
        col(Account.email_key).contains(wanted, autoescape=True),
    )


def _count(session: Session, where: ColumnElement[bool], query: AccountQuery, totals: list[Total]) -> tuple[int, bool]:
    if not searchable(query.search):
        return sum(t.accounts for t in totals if _counts(t, query)), False
    capped: Select[Any] = select(literal(1)).select_from(Account).where(where).limit(COUNT_CAP + 1)
    found = session.scalar(select(func.count()).select_from(capped.subquery())) or 0
    return min(found, COUNT_CAP), found > COUNT_CAP


def _counts(total: Total, query: AccountQuery) -> bool:
    return (
        query.status in ("", total.status)
        and query.backup in ("", total.backup_status)
        and query.billing in ("", total.billing_status)
    )


def first_matches(session: Session, actor: Actor, words: str, limit: int) -> list[AccountRow]:
    """The first accounts by name whose name or email holds the words."""
    where = _where(session, actor, AccountQuery(search=words))
    found = session.execute(select(*_COLUMNS).where(where).order_by(col(Account.name_key)).limit(limit))
    return [AccountRow(*row) for row in found]


def ids_in_scope(session: Session, actor: Actor, account_ids: Sequence[int]) -> list[int]:
    """Those of the ids that exist for the actor."""
    found: list[int] = []
    for start in range(0, len(account_ids), 500):
        part = account_ids[start : start + 500]
        here = session.scalars(select(col(Account.id)).where(in_scope(actor), col(Account.id).in_(part)))
        found += [account_id for account_id in here if account_id is not None]
    return found
