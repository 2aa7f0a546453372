"""A sign-in's way from the first proof to the session: what is asked for next is read from the rows at each step.

Whatever shows who somebody is (a password, a passkey, another company's sign-in) ends in `proceed`. Between the steps
there is a row, and a secret of which only the tab's state knows; neither a session nor a ticket before the last step.
"""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from sqlalchemy import delete, insert, select, update
from sqlmodel import Session, col

from portal_app import clock, deployment
from portal_app.audit.service import record
from portal_app.audit.tags import Activity
from portal_app.auth import cookies, passkeys, second_factor, sessions
from portal_app.auth.actor import Actor, Origin
from portal_app.auth.credentials import partner_of, person, set_password, told, where
from portal_app.auth.second_factor import Enrolment
from portal_app.mail import service as mail
from portal_app.models import Partner, PartnerState, PendingSignIn, User, UserKind, UserState
from portal_app.security import letters

LIFE = timedelta(minutes=10)
WRONG_CODES = 5
# Carries a step's token to the sign-in page where it was not that page that began.
COOKIE = "portal_step"
SECURE_COOKIE = "__Host-portal_step"


class Method(StrEnum):
    """How somebody showed first who they are, in the words of the audit."""

    PASSWORD = "a password"
    PASSKEY = "a passkey"
    MICROSOFT = "Microsoft"
    GOOGLE = "Google"


class StepKind(StrEnum):
    """What is asked for next."""

    CODE = "code"
    CHANGE_PASSWORD = "change_password"
    ENROL = "enrol"
    DONE = "done"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Step:
    """Where a sign-in stands. `token` is the ticket when DONE, else what the next step must bring. Never show it."""

    kind: StepKind
    token: str = ""


REFUSED = Step(StepKind.REFUSED)


def proceed(session: Session, user_id: int, origin: Origin, *, method: Method, second_factor_done: bool) -> Step:
    """Go on with the sign-in of a user who was shown by `method`, with a second factor or without.

    A user who may not sign in, or whose partner is suspended, gets REFUSED. It is audited either way.
    """
    user = session.get(User, user_id)
    if user is None or not may_enter(session, user):
        note(session, user, origin, "Sign-in refused", completed=False)
        return REFUSED
    token = secrets.token_urlsafe(32)
    waiting = PendingSignIn(
        token_hash=sessions.digest(token),
        user_id=user_id,
        method=method,
        second_factor_done=second_factor_done,
        ends_at=clock.now() + LIFE,
    )
    step = _go_on(session, waiting, user, token, origin)
    if step.kind != StepKind.DONE:
        session.add(waiting)
        note(session, user, origin, f"Recognised by {method}; {_ASKS[step.kind]}")
    _sweep(session)
    return step


def resume(session: Session, token: str, origin: Origin) -> Step:
    """What the sign-in that waits behind the token asks for now; the ticket when nothing more."""
    found = _waiting(session, token)
    return _go_on(session, *found, token, origin) if found else REFUSED


def standing(session: Session, token: str) -> Step:
    """Where the sign-in behind the token stands. Changes nothing, and gives no ticket."""
    found = _waiting(session, token)
    return Step(_next(session, *found), token) if found else REFUSED


def token_in(cookie_header: str | None) -> str:
    """The step's token in a Cookie header; empty without one."""
    return cookies.value_in(cookie_header, SECURE_COOKIE, COOKIE)


def at(session: Session, token: str, kind: StepKind) -> tuple[PendingSignIn, User] | None:
    """The waiting sign-in and its user, only when it stands at that very step. The row stays locked."""
    found = _waiting(session, token)
    return found if found and _next(session, *found) == kind else None


def verify(session: Session, token: str, code: str, origin: Origin) -> Step | None:
    """Take the second factor's code. None when it is wrong; after a few wrong ones the sign-in begins again."""
    found = at(session, token, StepKind.CODE)
    if found is None:
        return REFUSED
    waiting, user = found
    left = second_factor.codes_left(session, user.id or 0)
    if second_factor.is_right(session, user, code):
        _tell_of_recovery(session, user, left, origin)
        waiting.second_factor_done = True
        session.add(waiting)
        return _go_on(session, waiting, user, token, origin)
    note(session, user, origin, "Second factor refused", completed=False)
    return _count_wrong(session, waiting)


def pass_second_factor(session: Session, token: str, origin: Origin) -> Step:
    """Go on with a sign-in whose second factor was shown in another way than by a code."""
    found = at(session, token, StepKind.CODE)
    if found is None:
        return REFUSED
    waiting, user = found
    waiting.second_factor_done = True
    session.add(waiting)
    return _go_on(session, waiting, user, token, origin)


def note(session: Session, user: User | None, origin: Origin, words: str, *, completed: bool = True) -> None:
    """Write one line about a sign-in into the audit of the user's partner, with browser and address."""
    who = person(user, origin) if user else Actor(email="unknown address", origin=origin)
    words = f"{words}. {where(origin)}"
    record(session, who, Activity.SIGN_IN, words, completed=completed, partner_id=partner_of(session, who))


def change_password(session: Session, token: str, password_hash: str, origin: Origin) -> Step:
    """Replace the password that had to be replaced, and go on."""
    found = at(session, token, StepKind.CHANGE_PASSWORD)
    if found is None:
        return REFUSED
    waiting, user = found
    method, done = Method(waiting.method), waiting.second_factor_done
    set_password(session, user, password_hash, person(user, origin), words="Password changed at the sign-in")
    # That ended all sign-ins on their way, this one too.
    return proceed(session, user.id or 0, origin, method=method, second_factor_done=done)


def enrol(session: Session, token: str) -> Enrolment | None:
    """Begin the set-up of the second factor that the partner asks for; None when that is not what is asked."""
    found = at(session, token, StepKind.ENROL)
    return second_factor.begin(session, found[1]) if found else None


def finish_enrolment(session: Session, token: str, code: str, origin: Origin) -> list[str] | None:
    """Turn the second factor on: the recovery codes, or None when the code is not right. `resume` then goes on."""
    found = at(session, token, StepKind.ENROL)
    codes = second_factor.enable(session, found[1], code) if found else None
    if found is None or codes is None:
        return None
    waiting, user = found
    actor = person(user, origin)
    method, token_hash, ends_at = waiting.method, waiting.token_hash, waiting.ends_at
    words = "Two-factor authentication turned on"
    told(session, user, actor, f"{words} at the sign-in", letters.second_factor_changed(words, where(origin)))
    kept = {"token_hash": token_hash, "method": method, "ends_at": ends_at, "second_factor_done": True}
    session.execute(insert(PendingSignIn).values(user_id=user.id, wrong_codes=0, **kept))
    return codes


_ASKS = {
    StepKind.CODE: "a second factor is asked for",
    StepKind.CHANGE_PASSWORD: "a new password is asked for",
    StepKind.ENROL: "a second factor has to be set up",
}


def _waiting(session: Session, token: str) -> tuple[PendingSignIn, User] | None:
    mine = col(PendingSignIn.token_hash) == sessions.digest(token), col(PendingSignIn.ends_at) > clock.now()
    waiting = session.scalars(select(PendingSignIn).where(*mine).with_for_update()).first()
    user = session.get(User, waiting.user_id) if waiting else None
    return (waiting, user) if waiting and user and may_enter(session, user) else None


def _next(session: Session, waiting: PendingSignIn, user: User) -> StepKind:
    """What the sign-in still needs; the one place that decides."""
    partner = session.get(Partner, user.partner_id) if user.partner_id else None
    required = requires_second_factor(user, partner)
    # Where one is required a passkey is one too: nobody is to set up another beside it with the password alone.
    has_one = second_factor.has_one(session, user) or (required and passkeys.has_any(session, user.id or 0))
    if has_one and not waiting.second_factor_done:
        return StepKind.CODE
    if waiting.method == Method.PASSWORD and (user.must_change_password or is_expired(user, partner)):
        return StepKind.CHANGE_PASSWORD
    if required and not has_one and not waiting.second_factor_done:
        return StepKind.ENROL
    return StepKind.DONE


def requires_second_factor(user: User, partner: Partner | None) -> bool:
    """Whether the user's partner asks for a second factor; the provider does of its own people."""
    if user.kind == UserKind.OPERATOR:
        return deployment.requires_second_factor(user.email)
    return partner is not None and partner.require_two_factor


def is_expired(user: User, partner: Partner | None) -> bool:
    """Whether the password is older than the partner lets it grow."""
    if partner is None or partner.password_days is None:
        return False
    return (user.password_set_at or user.created_at) + timedelta(days=partner.password_days) <= clock.now()


def _go_on(session: Session, waiting: PendingSignIn, user: User, token: str, origin: Origin) -> Step:
    kind = _next(session, waiting, user)
    if kind != StepKind.DONE:
        return Step(kind, token)
    session.execute(delete(PendingSignIn).where(col(PendingSignIn.token_hash) == waiting.token_hash))
    both = " and a second factor" if waiting.second_factor_done and waiting.method != Method.PASSKEY else ""
    note(session, user, origin, f"Signed in with {waiting.method}{both}")
    return Step(kind, sessions.new_ticket(session, user.id or 0, origin.mark))


def _tell_of_recovery(session: Session, user: User, before: int, origin: Origin) -> None:
    left = second_factor.codes_left(session, user.id or 0)
    if left < before:
        note(session, user, origin, f"Recovery code used, {left} left")
        letter = letters.recovery_code_used(left, where(origin))
        mail.queue(session, user.email, letter, kind="security", partner_id=partner_of(session, person(user, origin)))


def _count_wrong(session: Session, waiting: PendingSignIn) -> Step | None:
    mine = col(PendingSignIn.token_hash) == waiting.token_hash
    wrong = session.scalar(
        update(PendingSignIn)
        .where(mine)
        .values(wrong_codes=col(PendingSignIn.wrong_codes) + 1)
        .returning(col(PendingSignIn.wrong_codes))
    )
    if wrong is not None and wrong < WRONG_CODES:
        return None
    session.execute(delete(PendingSignIn).where(mine))
    return REFUSED


def _sweep(session: Session) -> None:
    session.execute(delete(PendingSignIn).where(col(PendingSignIn.ends_at) <= clock.now()))


def may_enter(session: Session, user: User) -> bool:
    """Whether the user may sign in at all."""
    partner = session.get(Partner, user.partner_id) if user.partner_id is not None else None
    return user.state == UserState.ACTIVE and (partner is None or partner.state == PartnerState.ACTIVE)
