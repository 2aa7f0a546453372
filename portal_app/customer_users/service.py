"""The rules of a customer's users. Each change is one unit of work under a lock of the account.

Partner users with the permission manage them, and so do users of the customer's own who have it.
"""

from dataclasses import replace

from sqlalchemy import ColumnElement
from sqlmodel import Session, col

from portal_app import clock
from portal_app.accounts import service as accounts
from portal_app.accounts.adding import account_has, user_has
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import CUSTOMER_GRANTS, CUSTOMER_OPERATIONS, Permission, of_customer, rights_of
from portal_app.backups.repository import account_to_change
from portal_app.customer_users.query import CustomerUserQuery
from portal_app.customer_users.rows import UserForm
from portal_app.errors import Conflict, Invalid, NotFound
from portal_app.models import Account, User, UserKind, UserState
from portal_app.text import clean, email_fault, fold, name_fault, normal_email
from portal_app.users import acts, invitations, repository, rules
from portal_app.users.acts import TAKEN
from portal_app.users.rows import UserPage
from portal_app.users.rules import Refused
from portal_app.users.service import CHANGED_MEANWHILE, NOT_FOUND
from portal_app.users.words import Snapshot, listed

OWN_PERMISSIONS = "You can't change your own permissions. Ask somebody else who manages the users of this account."
NOT_FOR_CUSTOMERS = "A customer's user can't be given this."


def list_page(session: Session, actor: Actor, query: CustomerUserQuery) -> UserPage:
    """A page of the account's users."""
    _require(actor)
    accounts.get(session, actor, query.account_id)
    return repository.page(session, _of(query.account_id), query)


def add(actor: Actor, account_id: int, wanted: UserForm) -> str:
    """Add a user to the account and invite them; gives the email. Raises Invalid, Refused, NotFound."""
    return acts.attempt(_add, actor, account_id, wanted, account_id=account_id)


def change(actor: Actor, account_id: int, user_id: int, version: int, wanted: UserForm) -> str:
    """Save name and permissions of a user who is at `version`; gives the email. Raises Invalid, Refused, Conflict."""
    return acts.attempt(_change, actor, account_id, (user_id, version), wanted, account_id=account_id)


def resend(actor: Actor, account_id: int, user_id: int) -> str:
    """A new invitation for a user who has not confirmed yet; the link before it is void. Gives the email."""
    return acts.attempt(_resend, actor, account_id, user_id, account_id=account_id)


def disable(actor: Actor, account_id: int, user_id: int, version: int) -> str:
    """The user can't sign in any more, and is signed out everywhere. Gives the email."""
    return acts.attempt(_disable, actor, account_id, user_id, version, account_id=account_id)


def enable(actor: Actor, account_id: int, user_id: int, version: int) -> str:
    """The user can sign in again. Gives the email."""
    return acts.attempt(_enable, actor, account_id, user_id, version, account_id=account_id)


def remove(actor: Actor, account_id: int, user_id: int, version: int) -> str:
    """Delete the user. What the audit tells of them stays. Gives the email."""
    return acts.attempt(_remove, actor, account_id, user_id, version, account_id=account_id)


def _require(actor: Actor) -> None:
    actor.require(Permission.CUSTOMER_USERS_MANAGE)
    actor.require(Permission.ACCOUNTS_ACCESS)


def _of(account_id: int) -> ColumnElement[bool]:
    return col(User.account_id) == account_id


def _enter(session: Session, actor: Actor, account_id: int) -> tuple[Actor, Account]:
    """Take the account's turn of managing users; then read who asks once more: the turn before may have changed it."""
    account = account_to_change(session, actor, account_id)
    now = _as_of_now(session, actor)
    _require(now)
    if account is None:
        raise NotFound(accounts.NOT_FOUND)
    return now, account


def _as_of_now(session: Session, actor: Actor) -> Actor:
    if actor.user_id is None:
        return actor
    user = session.get(User, actor.user_id)
    if user is None or user.state != UserState.ACTIVE:
        raise Refused(Permission.CUSTOMER_USERS_MANAGE.refusal)
    return replace(actor, permissions=actor.permissions & rights_of(user.kind, user.role, user.permissions))


def _target(session: Session, me: Actor, account: Account, user_id: int, version: int, *, me_too: bool = False) -> User:
    """The user whom the manager may change, as long as nobody else did since they looked."""
    user = _get(session, account, user_id)
    if user.id == me.user_id and not me_too:
        raise Refused(OWN_PERMISSIONS, user.email)
    if user.version != version:
        raise Conflict(CHANGED_MEANWHILE)
    return user


def _get(session: Session, account: Account, user_id: int) -> User:
    found = repository.find(session, _of(account.id or 0), user_id, lock=True) if 0 < user_id < 1 << 31 else None
    if found is None:
        raise NotFound(NOT_FOUND)
    return found


def _check(name: str, email: str | None) -> None:
    faults = {"name": name_fault(name, "a name"), "email": "" if email is None else email_fault(email)}
    if found := {field: sentence for field, sentence in faults.items() if sentence}:
        raise Invalid(**found)


def _add(session: Session, actor: Actor, account_id: int, wanted: UserForm) -> str:
    me, account = _enter(session, actor, account_id)
    name, email = clean(wanted.name), clean(wanted.email)
    _check(name, email)
    key = normal_email(email)
    # The account's own address is a good one for its user.
    if user_has(session, key) or account_has(session, key, but=account_id):
        raise Invalid(email=TAKEN)
    user = User(
        kind=UserKind.CUSTOMER,
        account_id=account_id,
        email=email,
        email_key=key,
        name=name,
        permissions=_granted(me, wanted, (), email),
        all_accounts=False,
        state=UserState.INVITED,
        created_at=clock.now(),
    )
    session.add(user)
    session.flush()
    invitations.invite(session, user)
    acts.note(session, me, f"Added {email} ({_had(user)}) and sent an invitation.", account)
    return email


def _change(session: Session, actor: Actor, account_id: int, seen: tuple[int, int], wanted: UserForm) -> str:
    """`seen`: whom, and at which version."""
    me, account = _enter(session, actor, account_id)
    user_id, version = seen
    # One's own name is free.
    me_too = user_id == me.user_id and wanted.permissions is None
    user = _target(session, me, account, user_id, version, me_too=me_too)
    name, before = clean(wanted.name), Snapshot.of(user)
    _check(name, None)
    user.name, user.name_key, user.version = name, fold(name), user.version + 1
    if wanted.permissions is not None:
        user.permissions = _granted(me, wanted, of_customer(user.permissions), user.email)
    session.add(user)
    session.flush()
    acts.tell(session, me, user, before, account)
    return user.email


def _granted(me: Actor, wanted: UserForm, held: frozenset[Permission] | tuple[()], who: str) -> list[str]:
    """What the user has from now on: access is always there and is not written down."""
    asked = set(wanted.permissions or ()) - CUSTOMER_OPERATIONS
    if asked - CUSTOMER_GRANTS:
        raise Refused(NOT_FOR_CUSTOMERS, who)
    return sorted(p.value for p in of_customer(rules.given(me, asked, held, who)) - CUSTOMER_OPERATIONS)


def _resend(session: Session, actor: Actor, account_id: int, user_id: int) -> str:
    me, account = _enter(session, actor, account_id)
    return acts.resend(session, me, _get(session, account, user_id), account)


def _disable(session: Session, actor: Actor, account_id: int, user_id: int, version: int) -> str:
    me, account = _enter(session, actor, account_id)
    return acts.disable(session, me, _target(session, me, account, user_id, version), account)


def _enable(session: Session, actor: Actor, account_id: int, user_id: int, version: int) -> str:
    me, account = _enter(session, actor, account_id)
    return acts.enable(session, me, _target(session, me, account, user_id, version), account)


def _remove(session: Session, actor: Actor, account_id: int, user_id: int, version: int) -> str:
    me, account = _enter(session, actor, account_id)
    user = _target(session, me, account, user_id, version)
    return acts.remove(session, me, user, _had(user), account)


def _had(user: User) -> str:
    return listed(of_customer(user.permissions))
