"""A person's own sessions and password, and the rules for all users of a partner."""

from sqlalchemy import delete, select
from sqlmodel import Session, col

from portal_app import clock, db
from portal_app.audit.service import record
from portal_app.audit.tags import Activity
from portal_app.auth import limiter, passwords, second_factor, sessions, steps
from portal_app.auth.actor import Actor, ActorKind
from portal_app.auth.credentials import partner_of, set_password, where
from portal_app.auth.permissions import Permission
from portal_app.auth.service import SAME_PASSWORD, WRONG_PASSWORD, new_password_faults
from portal_app.errors import Denied, Invalid, NotFound
from portal_app.models import LoginSession, Partner, User
from portal_app.security.rows import Overview, Policy, SessionRow

LONGEST_DAYS = 730
# The list shows the browsers used last; nobody has as many.
MOST_SESSIONS = 100
_KEY = 16


def overview(session: Session, actor: Actor) -> Overview:
    """All that the page shows. Raises Denied for who is not signed in."""
    user = own(session, actor)
    partner = session.get(Partner, actor.partner_id) if actor.partner_id else None
    return Overview(
        has_password=user.password_hash is not None,
        password_set_at=user.password_set_at or user.created_at,
        two_factor=user.totp_enabled_at is not None,
        two_factor_required=steps.requires_second_factor(user, partner),
        codes_left=second_factor.codes_left(session, user.id or 0),
        sessions=tuple(_row(login, actor) for login in _logins(session, actor)),
        policy=_policy(partner) if partner and _may_rule(actor) else None,
    )


def own(session: Session, actor: Actor) -> User:
    """The actor's own user. Raises Denied for who is not signed in."""
    user = session.get(User, actor.user_id) if actor.signed_in and actor.user_id else None
    if user is None:
        raise Denied("Please sign in.")
    return user


def change_password(actor: Actor, current: str, password: str, again: str) -> None:
    """Replace one's own password. Raises Invalid by field (current, password, again), and Denied after many tries.

    No lock is held while passwords are hashed.
    """
    user = db.read(own, actor)
    if faults := ({} if current else {"current": "Enter your password."}) | new_password_faults(user, password, again):
        raise Invalid(**faults)
    check_password(actor, user, current, "current")
    if current == password:
        raise Invalid(password=SAME_PASSWORD)
    db.write(_change_password, actor, user.password_hash, passwords.hash_password(password))


def check_password(actor: Actor, user: User, password: str, field: str) -> None:
    """Counted like a sign-in's. Raises Denied after many tries, and Invalid by `field` for a wrong one."""
    limiter.count_attempt(user.email_key, actor.origin.address)
    if not passwords.verify(user.password_hash, password):
        limiter.count_failure(actor.origin.address)
        db.write(refuse, actor, "Password refused at a change of the own security")
        raise Invalid(**{field: WRONG_PASSWORD})
    limiter.forgive(user.email_key, actor.origin.address)


def refuse(session: Session, actor: Actor, words: str) -> None:
    """Write a refusal into the audit."""
    words, partner_id = f"{words}. {where(actor.origin)}", partner_of(session, actor)
    record(session, actor, Activity.SETTINGS_CHANGED, words, completed=False, partner_id=partner_id)


def revoke(session: Session, actor: Actor, key: str) -> None:
    """Sign out one of one's own browsers. Raises NotFound for any other."""
    found = next((login for login in _logins(session, actor) if login.token_hash[:_KEY] == key), None)
    if found is None:
        raise NotFound("This session has ended already.")
    session.execute(delete(LoginSession).where(col(LoginSession.token_hash) == found.token_hash))
    _note(session, actor, f"Session ended: {found.browser or 'unknown browser'} from {found.address}")


def revoke_others(session: Session, actor: Actor) -> int:
    """Sign out all one's own browsers but this one: how many they were."""
    others = col(LoginSession.user_id) == own(session, actor).id, col(LoginSession.token_hash) != actor.session_hash
    ended = session.execute(delete(LoginSession).where(*others)).rowcount
    if ended:
        _note(session, actor, f"Sessions ended: all others ({ended})")
    return ended


def save_policy(session: Session, actor: Actor, days: str, *, require_two_factor: bool) -> int | None:
    """Save the rules for all users of the partner; `days` is empty for no expiration. They hold at once: who could not

    come in as they are is signed out, but for the actor. How many these are; None when nothing changed.
    Raises Denied, and Invalid (field days).
    """
    if not _may_rule(actor):
        raise Denied(Permission.SECURITY_MANAGE.refusal)
    partner = session.scalars(select(Partner).where(col(Partner.id) == actor.partner_id).with_for_update()).one()
    new = Policy(_days(days), require_two_factor)
    if new == _policy(partner):
        return None
    partner.password_days, partner.require_two_factor = new.password_days, new.require_two_factor
    session.add(partner)
    age = f"after {new.password_days} days" if new.password_days else "off"
    words = f"Password expiration {age}; two-factor authentication {'required' if require_two_factor else 'optional'}"
    record(session, actor, Activity.SETTINGS_CHANGED, words)
    return sum(_signed_out(session, user, partner) for user in _colleagues(session, actor))


def _colleagues(session: Session, actor: Actor) -> list[User]:
    others = col(User.partner_id) == actor.partner_id, col(User.id) != actor.user_id
    return list(session.scalars(select(User).where(*others)))


def _signed_out(session: Session, user: User, partner: Partner) -> bool:
    """End the sessions of somebody of whom the rules ask more than they have: whether there were any."""
    lacks = partner.require_two_factor and not second_factor.has_one(session, user)
    if not (lacks or (user.password_hash and steps.is_expired(user, partner))):
        return False
    return sessions.end_all(session, user.id or 0) > 0


def _change_password(session: Session, actor: Actor, old_hash: str | None, new_hash: str) -> None:
    user = own(session, actor)
    session.refresh(user, with_for_update=True)
    if user.password_hash != old_hash:
        # Changed meanwhile, in another tab or by a reset: the password that was checked is no longer the one.
        raise Invalid(current=WRONG_PASSWORD)
    set_password(session, user, new_hash, actor, words="Password changed")


def _days(given: str) -> int | None:
    text = given.strip()
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= LONGEST_DAYS and len(text) < 9):
        raise Invalid(days=f"Enter a whole number of days from 1 to {LONGEST_DAYS}.")
    return int(text)


def _may_rule(actor: Actor) -> bool:
    return actor.kind == ActorKind.PARTNER and actor.may(Permission.SECURITY_MANAGE)


def _policy(partner: Partner) -> Policy:
    return Policy(partner.password_days, partner.require_two_factor)


def _logins(session: Session, actor: Actor) -> list[LoginSession]:
    mine = col(LoginSession.user_id) == own(session, actor).id, col(LoginSession.ends_at) > clock.now()
    newest = select(LoginSession).where(*mine).order_by(col(LoginSession.used_at).desc()).limit(MOST_SESSIONS)
    return list(session.scalars(newest))


def _row(login: LoginSession, actor: Actor) -> SessionRow:
    return SessionRow(
        key=login.token_hash[:_KEY],
        browser=login.browser,
        address=login.address,
        created_at=login.created_at,
        used_at=login.used_at,
        is_this=login.token_hash == actor.session_hash,
    )


def _note(session: Session, actor: Actor, words: str) -> None:
    record(session, actor, Activity.SETTINGS_CHANGED, words, partner_id=partner_of(session, actor))
