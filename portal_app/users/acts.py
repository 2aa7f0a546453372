"""What can be done with a user, be they the partner's or a customer's (then with the account).

That the actor may is the caller's matter; the user's row is locked.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from portal_app import db
from portal_app.accounts import repository as accounts
from portal_app.audit.service import record
from portal_app.audit.tags import Activity
from portal_app.auth import one_time, sessions
from portal_app.auth.actor import Actor
from portal_app.errors import Conflict, Invalid
from portal_app.mail import service as mail
from portal_app.mail.letter import Letter
from portal_app.models import Account, LinkKind, User, UserState
from portal_app.users import invitations, letters
from portal_app.users.rules import Refused
from portal_app.users.words import Snapshot, changes_in_words

TAKEN = "This email belongs to another account or user. Each user needs their own."


def attempt(do: Callable[..., str], actor: Actor, *given: Any, account_id: int | None = None) -> str:
    """One unit of work; when a rule refuses it, that is audited in another. Raises what `do` raises."""
    try:
        return db.write(do, actor, *given)
    except Refused as refusal:
        db.write(_note_refusal, actor, account_id, refusal)
        raise
    except IntegrityError:
        # Somebody else took the address between the check and now; the constraint decided.
        raise Invalid(email=TAKEN) from None


def resend(session: Session, actor: Actor, user: User, account: Account | None = None) -> str:
    """A new invitation; the link before it is void. Gives the email."""
    if user.state != UserState.INVITED:
        raise Conflict(f"{user.email} has confirmed the address already.")
    invitations.invite(session, user)
    note(session, actor, f"Sent {user.email} a new invitation.", account)
    return user.email


def disable(session: Session, actor: Actor, user: User, account: Account | None = None) -> str:
    """The user can't sign in any more, and is signed out everywhere. Gives the email."""
    if user.state != UserState.ACTIVE:
        raise Conflict("Only a user who can sign in can be disabled.")
    user.state, user.version = UserState.DISABLED, user.version + 1
    session.add(user)
    sessions.end_all(session, user.id or 0)
    for kind in LinkKind:
        one_time.void(session, user.id or 0, kind)
    note(session, actor, f"Disabled {user.email}.", account)
    _write_to(session, user, letters.disabled(user.name, actor.label), account)
    return user.email


def enable(session: Session, actor: Actor, user: User, account: Account | None = None) -> str:
    """The user can sign in again. Gives the email."""
    if user.state != UserState.DISABLED:
        raise Conflict("This user is not disabled.")
    user.state, user.version = UserState.ACTIVE, user.version + 1
    session.add(user)
    note(session, actor, f"Enabled {user.email}.", account)
    _write_to(session, user, letters.enabled(user.name, actor.label), account)
    return user.email


def remove(session: Session, actor: Actor, user: User, had: str, account: Account | None = None) -> str:
    """Delete the user, who had such rights. Gives the email."""
    session.delete(user)
    note(session, actor, f"Deleted {user.email} ({had}).", account)
    if user.state != UserState.INVITED:
        _write_to(session, user, letters.deleted(user.name, actor.label), account)
    return user.email


def tell(
    session: Session,
    actor: Actor,
    user: User,
    before: Snapshot,
    account: Account | None = None,
    *,
    moved: tuple[int, int] = (0, 0),
) -> None:
    """Audit what was changed since `before`; write to the user when it is what they may do.

    `moved`: how many of the user's chosen accounts came and went.
    """
    after = Snapshot.of(user)
    words = changes_in_words(before, after, *moved)
    if not words:
        return
    of_access = before.access != after.access or any(moved)
    activity = Activity.PERMISSIONS_CHANGED if of_access else Activity.USER_MANAGEMENT
    note(session, actor, f"Changed {user.email}: {words}", account, activity=activity)
    if of_access and user.state == UserState.ACTIVE:
        _write_to(session, user, letters.access_changed(user.name, actor.label, words), account)


def note(
    session: Session,
    actor: Actor,
    words: str,
    account: Account | None = None,
    *,
    activity: Activity = Activity.USER_MANAGEMENT,
    completed: bool = True,
) -> None:
    """Audit what was done, or refused."""
    about = {"account": (account.id, account.name), "partner_id": account.partner_id} if account else {}
    record(session, actor, activity, words, completed=completed, **about)


def _note_refusal(session: Session, actor: Actor, account_id: int | None, refusal: Refused) -> None:
    account = accounts.find_account(session, actor, account_id) if account_id else None
    note(session, actor, f"Refused for {refusal.who or 'a user'}: {refusal.sentence}", account, completed=False)


def _write_to(session: Session, user: User, letter: Letter, account: Account | None) -> None:
    partner_id = account.partner_id if account else user.partner_id
    mail.queue(session, user.email, letter, kind="user management", partner_id=partner_id)
