"""Invitations by mail: a link for 24 hours and for one use, which confirms the address behind it."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from sqlmodel import Session, col

from portal_app import clock, db
from portal_app.audit.service import record
from portal_app.audit.tags import Activity
from portal_app.auth import one_time, passwords, steps
from portal_app.auth.actor import Origin, elsewhere_sentence
from portal_app.errors import Denied, Invalid
from portal_app.ip_restrictions.repository import user_comes_from_elsewhere
from portal_app.mail import service as mail
from portal_app.models import Account, LinkKind, Partner, SignInType, User, UserState
from portal_app.settings import settings
from portal_app.users import letters

LIFE = timedelta(hours=24)
SPENT = "This link was used already, has expired, or was replaced by a newer one."


@dataclass(frozen=True, slots=True)
class Guest:
    """Who is invited, as far as the page says it. `sets_password`: there is none yet that an administrator set."""

    email: str
    name: str
    type: str
    sets_password: bool


def invite(session: Session, user: User) -> None:
    """Queue a mail with a new link for the user; older ones are void from now on."""
    if user.id is None:
        raise ValueError("the user is not saved yet")
    token = one_time.create(session, user.id, LinkKind.INVITATION, LIFE)
    partner = _partner(session, user)
    company = partner.name if partner else settings().seller_name or settings().brand_name
    letter = letters.invitation(user.name, company, token, sets_password=_sets_password(user))
    mail.queue(session, user.email, letter, kind="invitation", partner_id=partner.id if partner else None)


def look(session: Session, token: str, origin: Origin) -> Guest:
    """Who the link is for. Spends nothing, so that a mail scanner may open it. Denied when it is good no more."""
    user = _guest(session, token, origin)
    return Guest(user.email, user.name, user.sign_in_type, _sets_password(user))


def accept(token: str, password: str, retype: str, origin: Origin) -> Guest:
    """Spend the link: the address is confirmed and, where there is none, the password set.

    Blocking (hashes a password). Raises Invalid with a sentence by each field, Denied when the link is good no more.
    """
    guest = db.read(look, token, origin)
    password_hash = None
    if guest.sets_password:
        _check(guest, password, retype)
        password_hash = passwords.hash_password(password)
    return db.write(_accept, token, password_hash, origin)


def _check(guest: Guest, password: str, retype: str) -> None:
    if fault := passwords.fault_of(password, guest.email, guest.name):
        raise Invalid(password=fault)
    if retype != password:
        raise Invalid(retype="The two passwords are not the same.")


def _accept(session: Session, token: str, password_hash: str | None, origin: Origin) -> Guest:
    # The user before the link, as whoever changes or deletes the user does: else the two could block each other.
    user = _guest(session, token, origin, lock=True)
    if one_time.take(session, token, LinkKind.INVITATION) is None:
        raise Denied(SPENT)
    guest = Guest(user.email, user.name, user.sign_in_type, _sets_password(user))
    if guest.sets_password != (password_hash is not None):
        # The user was changed between the look and now.
        raise Denied("Your access was just changed. Please open the link once more.")
    if password_hash is not None:
        user.password_hash, user.password_set_at = password_hash, clock.now()
    user.state = UserState.ACTIVE
    user.version += 1
    session.add(user)
    words = f"{user.email} confirmed the address" + (" and chose a password." if password_hash else ".")
    partner = _partner(session, user)
    about = steps.person(user, origin)
    record(session, about, Activity.USER_MANAGEMENT, words, partner_id=partner.id if partner else None)
    return guest


def _guest(session: Session, token: str, origin: Origin, *, lock: bool = False) -> User:
    user_id = one_time.peek(session, token, LinkKind.INVITATION)
    if user_id is None:
        raise Denied(SPENT)
    wanted = select(User).where(col(User.id) == user_id, col(User.state) == UserState.INVITED)
    user = session.scalars(wanted.with_for_update() if lock else wanted).first()
    if user is None:
        raise Denied(SPENT)
    if user_comes_from_elsewhere(session, user_id, origin.address):
        raise Denied(elsewhere_sentence(steps.person(user, origin)))
    return user


def _sets_password(user: User) -> bool:
    return user.sign_in_type == SignInType.EMAIL and user.password_hash is None


def _partner(session: Session, user: User) -> Partner | None:
    """Whose people the user belongs to; None for the provider's own."""
    account = session.get(Account, user.account_id) if user.account_id is not None else None
    partner_id = account.partner_id if account else user.partner_id
    return session.get(Partner, partner_id) if partner_id is not None else None
