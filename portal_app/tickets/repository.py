"""Every SELECT of tickets, always in the actor's own scope."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, false, func, or_, select, true
from sqlmodel import Session, col

from portal_app.accounts import repository as accounts
from portal_app.auth.actor import Actor, ActorKind
from portal_app.auth.permissions import Permission
from portal_app.models import (
    Account,
    Partner,
    Role,
    Ticket,
    TicketFile,
    TicketMessage,
    User,
    UserKind,
    UserState,
)
from portal_app.paging import ListQuery
from portal_app.text import searchable
from portal_app.tickets.query import QueueQuery, TicketQuery
from portal_app.tickets.rows import AccountLine, FileRow, MessageRow, QueuePage, QueueRow, TicketPage, TicketRow

_COLUMNS = (
    col(Ticket.id),
    col(Ticket.subject),
    col(Ticket.topic),
    col(Ticket.urgency),
    col(Ticket.state),
    col(Ticket.account_name),
    col(Ticket.opened_by),
    col(Ticket.changed_at),
)
_FILTERS = {"state": col(Ticket.state), "topic": col(Ticket.topic), "urgency": col(Ticket.urgency)}
_ORDER: dict[str, tuple[Any, ...]] = {
    "queue": (col(Ticket.queue_place), col(Ticket.changed_at), col(Ticket.id)),
    "changed": (col(Ticket.changed_at), col(Ticket.id)),
    "subject": (col(Ticket.search_key), col(Ticket.id)),
    "opened_by": (col(Ticket.opened_by), col(Ticket.changed_at), col(Ticket.id)),
}
# Longer is no number of a ticket, and no number for a database.
_MOST_DIGITS = 9


def in_scope(session: Session, actor: Actor) -> ColumnElement[bool]:
    """The tickets that exist for the actor. Every query of tickets holds this."""
    if actor.kind == ActorKind.OPERATOR:
        return true()
    if actor.kind != ActorKind.PARTNER or not actor.may(Permission.TICKETS_OPEN):
        return false()
    mine = col(Ticket.partner_id) == actor.partner_id
    if not _is_administrator(session, actor):
        mine = and_(mine, col(Ticket.opened_by_id) == actor.user_id)
    return and_(mine, or_(col(Ticket.account_id).is_(None), ~_hidden_account(actor)))


def _is_administrator(session: Session, actor: Actor) -> bool:
    role = session.scalar(select(col(User.role)).where(col(User.id) == actor.user_id))
    return role == Role.ADMINISTRATOR


def _hidden_account(actor: Actor) -> ColumnElement[bool]:
    """Whether the ticket's account is there and the actor may not see it; of one that is gone the names stay."""
    about = select(col(Account.id)).where(col(Account.id) == col(Ticket.account_id), ~seen_accounts(actor))
    return about.correlate(Ticket).exists()


def seen_accounts(actor: Actor) -> ColumnElement[bool]:
    """The accounts that a ticket of the actor's may be about; none that was taken from the partner."""
    knows = actor.may(Permission.DASHBOARD_VIEW) or actor.may(Permission.ACCOUNTS_ACCESS)
    return accounts.openable(actor) if knows else false()


def find(session: Session, actor: Actor, ticket_id: int, *, lock: bool = False) -> Ticket | None:
    """The ticket if it exists for the actor."""
    wanted = select(Ticket).where(in_scope(session, actor), col(Ticket.id) == ticket_id)
    if lock:
        wanted = wanted.with_for_update().execution_options(populate_existing=True)
    return session.scalars(wanted).first()


def page(session: Session, actor: Actor, query: TicketQuery) -> TicketPage:
    """One page of the actor's tickets."""
    scope = in_scope(session, actor)
    where = and_(scope, *_asked(query))
    found = session.execute(_part(select(*_COLUMNS).where(where), query))
    return TicketPage([TicketRow(*row) for row in found], _count(session, where), _count(session, scope))


def latest(session: Session, actor: Actor, limit: int) -> list[TicketRow]:
    """The actor's tickets in which something happened last."""
    wanted = select(*_COLUMNS).where(in_scope(session, actor))
    newest = wanted.order_by(col(Ticket.changed_at).desc(), col(Ticket.id).desc()).limit(limit)
    return [TicketRow(*row) for row in session.execute(newest)]


def queue(session: Session, actor: Actor, query: QueueQuery) -> QueuePage:
    """One page of all partners' tickets."""
    scope = in_scope(session, actor)
    where = and_(scope, *_asked(query), *_whose(actor, query))
    more = (col(Partner.code), col(Partner.name), col(User.name), col(Ticket.notes))
    wanted = (
        select(*_COLUMNS, *more)
        .join(Partner, col(Partner.id) == col(Ticket.partner_id))
        .outerjoin(User, col(User.id) == col(Ticket.assigned_to_id))
        .where(where)
    )
    found = session.execute(_part(wanted, query))
    return QueuePage([QueueRow(*row) for row in found], _count(session, where), _count(session, scope))


def _whose(actor: Actor, query: QueueQuery) -> list[ColumnElement[bool]]:
    parts: list[ColumnElement[bool]] = []
    if query.assigned:
        mine = col(Ticket.assigned_to_id)
        parts.append(mine == actor.user_id if query.assigned == "me" else mine.is_(None))
    if query.partner:
        of_partner = select(col(Partner.id)).where(col(Partner.code) == query.partner)
        parts.append(col(Ticket.partner_id).in_(of_partner))
    return parts


def _asked(query: ListQuery) -> list[ColumnElement[bool]]:
    parts = [_FILTERS[name] == value for name, value in query.filters.items() if value and name in _FILTERS]
    if words := searchable(query.search):
        holds = col(Ticket.search_key).contains(words, autoescape=True)
        number = words.removeprefix("#")
        is_number = number.isascii() and number.isdecimal() and len(number) <= _MOST_DIGITS
        parts.append(or_(holds, col(Ticket.id) == int(number)) if is_number else holds)
    return parts


def _part(wanted: Any, query: ListQuery) -> Any:
    order = (column.desc() if query.descending else column.asc() for column in _ORDER[query.sort])
    return wanted.order_by(*order).offset((query.page - 1) * query.size).limit(query.size)


def _count(session: Session, where: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).select_from(Ticket).where(where)) or 0


def messages(session: Session, ticket_id: int, *, internal: bool = False) -> tuple[MessageRow, ...]:
    """The conversation of a ticket that was found before, oldest first; notes only where they are asked for."""
    which = [col(TicketMessage.ticket_id) == ticket_id]
    if not internal:
        which.append(col(TicketMessage.internal).is_(False))
    found = session.scalars(select(TicketMessage).where(*which).order_by(col(TicketMessage.id))).all()
    files = _files(session, [one.id or 0 for one in found])
    return tuple(_message(one, files[one.id or 0]) for one in found)


def _message(row: TicketMessage, files: list[FileRow]) -> MessageRow:
    return MessageRow(row.id or 0, row.author, row.from_provider, row.internal, row.text, row.made_at, tuple(files))


def _files(session: Session, message_ids: Sequence[int]) -> dict[int, list[FileRow]]:
    columns = (col(TicketFile.message_id), col(TicketFile.id), col(TicketFile.name), col(TicketFile.size_bytes))
    wanted = select(*columns).where(col(TicketFile.message_id).in_(message_ids)).order_by(col(TicketFile.id))
    found: dict[int, list[FileRow]] = defaultdict(list)
    for message_id, *row in session.execute(wanted):
        found[message_id].append(FileRow(*row))
    return found


def file_with_ticket(session: Session, actor: Actor, file_id: int) -> tuple[TicketFile, TicketMessage, Ticket] | None:
    """A file of a message that the actor may read, with both."""
    wanted = (
        select(TicketFile, TicketMessage, Ticket)
        .join(TicketMessage, col(TicketMessage.id) == col(TicketFile.message_id))
        .join(Ticket, col(Ticket.id) == col(TicketMessage.ticket_id))
        .where(in_scope(session, actor), col(TicketFile.id) == file_id)
    )
    if actor.kind != ActorKind.OPERATOR:
        wanted = wanted.where(col(TicketMessage.internal).is_(False))
    found = session.execute(wanted).first()
    return (found[0], found[1], found[2]) if found else None


def written_since(session: Session, user_id: int | None, since: datetime) -> int:
    """How many messages the user has written since then."""
    mine = (col(TicketMessage.author_id) == user_id, col(TicketMessage.made_at) > since)
    return session.scalar(select(func.count()).select_from(TicketMessage).where(*mine)) or 0


def opened_since(session: Session, user_id: int | None, since: datetime) -> int:
    """How many tickets the user has opened since then."""
    mine = (col(Ticket.opened_by_id) == user_id, col(Ticket.created_at) > since)
    return session.scalar(select(func.count()).select_from(Ticket).where(*mine)) or 0


def accounts_named(session: Session, actor: Actor, words: str, limit: int) -> list[AccountLine]:
    """The first accounts by name whose name or email holds the words, of those that a ticket may be about."""
    where = and_(seen_accounts(actor), accounts.holds(session, words))
    return _lines(session.execute(_account_lines().where(where).order_by(col(Account.name_key)).limit(limit)))


def account_line(session: Session, actor: Actor, account_id: int) -> AccountLine | None:
    """The account, if a ticket of the actor's may be about it."""
    found = _lines(session.execute(_account_lines().where(seen_accounts(actor), col(Account.id) == account_id)))
    return found[0] if found else None


def _account_lines() -> Any:
    return select(col(Account.id), col(Account.name), col(Account.email))


def _lines(found: Iterable[Any]) -> list[AccountLine]:
    return [AccountLine(*row) for row in found]


def operators(session: Session) -> tuple[tuple[int, str], ...]:
    """Who may look after a ticket, by name."""
    active = (col(User.kind) == UserKind.OPERATOR, col(User.state) == UserState.ACTIVE)
    found = session.execute(select(col(User.id), col(User.name)).where(*active).order_by(col(User.name_key)))
    return tuple((number, name) for number, name in found)
