"""One's own passkeys: add, name, remove. Adding and removing end the other sessions, and are audited and mailed."""

from sqlmodel import Session

from portal_app import db, text
from portal_app.auth import passkeys, steps
from portal_app.auth.actor import Actor
from portal_app.auth.credentials import told, where
from portal_app.errors import Conflict, Denied, Invalid, NotFound
from portal_app.models import Passkey, SignInType, User, UserKind
from portal_app.security import letters
from portal_app.security.rows import PasskeyRow
from portal_app.security.service import own, refuse

MOST = 20
REFUSED = "The passkey was not added. Please try again."
LAST = "Operators need a second factor, and this is your only one. Add another passkey or an app first."


def listed(session: Session, actor: Actor) -> list[PasskeyRow]:
    """The actor's own passkeys."""
    rows = passkeys.of(session, own(session, actor).id or 0)
    return [PasskeyRow(row.id or 0, row.name, row.created_at, row.used_at) for row in rows]


def begin(session: Session, actor: Actor) -> str:
    """What the browser needs to make a passkey. Raises Conflict for who signs in elsewhere, or has many already."""
    return passkeys.ask_for_new(session, _may_add(session, actor), actor.session_hash)


def check_name(name: str) -> str:
    """The name as it is kept. Raises Invalid (name)."""
    name = text.clean(name)
    if fault := text.name_fault(name, "a name, such as the device that keeps it"):
        raise Invalid(name=fault)
    return name


def add(actor: Actor, name: str, answer: str) -> None:
    """Keep the passkey that the browser made. Raises Denied, Conflict and Invalid (name)."""
    name = check_name(name)
    if not db.write(_add, actor, name, answer):
        raise Denied(REFUSED)


def rename(session: Session, actor: Actor, passkey_id: int, name: str) -> None:
    """Give it another name. Raises NotFound for anybody else's, and Invalid (name)."""
    passkey, name = _own(session, actor, passkey_id), check_name(name)
    passkey.name = name
    session.add(passkey)


def remove(session: Session, actor: Actor, passkey_id: int) -> None:
    """Forget it. Raises NotFound for anybody else's, Conflict for an operator's only second factor."""
    passkey, user = _own(session, actor, passkey_id), own(session, actor)
    last = user.totp_enabled_at is None and len(passkeys.of(session, user.id or 0)) == 1
    if last and user.kind == UserKind.OPERATOR and steps.requires_second_factor(user, None):
        raise Conflict(LAST)
    session.delete(passkey)
    _tell(session, user, actor, f"The passkey “{passkey.name}” was removed")


def _may_add(session: Session, actor: Actor) -> User:
    user = own(session, actor)
    if user.sign_in_type != SignInType.EMAIL:
        raise Conflict("You sign in with another company: keep your passkeys there.")
    if len(passkeys.of(session, user.id or 0)) >= MOST:
        raise Conflict(f"You have {MOST} passkeys. Remove one that you no longer use.")
    return user


def _add(session: Session, actor: Actor, name: str, answer: str) -> bool:
    user = _may_add(session, actor)
    passkey = passkeys.new(session, user, actor.session_hash, answer)
    if passkey is None:
        refuse(session, actor, "A passkey was not added: its answer was not right")
        return False
    passkey.name = name
    session.add(passkey)
    _tell(session, user, actor, f"The passkey “{name}” was added")
    return True


def _own(session: Session, actor: Actor, passkey_id: int) -> Passkey:
    found = session.get(Passkey, passkey_id)
    if found is None or found.user_id != own(session, actor).id:
        raise NotFound("There is no such passkey.")
    return found


def _tell(session: Session, user: User, actor: Actor, words: str) -> None:
    told(session, user, actor, words, letters.second_factor_changed(words, where(actor.origin)))
