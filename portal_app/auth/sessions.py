"""Signed-in browsers: opaque tokens whose hashes are kept, read afresh for every event."""

import hashlib
import secrets
from datetime import timedelta
from typing import Any

from sqlalchemy import Select, bindparam, delete, func, or_, select, update
from sqlmodel import Session, col

from portal_app import clock
from portal_app.auth import cookies
from portal_app.auth.actor import NOBODY, Actor, ActorKind, Origin, at_untrusted_address
from portal_app.auth.permissions import rights_of
from portal_app.ip_restrictions.repository import is_trusted, operator_comes_from_elsewhere
from portal_app.models import (
    Account,
    LoginSession,
    LoginTicket,
    Partner,
    PartnerState,
    PendingSignIn,
    User,
    UserKind,
    UserState,
)
from portal_app.question import Question
from portal_app.settings import settings

# `__Host-` makes browsers refuse the cookie unless it is Secure and of this very host.
COOKIE = "portal_session"
SECURE_COOKIE = "__Host-portal_session"
TICKET_LIFE = timedelta(seconds=30)
# Who reaches every partner signs in anew after a working day.
OPERATOR_HOURS = 8
# How old the noted last use may grow before it is written again: an event must not cost a write.
USE_NOTED_EVERY = timedelta(minutes=1)


def _people() -> Select[Any]:
    """The columns of which an actor is made, of people who can sign in."""
    user, account, partner = (m.__table__.c for m in (User, Account, Partner))
    of_user = (user.id, user.kind, user.partner_id, user.account_id, user.email, user.name, user.role)
    of_partner = (partner.currency, partner.time_zone, partner.ip_restricted)
    return (
        select(*of_user, *of_partner, user.permissions, user.all_accounts)
        .add_columns(user.password_hash.is_not(None).label("has_password"))
        .outerjoin_from(User.__table__, Account.__table__, account.id == user.account_id)
        .outerjoin(Partner.__table__, partner.id == func.coalesce(user.partner_id, account.partner_id))
        .where(
            user.state == UserState.ACTIVE,
            # A suspended partner's people stay out; its customers still reach their own backups.
            or_(user.kind != UserKind.PARTNER, partner.state == PartnerState.ACTIVE),
        )
    )


def _wanted() -> Select[Any]:
    login = LoginSession.__table__.c
    return (
        _people()
        .add_columns(login.token_hash, login.used_at, login.confirmed_at)
        .join(LoginSession.__table__, login.user_id == User.__table__.c.id)
        .where(
            login.token_hash == bindparam("token_hash"),
            login.ends_at > bindparam("now"),
            login.used_at > bindparam("idle_since"),
        )
    )


# Asked for every event.
_WANTED = Question(_wanted())


def digest(token: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def new_ticket(session: Session, user_id: int, mark: str = "") -> str:
    """A one-time ticket that the next request of the browser with this mark changes into a cookie."""
    ticket = secrets.token_urlsafe(32)
    session.add(LoginTicket(ticket_hash=digest(f"{ticket}.{mark}"), user_id=user_id, ends_at=clock.now() + TICKET_LIFE))
    return ticket


def redeem(session: Session, ticket: str, origin: Origin) -> str | None:
    """Change a ticket into a new session's token. One used before, too old, or of another browser, gives None."""
    spent = delete(LoginTicket).where(col(LoginTicket.ticket_hash) == digest(f"{ticket}.{origin.mark}"))
    found = session.execute(spent.returning(col(LoginTicket.user_id), col(LoginTicket.ends_at))).first()
    if found is None or found.ends_at < clock.now():
        return None
    token, now = secrets.token_urlsafe(32), clock.now()
    is_operator = session.scalar(select(col(User.kind)).where(col(User.id) == found.user_id)) == UserKind.OPERATOR
    hours = min(settings().session_hours, OPERATOR_HOURS) if is_operator else settings().session_hours
    session.add(
        LoginSession(
            token_hash=digest(token),
            user_id=found.user_id,
            created_at=now,
            used_at=now,
            ends_at=now + timedelta(hours=hours),
            address=origin.address[:64],
            browser=origin.browser[:200],
            confirmed_at=now,
        )
    )
    session.execute(update(User).where(col(User.id) == found.user_id).values(last_sign_in_at=now))
    return token


def end(session: Session, token_hash: str) -> None:
    """Sign one browser out."""
    session.execute(delete(LoginSession).where(col(LoginSession.token_hash) == token_hash))


def end_all(session: Session, user_id: int, keep_hash: str = "") -> int:
    """Sign the user out everywhere, but for the session with `keep_hash`; sign-ins on their way end too.

    How many sessions there were.
    """
    others = col(LoginSession.token_hash) != keep_hash
    ended = session.execute(delete(LoginSession).where(col(LoginSession.user_id) == user_id, others)).rowcount
    for model in (LoginTicket, PendingSignIn):
        session.execute(delete(model).where(col(model.user_id) == user_id))
    return ended


def identify(session: Session, token: str | None, origin: Origin) -> Actor:
    """The actor behind a session token: user, partner, permissions as they are now. NOBODY when it no longer holds.

    The partner's own people are ELSEWHERE at an address that it does not trust; only then this costs a second look.
    So are operators at an address that is none of PORTAL_OPERATOR_ADDRESSES.
    """
    if not token:
        return Actor(origin=origin)
    now = clock.now()
    idle_since = now - timedelta(minutes=settings().session_idle_minutes)
    row = _WANTED.first(session, {"token_hash": digest(token), "now": now, "idle_since": idle_since}, alone=True)
    if row is None:
        return Actor(origin=origin)
    of_login = {"session_hash": row.token_hash, "used_at": row.used_at, "confirmed_at": row.confirmed_at}
    actor = _actor(row, origin, **of_login)
    if actor.kind == ActorKind.OPERATOR and operator_comes_from_elsewhere(origin.address):
        return at_untrusted_address(actor)
    refused = row.ip_restricted and actor.kind == ActorKind.PARTNER
    if refused and not is_trusted(session, row.partner_id, origin.address):
        return at_untrusted_address(actor)
    return actor


def person(session: Session, user_id: int | None) -> Actor:
    """Who somebody would be, if they signed in now; NOBODY when they can't. For work that was left to the portal."""
    row = session.execute(_people().where(col(User.id) == user_id)).first()
    return _actor(row, Origin()) if row else NOBODY


def needs_noting(actor: Actor) -> bool:
    """Whether the session's last use is noted too long ago."""
    return actor.used_at is not None and actor.used_at < clock.now() - USE_NOTED_EVERY


def note_use(session: Session, actor: Actor) -> None:
    """Note that the session is in use now, which puts its idle end off."""
    mine = col(LoginSession.token_hash) == actor.session_hash
    session.execute(update(LoginSession).where(mine).values(used_at=clock.now()))


def note_confirmed(session: Session, token_hash: str) -> None:
    """Note that the person at this session has just shown that it is they."""
    mine = col(LoginSession.token_hash) == token_hash
    session.execute(update(LoginSession).where(mine).values(confirmed_at=clock.now()))


def token_in(cookie_header: str | None) -> str | None:
    """The session token in a Cookie header."""
    return cookies.value_in(cookie_header, SECURE_COOKIE, COOKIE) or None


def _actor(row: Any, origin: Origin, **of_login: Any) -> Actor:
    return Actor(
        kind=ActorKind(row.kind),
        user_id=row.id,
        partner_id=row.partner_id,
        account_id=row.account_id,
        email=row.email,
        name=row.name,
        permissions=rights_of(row.kind, row.role, row.permissions),
        all_accounts=row.kind == UserKind.PARTNER and row.all_accounts,
        currency=row.currency or NOBODY.currency,
        time_zone=row.time_zone or NOBODY.time_zone,
        has_password=row.has_password,
        origin=origin,
        **of_login,
    )
