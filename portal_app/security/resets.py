"""Forgotten passwords: a link by mail, good once and for an hour. No answer tells whether an address exists."""

from datetime import timedelta

from sqlmodel import Session, col, select

from portal_app import db
from portal_app.auth import limiter, one_time, passwords
from portal_app.auth.actor import Actor, Origin, elsewhere_sentence
from portal_app.auth.credentials import partner_of, person, set_password
from portal_app.auth.service import new_password_faults
from portal_app.auth.steps import may_enter, note
from portal_app.errors import Conflict, Denied, Invalid
from portal_app.ip_restrictions.repository import user_comes_from_elsewhere
from portal_app.mail import service as mail
from portal_app.models import LinkKind, User
from portal_app.security import letters
from portal_app.text import EMAIL_LENGTH, normal_email

LIFE = timedelta(hours=1)
VOID = "This link was used already, or is too old. Ask for a new one."


def ask(email: str, origin: Origin) -> None:
    """Mail a link to the person, if there is one who may sign in. The same to see for every address.

    Raises Denied after many tries: of these every one counts, for an address that exists or not.
    """
    key = normal_email(email[:EMAIL_LENGTH])
    limiter.count_reset(key, origin.address)
    db.write(_ask, key, origin)


def is_good(session: Session, token: str, origin: Origin) -> bool:
    """Whether the link still works. Spends nothing. Raises Denied at an address that the user's partner refuses."""
    user_id = one_time.peek(session, token, LinkKind.RESET)
    if user_id is not None:
        _refuse_elsewhere(session, user_id, origin)
    return user_id is not None


def finish(token: str, password: str, again: str, origin: Origin) -> None:
    """Replace the password; all sessions of the user end, the second factor stays.

    Raises Invalid (password, again), Conflict when the link is no longer good, and Denied as `is_good`. A fault
    spends no link.
    """
    user = db.read(_user_of, token, origin)
    if user is None:
        raise Conflict(VOID)
    if faults := new_password_faults(user, password, again):
        raise Invalid(**faults)
    if not db.write(_finish, token, passwords.hash_password(password), origin):
        raise Conflict(VOID)


def _ask(session: Session, key: str, origin: Origin) -> None:
    user = session.exec(select(User).where(col(User.email_key) == key)).first()
    if user is None or not may_enter(session, user):
        note(session, user, origin, "New password asked for; no link was sent", completed=False)
        return
    token = one_time.create(session, user.id or 0, LinkKind.RESET, LIFE)
    partner_id = partner_of(session, person(user, origin))
    mail.queue(session, user.email, letters.reset(token), kind="reset", partner_id=partner_id)
    note(session, user, origin, "New password asked for; a link was mailed")


def _refuse_elsewhere(session: Session, user_id: int, origin: Origin) -> None:
    if user_comes_from_elsewhere(session, user_id, origin.address):
        raise Denied(elsewhere_sentence(Actor(origin=origin)))


def _user_of(session: Session, token: str, origin: Origin) -> User | None:
    user_id = one_time.peek(session, token, LinkKind.RESET)
    user = session.get(User, user_id) if user_id else None
    if user_id is not None:
        _refuse_elsewhere(session, user_id, origin)
    return user if user and may_enter(session, user) else None


def _finish(session: Session, token: str, password_hash: str, origin: Origin) -> bool:
    user_id = one_time.take(session, token, LinkKind.RESET)
    user = session.get(User, user_id) if user_id else None
    if user is None or not may_enter(session, user):
        return False
    # Once more, in the transaction of the change: what is refused spends no link.
    _refuse_elsewhere(session, user.id or 0, origin)
    set_password(session, user, password_hash, person(user, origin), words="Password reset with a mailed link")
    return True
