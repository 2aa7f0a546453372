"""Signing in with a password, its further steps, and signing out. Each part that takes time holds no lock."""

from sqlmodel import Session, col, select

from portal_app import db
from portal_app.audit.service import record
from portal_app.audit.tags import Activity
from portal_app.auth import limiter, passwords, sessions, steps
from portal_app.auth.actor import Actor, Origin
from portal_app.auth.credentials import partner_of, where
from portal_app.auth.steps import Method, Step, StepKind
from portal_app.errors import Denied, Invalid
from portal_app.models import User
from portal_app.text import EMAIL_LENGTH, normal_email

REFUSED = "The email or the password is not right."
WRONG_PASSWORD = "This is not your password."
SAME_PASSWORD = "Choose another password than the one you have now."
WRONG_CODE = "This code is not right, or was used already."
OVER = "That took too long, or too many codes were wrong. Please sign in again."


class Over(Denied):
    """The sign-in that the step belongs to is no more: it begins again."""

    def __init__(self) -> None:
        super().__init__(OVER)


def sign_in(email: str, password: str, origin: Origin) -> Step:
    """The step after the password, or Denied with one sentence for every reason and about the same time.

    Two units of work: no lock is held while the password is checked (tens of milliseconds of CPU).
    """
    key = normal_email(email[:EMAIL_LENGTH])
    limiter.count_attempt(key, origin.address)
    user = db.read(_find, key)
    right = passwords.verify(user.password_hash if user else None, password)
    step = db.write(_decide, user.id if user else None, right, origin)
    if step.kind == StepKind.REFUSED:
        limiter.count_failure(origin.address)
        raise Denied(REFUSED)
    if step.kind != StepKind.CODE:
        # Before the code it would give who knows the password any number of codes to try.
        limiter.forgive(key, origin.address)
    return step


def verify_code(token: str, code: str, origin: Origin) -> Step:
    """The step after the second factor. Raises Denied for a wrong code, Over when there is no such step any more."""
    user = db.read(_at, token, StepKind.CODE)
    if user is None:
        raise Over
    limiter.count_attempt(user.email_key, origin.address)
    limiter.count_code(user.id or 0)
    step = db.write(steps.verify, token, code, origin)
    if step is None or step.kind == StepKind.REFUSED:
        limiter.count_failure(origin.address)
        raise Denied(WRONG_CODE) if step is None else Over
    limiter.forgive(user.email_key, origin.address)
    limiter.forgive_codes(user.id or 0)
    return step


def change_expired(token: str, password: str, again: str, origin: Origin) -> Step:
    """The step after the password that had to be replaced. Raises Invalid (password, again), and Over."""
    user = db.read(_at, token, StepKind.CHANGE_PASSWORD)
    if user is None:
        raise Over
    faults = new_password_faults(user, password, again)
    if not faults and passwords.verify(user.password_hash, password):
        faults = {"password": SAME_PASSWORD}
    if faults:
        raise Invalid(**faults)
    step = db.write(steps.change_password, token, passwords.hash_password(password), origin)
    if step.kind == StepKind.REFUSED:
        raise Over
    return step


def finish_enrolment(token: str, code: str, origin: Origin) -> list[str]:
    """Turn on the second factor that the sign-in asks for: the recovery codes. Raises Denied, and Over."""
    user = db.read(_at, token, StepKind.ENROL)
    if user is None:
        raise Over
    limiter.count_code(user.id or 0)
    codes = db.write(steps.finish_enrolment, token, code, origin)
    if codes is None:
        raise Denied(WRONG_CODE)
    limiter.forgive_codes(user.id or 0)
    return codes


def new_password_faults(user: User, password: str, again: str) -> dict[str, str]:
    """The sentences beside `password` and `again`; empty when the two can be taken for this user."""
    fault = passwords.fault_of(password, user.email, user.name)
    if fault:
        return {"password": fault}
    return {} if password == again else {"again": "The two passwords are not the same."}


def confirm(actor: Actor, password: str) -> None:
    """Take the password once more as the proof that it is still the person who signed in. Raises Denied."""
    key = normal_email(actor.email)
    limiter.count_attempt(key, actor.origin.address)
    user = db.read(_find, key)
    right = passwords.verify(user.password_hash if user else None, password)
    db.write(_note_confirmed, actor, right)
    if not right:
        limiter.count_failure(actor.origin.address)
        raise Denied(WRONG_PASSWORD)
    limiter.forgive(key, actor.origin.address)


def sign_out(session: Session, actor: Actor) -> None:
    """End the actor's session, also at an address where it opens nothing."""
    if actor.session_hash:
        sessions.end(session, actor.session_hash)
        words = f"Signed out. {where(actor.origin)}"
        record(session, actor, Activity.SIGN_IN, words, partner_id=partner_of(session, actor))


def _note_confirmed(session: Session, actor: Actor, right: bool) -> None:
    if right:
        sessions.note_confirmed(session, actor.session_hash)
    words = f"Password {'confirmed' if right else 'refused'} before a sensitive action. {where(actor.origin)}"
    partner_id = partner_of(session, actor)
    record(session, actor, Activity.SIGN_IN, words, completed=right, partner_id=partner_id)


def _find(session: Session, key: str) -> User | None:
    return session.exec(select(User).where(col(User.email_key) == key)).first()


def _at(session: Session, token: str, kind: StepKind) -> User | None:
    found = steps.at(session, token, kind)
    return found[1] if found else None


def _decide(session: Session, user_id: int | None, right: bool, origin: Origin) -> Step:
    if user_id is not None and right:
        return steps.proceed(session, user_id, origin, method=Method.PASSWORD, second_factor_done=False)
    user = session.get(User, user_id) if user_id is not None else None
    steps.note(session, user, origin, "Sign-in refused", completed=False)
    return steps.REFUSED
