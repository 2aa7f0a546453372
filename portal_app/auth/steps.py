"""A sign-in's way from the first proof to the session: what is asked for next is read from the rows at each step.

Whatever shows who somebody is (a password, a passkey, another company's sign-in) ends in `proceed`. Between the steps
there is a row, and a secret of which only the tab's state knows; neither a session nor a ticket before the last step.
"""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from sqlalchemy import delete, select, update
from sqlmodel import Session, col

from portal_app import clock
from portal_app.audit.service import record
from portal_app.audit.tags import Activity
from portal_app.auth import second_factor, sessions
from portal_app.auth.actor import Actor, ActorKind, Origin
from portal_app.models import Account, Partner, PartnerState, PendingSignIn, User, UserState

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
    if user is None or not _may_enter(session, user):
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
    if second_factor.is_right(session, user, code):
        waiting.second_factor_done = True
        session.add(waiting)
        return _go_on(session, waiting, user, token, origin)
    note(session, user, origin, "Second factor refused", completed=False)
    return _count_wrong(session, waiting)


def note(session: Session, user: User | None, origin: Origin, words: str, *, completed: bool = True) -> None:
    """Write one line about a sign-in into the audit of the user's partner, with browser and address."""
    who = person(user, origin) if user else Actor(email="unknown address", origin=origin)
    words = f"{words}. {where(origin)}"
    record(session, who, Activity.SIGN_IN, words, completed=completed, partner_id=partner_of(session, who))


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


_ASKS = {
    StepKind.CODE: "a second factor is asked for",
    StepKind.CHANGE_PASSWORD: "a new password is asked for",
    StepKind.ENROL: "a second factor has to be set up",
}


def _waiting(session: Session, token: str) -> tuple[PendingSignIn, User] | None:
    mine = col(PendingSignIn.token_hash) == sessions.digest(token), col(PendingSignIn.ends_at) > clock.now()
    waiting = session.scalars(select(PendingSignIn).where(*mine).with_for_update()).first()
    user = session.get(User, waiting.user_id) if waiting else None
    return (waiting, user) if waiting and user and _may_enter(session, user) else None


def _next(session: Session, waiting: PendingSignIn, user: User) -> StepKind:
    """What the sign-in still needs; the one place that decides."""
    partner = session.get(Partner, user.partner_id) if user.partner_id else None
    has_one = second_factor.has_one(session, user)
    if has_one and not waiting.second_factor_done:
        return StepKind.CODE
    if waiting.method == Method.PASSWORD and (user.must_change_password or is_expired(user, partner)):
        return StepKind.CHANGE_PASSWORD
    if partner and partner.require_two_factor and not has_one and not waiting.second_factor_done:
        return StepKind.ENROL
    return StepKind.DONE


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
    return Step(kind, sessions.new_ticket(session, user.id or 0))


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


def _may_enter(session: Session, user: User) -> bool:
    partner = session.get(Partner, user.partner_id) if user.partner_id is not None else None
    return user.state == UserState.ACTIVE and (partner is None or partner.state == PartnerState.ACTIVE)
