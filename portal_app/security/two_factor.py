"""One's own second factor: on, off, new recovery codes. Each ends the other sessions, and is audited and mailed."""

from sqlmodel import Session

from portal_app import db
from portal_app.auth import limiter, second_factor, steps
from portal_app.auth.actor import Actor
from portal_app.auth.credentials import told, where
from portal_app.auth.second_factor import Enrolment
from portal_app.auth.service import WRONG_CODE
from portal_app.errors import Conflict, Invalid
from portal_app.models import Partner, User
from portal_app.security import letters
from portal_app.security.service import check_password, own, refuse

REQUIRED = "Two-factor authentication is required: it can't be turned off."


def begin(session: Session, actor: Actor) -> Enrolment:
    """A new secret to be scanned. Raises Conflict while two-factor authentication is on."""
    return second_factor.begin(session, own(session, actor))


def enable(actor: Actor, code: str) -> list[str]:
    """Turn it on with a code of the begun secret: the recovery codes. Raises Invalid (code), Denied, Conflict."""
    limiter.count_code(actor.user_id or 0)
    codes = db.write(_enable, actor, code)
    if codes is None:
        raise Invalid(code=WRONG_CODE)
    limiter.forgive_codes(actor.user_id or 0)
    return codes


def turn_off(actor: Actor, password: str, code: str) -> None:
    """Turn it off with the password and a code. Raises Invalid (password, code), Denied, Conflict when required."""
    user = db.read(_may_turn_off, actor)
    missing = {"password": "" if password else "Enter your password.", "code": "" if code.strip() else "Enter a code."}
    if faults := {field: sentence for field, sentence in missing.items() if sentence}:
        raise Invalid(**faults)
    check_password(actor, user, password, "password")
    limiter.count_code(actor.user_id or 0)
    if not db.write(_turn_off, actor, code):
        raise Invalid(code=WRONG_CODE)
    limiter.forgive_codes(actor.user_id or 0)


def new_codes(session: Session, actor: Actor) -> list[str]:
    """New recovery codes in the place of the old ones. Raises Conflict while two-factor authentication is off."""
    user = own(session, actor)
    if user.totp_enabled_at is None:
        raise Conflict("Two-factor authentication is off.")
    codes = second_factor.new_codes(session, user)
    _tell(session, user, actor, "New recovery codes were made")
    return codes


def _enable(session: Session, actor: Actor, code: str) -> list[str] | None:
    user = own(session, actor)
    codes = second_factor.enable(session, user, code)
    if codes is None:
        refuse(session, actor, "Two-factor authentication was not turned on: wrong code")
        return None
    _tell(session, user, actor, "Two-factor authentication was turned on")
    return codes


def _may_turn_off(session: Session, actor: Actor) -> User:
    user = own(session, actor)
    if user.totp_enabled_at is None:
        raise Conflict("Two-factor authentication is off.")
    partner = session.get(Partner, user.partner_id) if user.partner_id else None
    if steps.requires_second_factor(user, partner):
        raise Conflict(REQUIRED)
    return user


def _turn_off(session: Session, actor: Actor, code: str) -> bool:
    user = _may_turn_off(session, actor)
    if not second_factor.is_right(session, user, code):
        refuse(session, actor, "Two-factor authentication was not turned off: wrong code")
        return False
    second_factor.disable(session, user)
    _tell(session, user, actor, "Two-factor authentication was turned off")
    return True


def _tell(session: Session, user: User, actor: Actor, words: str) -> None:
    told(session, user, actor, words, letters.second_factor_changed(words, where(actor.origin)))
