"""The provider's own people: invited by mail, turned off and on, deleted; never oneself, never the last one.

Each change is one unit of work under a lock of them all.
"""

from collections.abc import Callable

from sqlmodel import Session

from portal_app.auth.actor import Actor
from portal_app.errors import Conflict, NotFound
from portal_app.models import User, UserState
from portal_app.operator import repository, service
from portal_app.operator.partners import require_operator
from portal_app.operator.query import OperatorQuery
from portal_app.operator.rows import PersonPage
from portal_app.users import acts

NO_OPERATOR = "There is no such operator."
ONESELF = "This is your own access. Ask another operator."
LAST = "This is the last operator who can sign in. Invite another one first."
CHANGED_MEANWHILE = "Somebody changed this operator meanwhile. Load the page again."


def list_page(session: Session, actor: Actor, query: OperatorQuery) -> PersonPage:
    """A page of the provider's people. Raises Denied."""
    require_operator(actor)
    return repository.operators(session, query)


def invite(session: Session, actor: Actor, email: str, name: str) -> str:
    """Add somebody, who is invited by mail; gives the email. Raises Denied, Invalid (email, name), Conflict."""
    require_operator(actor)
    return service.invite_operator(session, actor, email, name).email


def resend(session: Session, actor: Actor, user_id: int) -> str:
    """A new invitation; the link before it is void. Gives the email. Raises Denied, NotFound, Conflict."""
    return acts.resend(session, actor, _find(_all(session, actor), user_id))


def disable(session: Session, actor: Actor, user_id: int, version: int) -> str:
    """They can't sign in any more, and are signed out. Gives the email. Raises Denied, NotFound, Conflict."""
    return acts.disable(session, actor, _target(session, actor, user_id, version))


def enable(session: Session, actor: Actor, user_id: int, version: int) -> str:
    """They can sign in again. Gives the email. Raises Denied, NotFound, Conflict."""
    return acts.enable(session, actor, _target(session, actor, user_id, version))


def remove(session: Session, actor: Actor, user_id: int, version: int) -> str:
    """Delete somebody; the audit keeps the name. Gives the email. Raises Denied, NotFound, Conflict."""
    return acts.remove(session, actor, _target(session, actor, user_id, version), "operator")


ACTS: dict[str, Callable[[Session, Actor, int, int], str]] = {"disable": disable, "enable": enable, "delete": remove}


def _all(session: Session, actor: Actor) -> list[User]:
    """Everybody, locked; who was disabled while waiting for the lock does nothing any more."""
    require_operator(actor)
    everybody = repository.lock_operators(session)
    me = next((user for user in everybody if user.id == actor.user_id), None)
    if me is None or me.state != UserState.ACTIVE:
        raise Conflict("Your own access was turned off.")
    return everybody


def _find(everybody: list[User], user_id: int) -> User:
    found = next((user for user in everybody if user.id == user_id), None)
    if found is None:
        raise NotFound(NO_OPERATOR)
    return found


def _target(session: Session, actor: Actor, user_id: int, version: int) -> User:
    everybody = _all(session, actor)
    user = _find(everybody, user_id)
    if user.id == actor.user_id:
        raise Conflict(ONESELF)
    if user.version != version:
        raise Conflict(CHANGED_MEANWHILE)
    others = [one for one in everybody if one.state == UserState.ACTIVE and one is not user]
    if user.state == UserState.ACTIVE and not others:
        raise Conflict(LAST)
    return user
