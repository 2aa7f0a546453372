"""What a passkey is good for: the whole sign-in, its second factor, and the proof that it is still the same person."""

from sqlmodel import Session

from portal_app import db
from portal_app.audit.service import record
from portal_app.audit.tags import Activity
from portal_app.auth import limiter, passkeys, sessions, steps
from portal_app.auth.actor import Actor, Origin
from portal_app.auth.credentials import partner_of, where
from portal_app.auth.service import Over
from portal_app.auth.steps import Method, Step, StepKind
from portal_app.errors import Denied
from portal_app.models import PasskeyUse, User

REFUSED = "This passkey was not taken. Please try again, or sign in another way."


def ask(session: Session, token: str) -> str:
    """The question for who is about to sign in; with the token of a waiting second factor, for that very person."""
    if not token:
        return passkeys.ask(session, PasskeyUse.SIGN_IN)
    found = steps.at(session, token, StepKind.CODE)
    if found is None:
        raise Over
    return passkeys.ask(session, PasskeyUse.SECOND_FACTOR, bound=sessions.digest(token), user_id=found[1].id)


def sign_in(answer: str, origin: Origin) -> Step:
    """The step after a passkey, which is both factors. Raises Denied."""
    limiter.count_attempt("passkey", origin.address)
    step = db.write(_sign_in, answer, origin)
    if step.kind == StepKind.REFUSED:
        limiter.count_failure(origin.address)
        raise Denied(REFUSED)
    limiter.forgive("passkey", origin.address)
    return step


def verify(token: str, answer: str, origin: Origin) -> Step:
    """The step after a passkey in the place of the second factor's code. Raises Denied, and Over."""
    found = db.read(steps.at, token, StepKind.CODE)
    if found is None:
        raise Over
    limiter.count_code(found[1].id or 0)
    step = db.write(_verify, token, answer, origin)
    if step is None:
        raise Denied(REFUSED)
    if step.kind == StepKind.REFUSED:
        raise Over
    limiter.forgive_codes(found[1].id or 0)
    return step


def ask_to_confirm(session: Session, actor: Actor) -> str:
    """The question for who is signed in and has to show once more who they are."""
    return passkeys.ask(session, PasskeyUse.CONFIRM, bound=actor.session_hash, user_id=actor.user_id)


def confirm(actor: Actor, answer: str) -> None:
    """Take a passkey as the proof that it is still the person who signed in. Raises Denied."""
    limiter.count_attempt("passkey", actor.origin.address)
    if not db.write(_confirm, actor, answer):
        limiter.count_failure(actor.origin.address)
        raise Denied(REFUSED)
    limiter.forgive("passkey", actor.origin.address)


def _sign_in(session: Session, answer: str, origin: Origin) -> Step:
    user = passkeys.whose(session, PasskeyUse.SIGN_IN, answer)
    if user is None:
        steps.note(session, None, origin, "Sign-in with a passkey refused", completed=False)
        return steps.REFUSED
    return steps.proceed(session, user.id or 0, origin, method=Method.PASSKEY, second_factor_done=True)


def _verify(session: Session, token: str, answer: str, origin: Origin) -> Step | None:
    found = steps.at(session, token, StepKind.CODE)
    if found is None:
        return steps.REFUSED
    user, bound = found[1], sessions.digest(token)
    if passkeys.whose(session, PasskeyUse.SECOND_FACTOR, answer, bound=bound, user_id=user.id) is None:
        steps.note(session, user, origin, "Passkey refused as the second factor", completed=False)
        return None
    return steps.pass_second_factor(session, token, origin)


def _confirm(session: Session, actor: Actor, answer: str) -> bool:
    use, bound = PasskeyUse.CONFIRM, actor.session_hash
    user: User | None = None
    if actor.signed_in and actor.user_id:
        user = passkeys.whose(session, use, answer, bound=bound, user_id=actor.user_id)
    if user:
        sessions.note_confirmed(session, actor.session_hash)
    words = f"Passkey {'confirmed' if user else 'refused'} before a sensitive action. {where(actor.origin)}"
    record(session, actor, Activity.SIGN_IN, words, completed=user is not None, partner_id=partner_of(session, actor))
    return user is not None
