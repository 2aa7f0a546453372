"""What operators read: across all partners."""

from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, and_, func, or_, select
from sqlmodel import Session, col

from portal_app.accounts import repository as accounts
from portal_app.models import (
    Account,
    AccountTotal,
    Partner,
    Passkey,
    TrustedAddress,
    User,
    UserKind,
    UserState,
)
from portal_app.operator.query import AccountsQuery, OperatorQuery, PartnerQuery
from portal_app.operator.rows import (
    AccountAccess,
    AccountAccessPage,
    PartnerPage,
    PartnerRow,
    PersonPage,
    PersonRow,
)
from portal_app.paging import ListQuery
from portal_app.text import searchable

PEOPLE_SHOWN = 100
_PASSKEY = select(col(Passkey.id)).where(col(Passkey.user_id) == col(User.id)).exists()
_PERSON = (
    col(User.id),
    col(User.version),
    col(User.email),
    col(User.name),
    col(User.role),
    col(User.state),
    col(User.totp_enabled_at).is_not(None),
    _PASSKEY,
    col(User.last_sign_in_at),
)
_OPERATOR = col(User.kind) == UserKind.OPERATOR


def partners(session: Session, query: PartnerQuery) -> PartnerPage:
    """A page of all partners."""
    held, people = _accounts_of_each(), _users_of_each()
    counts = (func.coalesce(held.c.n, 0), func.coalesce(people.c.n, 0))
    order = {
        "code": col(Partner.code),
        "name": func.lower(col(Partner.name)),
        "state": col(Partner.state),
        "currency": col(Partner.currency),
        "accounts": counts[0],
        "users": counts[1],
        "since": col(Partner.created_at),
    }
    where = _partners_that_match(query)
    wanted = (
        select(Partner, *counts)
        .outerjoin(held, held.c.partner_id == col(Partner.id))
        .outerjoin(people, people.c.partner_id == col(Partner.id))
        .where(*where)
    )
    found = session.execute(_part(wanted, query, order[query.sort], col(Partner.code)))
    rows = [
        PartnerRow(p.id or 0, p.code, p.name, p.state, p.currency, int(accounts_n), int(users_n), p.created_at)
        for p, accounts_n, users_n in found
    ]
    return PartnerPage(rows, _count(session, Partner, *where), _count(session, Partner))


def partner_by_code(session: Session, code: str, *, lock: bool = False) -> Partner | None:
    """The partner of this ID."""
    wanted = select(Partner).where(col(Partner.code) == code)
    if lock:
        wanted = wanted.with_for_update(key_share=True).execution_options(populate_existing=True)
    return session.scalars(wanted).first()


def accounts_of(session: Session, partner_id: int) -> tuple[int, int]:
    """How many accounts the partner has, and how many of them it may no longer open."""
    mine = col(Account.partner_id) == partner_id
    return _count(session, Account, mine), _count(session, Account, mine, ~col(Account.partner_access))


def trusted_of(session: Session, partner_id: int) -> int:
    """How many entries its list of trusted addresses has."""
    return _count(session, TrustedAddress, col(TrustedAddress.partner_id) == partner_id)


def people_of(session: Session, partner_id: int) -> tuple[list[PersonRow], int]:
    """The partner's first users by email, and how many there are."""
    mine = col(User.partner_id) == partner_id
    found = session.execute(select(*_PERSON).where(mine).order_by(col(User.email_key)).limit(PEOPLE_SHOWN))
    return [PersonRow(*row) for row in found], _count(session, User, mine)


def last_sign_in_of(session: Session, partner_id: int) -> Any:
    """When anybody of the partner signed in last; None for never."""
    kind = User.__table__.c.last_sign_in_at.type
    return session.scalar(select(func.max(User.last_sign_in_at, type_=kind)).where(col(User.partner_id) == partner_id))


def account_access(session: Session, partner_id: int, query: AccountsQuery) -> AccountAccessPage:
    """A page of the partner's accounts, and who may open each."""
    mine = col(Account.partner_id) == partner_id
    where = [mine]
    if query.access:
        where.append(col(Account.partner_access).is_(query.access == "open"))
    if searchable(query.search):
        where.append(accounts.holds(session, query.search))
    own = (col(User.account_id) == col(Account.id), col(User.state) != UserState.DISABLED)
    users = select(func.count()).select_from(User).where(*own).correlate(Account).scalar_subquery()
    order = {
        "name": col(Account.name_key),
        "email": col(Account.email_key),
        "status": col(Account.status),
        "access": col(Account.partner_access),
    }
    columns = (col(Account.id), col(Account.name), col(Account.email), col(Account.status), col(Account.partner_access))
    found = session.execute(_part(select(*columns, users).where(*where), query, order[query.sort], col(Account.id)))
    rows = [AccountAccess(*row) for row in found]
    return AccountAccessPage(rows, _count(session, Account, *where), _count(session, Account, mine))


def operators(session: Session, query: OperatorQuery) -> PersonPage:
    """A page of the provider's people."""
    where = [_OPERATOR, *([col(User.state) == query.state] if query.state else []), *_person_that_matches(query)]
    order = {
        "email": col(User.email_key),
        "two_factor": or_(col(User.totp_enabled_at).is_not(None), _PASSKEY),
        "last": col(User.last_sign_in_at),
        "state": col(User.state),
    }
    found = session.execute(_part(select(*_PERSON).where(*where), query, order[query.sort], col(User.email_key)))
    return PersonPage([PersonRow(*r) for r in found], _count(session, User, *where), _count(session, User, _OPERATOR))


def lock_operators(session: Session) -> list[User]:
    """All of the provider's people, locked in one order: changes of them come one after the other."""
    wanted = select(User).where(_OPERATOR).order_by(col(User.id)).with_for_update()
    return list(session.scalars(wanted.execution_options(populate_existing=True)))


def customer_emails(session: Session, account: Account) -> list[str]:
    """Where a customer is written to: the account's own address, and those of its users who can sign in."""
    own = (col(User.account_id) == account.id, col(User.state) == UserState.ACTIVE)
    users = session.scalars(select(col(User.email)).where(*own).order_by(col(User.id)))
    return list({email.casefold(): email for email in (account.email, *users)}.values())


def _accounts_of_each() -> Subquery:
    summed = func.sum(AccountTotal.accounts).label("n")
    return select(col(AccountTotal.partner_id).label("partner_id"), summed).group_by("partner_id").subquery()


def _users_of_each() -> Subquery:
    counted = select(col(User.partner_id).label("partner_id"), func.count().label("n"))
    return counted.group_by(col(User.partner_id)).subquery()


def _partners_that_match(query: PartnerQuery) -> list[ColumnElement[bool]]:
    where = [col(Partner.state) == query.state] if query.state else []
    if words := query.search.strip().lower():
        texts = (col(Partner.code), col(Partner.name), col(Partner.email))
        where.append(or_(*(func.lower(one).contains(words, autoescape=True) for one in texts)))
    return where


def _person_that_matches(query: ListQuery) -> list[ColumnElement[bool]]:
    words = searchable(query.search)
    keys = (col(User.name_key), col(User.email_key))
    return [or_(*(key.contains(words, autoescape=True) for key in keys))] if words else []


def _part(wanted: Select[Any], query: ListQuery, first: Any, then: Any) -> Select[Any]:
    first = first.desc().nulls_last() if query.descending else first.asc().nulls_first()
    return wanted.order_by(first, then).offset((query.page - 1) * query.size).limit(query.size)


def _count(session: Session, model: Any, *where: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).select_from(model).where(and_(True, *where))) or 0
