"""Signing in and out."""

from sqlmodel import Session, col, select

from portal_app import db
from portal_app.audit.service import record
from portal_app.audit.tags import Activity
from portal_app.auth import limiter, passwords, sessions
from portal_app.auth.actor import Actor, ActorKind, Origin
from portal_app.errors import Denied
from portal_app.models import Account, Partner, PartnerState, User, UserState
from portal_app.text import EMAIL_LENGTH, normal_email

REFUSED = "The email or the password is not right."


def sign_in(email: str, password: str, origin: Origin) -> str:
    """A one-time ticket for the person, or Denied with one sentence for every reason and about the same time.

    Two units of work: no lock is held while the password is checked (tens of milliseconds of CPU).
    """
    key = normal_email(email[:EMAIL_LENGTH])
    limiter.count_attempt(key, origin.address)
    user = db.read(_find, key)
    right = passwords.verify(user.password_hash if user else None, password)
    ticket = db.write(_decide, user.id if user else None, right, origin)
    if ticket is None:
        limiter.count_failure(origin.address)
        raise Denied(REFUSED)
    limiter.forgive(key, origin.address)
    return ticket


def sign_out(session: Session, actor: Actor) -> None:
    """End the actor's session."""
    if actor.signed_in or actor.kind == ActorKind.ELSEWHERE:
        sessions.end(session, actor.session_hash)
        record(
            session, actor, Activity.SIGN_IN, f"Signed out. {_where(actor.origin)}", partner_id=_partner(session, actor)
        )


def _find(session: Session, key: str) -> User | None:
    return session.exec(select(User).where(col(User.email_key) == key)).first()


def _decide(session: Session, user_id: int | None, right: bool, origin: Origin) -> str | None:
    user = session.get(User, user_id) if user_id is not None else None
    allowed = right and user is not None and user.state == UserState.ACTIVE and _partner_is_active(session, user)
    who = (
        Actor(
            kind=ActorKind(user.kind),
            user_id=user.id,
            partner_id=user.partner_id,
            account_id=user.account_id,
            email=user.email,
            origin=origin,
        )
        if user
        else Actor(email="unknown address", origin=origin)
    )
    words = "Signed in with a password" if allowed else "Sign-in refused"
    record(
        session,
        who,
        Activity.SIGN_IN,
        f"{words}. {_where(origin)}",
        completed=allowed,
        partner_id=_partner(session, who),
    )
    return sessions.new_ticket(session, user.id) if allowed and user and user.id else None


def _partner_is_active(session: Session, user: User) -> bool:
    partner = session.get(Partner, user.partner_id) if user.partner_id is not None else None
    return partner is None or partner.state == PartnerState.ACTIVE


def _partner(session: Session, actor: Actor) -> int | None:
    """The partner in whose audit the act belongs: a customer's is that of its account."""
    if actor.account_id is None:
        return actor.partner_id
    account = session.get(Account, actor.account_id)
    return account.partner_id if account else None


def _where(origin: Origin) -> str:
    return f"{origin.browser or 'Unknown browser'} from {origin.address or 'unknown address'}"
