"""What every change of a password or a second factor has in common: others are signed out, it is audited and mailed."""

from sqlmodel import Session

from portal_app import clock
from portal_app.audit.service import record
from portal_app.audit.tags import Activity
from portal_app.auth import one_time, sessions
from portal_app.auth.actor import Actor, ActorKind, Origin
from portal_app.mail import service as mail
from portal_app.mail.letter import Letter
from portal_app.models import Account, LinkKind, User
from portal_app.security import letters


def set_password(session: Session, user: User, password_hash: str, actor: Actor, *, words: str) -> None:
    """Replace the password; every other session, sign-in on its way and reset link of the user ends.

    `actor` is the user: the session behind it stays. `words` go into the audit.
    """
    user.password_hash, user.password_set_at, user.must_change_password = password_hash, clock.now(), False
    session.add(user)
    one_time.void(session, user.id or 0, LinkKind.RESET)
    told(session, user, actor, words, letters.password_changed(where(actor.origin)))


def told(session: Session, user: User, actor: Actor, words: str, letter: Letter) -> None:
    """End the user's other sessions, write the audit, mail the user."""
    sessions.end_all(session, user.id or 0, keep_hash=actor.session_hash)
    partner_id = partner_of(session, actor)
    record(session, actor, Activity.SETTINGS_CHANGED, f"{words}. {where(actor.origin)}", partner_id=partner_id)
    mail.queue(session, user.email, letter, kind="security", partner_id=partner_id)


def person(user: User, origin: Origin) -> Actor:
    """The user as the author of an audit line; may do nothing."""
    return Actor(
        kind=ActorKind(user.kind),
        user_id=user.id,
        partner_id=user.partner_id,
        account_id=user.account_id,
        email=user.email,
        origin=origin,
    )


def partner_of(session: Session, actor: Actor) -> int | None:
    """The partner in whose audit the act belongs: a customer's is that of its account."""
    if actor.account_id is None:
        return actor.partner_id
    account = session.get(Account, actor.account_id)
    return account.partner_id if account else None


def where(origin: Origin) -> str:
    """Browser and address in words."""
    return f"{origin.browser or 'Unknown browser'} from {origin.address or 'unknown address'}"
