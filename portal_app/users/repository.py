"""Every SELECT of users, always of the actor's own partner; and of the accounts that can be chosen for them."""

from typing import Any

from sqlalchemy import ColumnElement, and_, case, delete, func, insert, literal, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from portal_app.accounts import repository as accounts
from portal_app.auth.actor import Actor
from portal_app.models import Account, User, UserAccount
from portal_app.paging import ListQuery
from portal_app.text import searchable
from portal_app.users.query import UserQuery
from portal_app.users.rows import AccountChoice, AccountLine, Asked, Change, UserPage, UserRow

_TWO_FACTOR = col(User.totp_enabled_at).is_not(None)
_COLUMNS = (
    col(User.id),
    col(User.version),
    col(User.email),
    col(User.name),
    col(User.sign_in_type),
    _TWO_FACTOR,
    col(User.role),
    col(User.last_sign_in_at),
    col(User.state),
    col(User.permissions),
)
_FILTERS = {"type": col(User.sign_in_type), "role": col(User.role), "state": col(User.state)}
_ORDER: dict[str, Any] = {
    "email": col(User.email_key),
    "name": col(User.name_key),
    "type": col(User.sign_in_type),
    "two_factor": _TWO_FACTOR,
    "role": col(User.role),
    "last": col(User.last_sign_in_at),
    "state": col(User.state),
}


def in_scope(actor: Actor) -> ColumnElement[bool]:
    """The users that exist for the actor. Every query of users holds this; only a partner's own people have one."""
    return literal(False) if actor.partner_id is None else col(User.partner_id) == actor.partner_id


def find(session: Session, scope: ColumnElement[bool], user_id: int, *, lock: bool = False) -> User | None:
    """The user if they are in the scope."""
    wanted = select(User).where(scope, col(User.id) == user_id)
    if lock:
        wanted = wanted.with_for_update().execution_options(populate_existing=True)
    return session.scalars(wanted).first()


def page(session: Session, scope: ColumnElement[bool], query: ListQuery) -> UserPage:
    """One page of the users in a scope."""
    where = _where(scope, query)
    wanted = select(*_COLUMNS).where(where).order_by(*_order(query))
    found = session.execute(wanted.offset((query.page - 1) * query.size).limit(query.size))
    rows = [UserRow(*row) for row in found]
    return UserPage(rows, _count(session, where), _count(session, scope))


def first_matches(session: Session, actor: Actor, words: str, limit: int) -> list[UserRow]:
    """The first users by email whose name or email holds the words."""
    query = UserQuery(search=words)
    found = session.execute(
        select(*_COLUMNS).where(_where(in_scope(actor), query)).order_by(*_order(query)).limit(limit)
    )
    return [UserRow(*row) for row in found]


def chosen_outside(session: Session, actor: Actor, user_id: int) -> int:
    """How many of the user's chosen accounts do not exist for the actor."""
    mine = select(col(Account.id)).where(accounts.in_scope(actor))
    others = (col(UserAccount.user_id) == user_id, col(UserAccount.account_id).not_in(mine))
    return session.scalar(select(func.count()).select_from(UserAccount).where(*others)) or 0


def choice(session: Session, actor: Actor, user_id: int, asked: Asked, changes: tuple[Change, ...]) -> AccountChoice:
    """A page of the accounts that match, each with whether it is ticked."""
    mine, ticked = accounts.in_scope(actor), _is_ticked(session, user_id, changes)
    matches = accounts.that_match(session, actor, asked.words)
    columns = (col(Account.id), col(Account.name), col(Account.email), ticked)
    wanted = select(*columns).where(matches).order_by(col(Account.name_key), col(Account.id))
    found = session.execute(wanted.offset((asked.page - 1) * asked.size).limit(asked.size))
    lines = [AccountLine(number, name, email, bool(on)) for number, name, email, on in found]
    total = _count_accounts(session, mine)
    matching = _count_accounts(session, matches) if searchable(asked.words) else total
    return AccountChoice(lines, matching, total, _count_accounts(session, and_(mine, ticked)))


def save_choice(session: Session, actor: Actor, user_id: int, changes: tuple[Change, ...]) -> tuple[int, int]:
    """Write the changes down, within the accounts that exist for the actor. How many were added, how many removed."""
    mine, ticked = accounts.in_scope(actor), _is_ticked(session, user_id, changes)
    held = _is_held(user_id)
    new = select(literal(user_id), col(Account.id)).where(mine, ticked, ~held)
    add = insert(UserAccount.__table__).from_select(["user_id", "account_id"], new)
    added = session.execute(add.execution_options(preserve_rowcount=True))
    gone = select(col(Account.id)).where(mine, held, ~ticked)
    listed = (col(UserAccount.user_id) == user_id, col(UserAccount.account_id).in_(gone))
    removed = session.execute(delete(UserAccount).where(*listed).execution_options(synchronize_session=False))
    return added.rowcount, removed.rowcount


def forget_choice(session: Session, user_id: int) -> None:
    """The user's list of chosen accounts goes: they may see all."""
    session.execute(delete(UserAccount).where(col(UserAccount.user_id) == user_id))


def _where(scope: ColumnElement[bool], query: ListQuery) -> ColumnElement[bool]:
    parts = [_FILTERS[name] == value for name, value in query.filters.items() if value]
    if words := searchable(query.search):
        keys = (col(User.name_key), col(User.email_key))
        parts.append(or_(*(key.contains(words, autoescape=True) for key in keys)))
    return and_(scope, *parts)


def _order(query: ListQuery) -> list[Any]:
    first = _ORDER[query.sort]
    # Who never signed in is the longest away, on every database.
    if query.sort == "last":
        first = first.desc().nulls_last() if query.descending else first.asc().nulls_first()
    else:
        first = first.desc() if query.descending else first.asc()
    return [first, col(User.email_key), col(User.id)]


def _count(session: Session, where: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).select_from(User).where(where)) or 0


def _count_accounts(session: Session, where: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).select_from(Account).where(where)) or 0


def _is_ticked(session: Session, user_id: int, changes: tuple[Change, ...]) -> ColumnElement[bool]:
    """Whether the account of the query's row is ticked: the last change that touches it says so, else what is saved."""
    saved = _is_held(user_id)
    steps = [(_touches(session, change), literal(change.ticked)) for change in reversed(changes)]
    return case(*steps, else_=saved) if steps else saved


def _is_held(user_id: int) -> ColumnElement[bool]:
    # Under a name of its own, so that it stays whole inside a statement about the very table.
    held = aliased(UserAccount)
    return col(Account.id).in_(select(col(held.account_id)).where(col(held.user_id) == user_id))


def _touches(session: Session, change: Change) -> ColumnElement[bool]:
    if change.words is None:
        return col(Account.id).in_(sorted(change.ids))
    return accounts.holds(session, change.words)
