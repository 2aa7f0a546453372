"""Signed-in browsers: opaque tokens whose hashes are kept, read afresh for every event."""

import hashlib
import secrets
from datetime import timedelta

from sqlalchemy import delete, func, or_, select, update
from sqlmodel import Session, col

from portal_app import clock
from portal_app.auth import cookies
from portal_app.auth.actor import NOBODY, Actor, ActorKind, Origin, at_untrusted_address
from portal_app.auth.permissions import CUSTOMER_OPERATIONS, Permission, effective
from portal_app.ip_restrictions.repository import comes_from_elsewhere
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
from portal_app.settings import settings

# `__Host-` makes browsers refuse the cookie unless it is Secure and of this very host.
COOKIE = "portal_session"
SECURE_COOKIE = "__Host-portal_session"
TICKET_LIFE = timedelta(seconds=30)
# How old the noted last use may grow before it is written again: an event must not cost a write.
USE_NOTED_EVERY = timedelta(minutes=1)


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
    session.add(
        LoginSession(
            token_hash=digest(token),
            user_id=found.user_id,
            created_at=now,
            used_at=now,
            ends_at=now + timedelta(hours=settings().session_hours),
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
    """
    if not token:
        return Actor(origin=origin)
    now = clock.now()
    row = session.execute(
        select(LoginSession, User, Partner)
        .join(User, col(User.id) == col(LoginSession.user_id))
        .outerjoin(Account, col(Account.id) == col(User.account_id))
        .outerjoin(Partner, col(Partner.id) == func.coalesce(col(User.partner_id), col(Account.partner_id)))
        .where(
            col(LoginSession.token_hash) == digest(token),
            col(LoginSession.ends_at) > now,
            col(LoginSession.used_at) > now - timedelta(minutes=settings().session_idle_minutes),
            col(User.state) == UserState.ACTIVE,
            # A suspended partner's people stay out; its customers still reach their own backups.
            or_(col(User.kind) != UserKind.PARTNER, col(Partner.state) == PartnerState.ACTIVE),
        )
    ).first()
    if row is None:
        return Actor(origin=origin)
    actor, partner = _actor(*row, origin), row.Partner
    refused = actor.kind == ActorKind.PARTNER and comes_from_elsewhere(session, partner, origin.address)
    return at_untrusted_address(actor) if refused else actor


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


def _actor(login: LoginSession, user: User, partner: Partner | None, origin: Origin) -> Actor:
    return Actor(
        kind=ActorKind(user.kind),
        user_id=user.id,
        partner_id=user.partner_id,
        account_id=user.account_id,
        email=user.email,
        name=user.name,
        permissions=_permissions(user),
        all_accounts=user.kind == UserKind.PARTNER and user.all_accounts,
        currency=partner.currency if partner else NOBODY.currency,
        time_zone=partner.time_zone if partner else NOBODY.time_zone,
        session_hash=login.token_hash,
        used_at=login.used_at,
        has_password=user.password_hash is not None,
        confirmed_at=login.confirmed_at,
        origin=origin,
    )


def _permissions(user: User) -> frozenset[Permission]:
    if user.kind == UserKind.PARTNER:
        return effective(user.role, user.permissions)
    return CUSTOMER_OPERATIONS if user.kind == UserKind.CUSTOMER else frozenset()
