"""The rules of user management. Each change is one unit of work under a lock of the partner's user management."""

from dataclasses import replace

from sqlalchemy import delete, select
from sqlmodel import Session, col

from portal_app import clock
from portal_app.accounts.adding import is_taken
from portal_app.auth import one_time, passwords, sessions
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission, effective
from portal_app.errors import Conflict, Invalid, NotFound
from portal_app.files import service as files
from portal_app.models import ExternalIdentity, LinkKind, Partner, Role, SignInType, User, UserKind, UserState
from portal_app.text import fold, normal_email
from portal_app.users import acts, invitations, repository, rules
from portal_app.users.acts import TAKEN
from portal_app.users.forms import Wanted, check
from portal_app.users.query import UserQuery
from portal_app.users.rows import AccountChoice, Asked, Change, UserDetails, UserPage, UserRow
from portal_app.users.rules import Manager, Refused
from portal_app.users.words import Snapshot, changes_in_words, summary

NOT_FOUND = "There is no such user."
CHANGED_MEANWHILE = "Somebody changed this user meanwhile. Load the page again to see how they are now."
FOUND_AT_ONCE = 4


def list_page(session: Session, actor: Actor, query: UserQuery) -> UserPage:
    """A page of the partner's users."""
    actor.require(Permission.USERS_MANAGE)
    return repository.page(session, repository.in_scope(actor), query)


def find(session: Session, actor: Actor, words: str) -> list[UserRow]:
    """The first few users whose name or email holds the words."""
    actor.require(Permission.USERS_MANAGE)
    return repository.first_matches(session, actor, words, FOUND_AT_ONCE)


def details(session: Session, actor: Actor, user_id: int) -> UserDetails:
    """A user for the editor, and what of them the actor may change."""
    me = _manager(session, actor)
    user = _get(session, me.actor, user_id)
    own = user.id == me.actor.user_id
    locked = "" if own else me.may_touch(user)
    ranks = me.outranks(session, user)
    fixed = {
        "email": not ranks or not _may_move(user),
        "type": not ranks,
        "access": own or bool(locked),
        "accounts": own or bool(locked) or (user.all_accounts and not me.actor.all_accounts),
    }
    return UserDetails(
        id=user_id,
        version=user.version,
        email=user.email,
        name=user.name,
        type=user.sign_in_type,
        role=user.role,
        permissions=tuple(sorted(effective(user.role, user.permissions))),
        all_accounts=user.all_accounts,
        state=user.state,
        locked=locked or (rules.OWN_ACCESS if own else ""),
        fixed=frozenset(name for name, stays in fixed.items() if stays),
    )


def accounts_to_choose(
    session: Session, actor: Actor, user_id: int, asked: Asked, changes: tuple[Change, ...]
) -> AccountChoice:
    """A page of the accounts that the actor may choose for a user (0 for a new one)."""
    actor.require(Permission.USERS_MANAGE)
    if user_id:
        _get(session, actor, user_id)
    return repository.choice(session, actor, user_id, asked, changes)


def add(actor: Actor, wanted: Wanted) -> str:
    """Add a user and invite them; gives the email. Raises Invalid, Refused. Blocking (may hash a password)."""
    wanted = wanted.cleaned()
    check(wanted, is_new=True)
    password_hash = passwords.hash_password(wanted.password) if wanted.has_password else None
    return acts.attempt(_add, actor, wanted, password_hash)


def change(actor: Actor, user_id: int, version: int, wanted: Wanted) -> str:
    """Save what was changed about a user who is at `version`; gives the email. Raises Invalid, Refused, Conflict."""
    wanted = wanted.cleaned()
    check(wanted, is_new=False)
    return acts.attempt(_change, actor, user_id, version, wanted)


def resend(actor: Actor, user_id: int) -> str:
    """A new invitation for a user who has not confirmed yet; the link before it is void. Gives the email."""
    return acts.attempt(_resend, actor, user_id)


def disable(actor: Actor, user_id: int, version: int) -> str:
    """The user can't sign in any more, and is signed out everywhere. Gives the email."""
    return acts.attempt(_disable, actor, user_id, version)


def enable(actor: Actor, user_id: int, version: int) -> str:
    """The user can sign in again. Gives the email."""
    return acts.attempt(_enable, actor, user_id, version)


def remove(actor: Actor, user_id: int, version: int) -> str:
    """Delete the user. What the audit tells of them stays. Gives the email."""
    return acts.attempt(_remove, actor, user_id, version)


def _enter(session: Session, actor: Actor) -> Manager:
    """Take the partner's turn of managing users; then read who asks once more: the turn before may have changed it.

    So there always is an administrator who can sign in: whoever changes one is another, as of this moment.
    """
    mine = select(Partner.id).where(col(Partner.id) == actor.partner_id)
    session.execute(mine.with_for_update(key_share=True))
    return _manager(session, actor)


def _manager(session: Session, actor: Actor) -> Manager:
    found = repository.find(session, repository.in_scope(actor), actor.user_id or 0)
    if found is None or found.state != UserState.ACTIVE:
        raise Refused(Permission.USERS_MANAGE.refusal)
    rights = effective(found.role, found.permissions) & actor.permissions
    if Permission.USERS_MANAGE not in rights:
        raise Refused(Permission.USERS_MANAGE.refusal)
    now = replace(actor, permissions=rights, all_accounts=found.all_accounts)
    return Manager(now, found.role == Role.ADMINISTRATOR)


def _get(session: Session, actor: Actor, user_id: int, *, lock: bool = False) -> User:
    found = repository.find(session, repository.in_scope(actor), user_id, lock=lock) if 0 < user_id < 1 << 31 else None
    if found is None:
        raise NotFound(NOT_FOUND)
    return found


def _target(session: Session, me: Manager, user_id: int, version: int) -> User:
    """The user whom the manager may change, as long as nobody else did since they looked."""
    user = _get(session, me.actor, user_id, lock=True)
    if refusal := me.may_touch(user):
        raise Refused(refusal, user.email)
    if user.version != version:
        raise Conflict(CHANGED_MEANWHILE)
    return user


def _add(session: Session, actor: Actor, wanted: Wanted, password_hash: str | None) -> str:
    me, now = _enter(session, actor), clock.now()
    if is_taken(session, normal_email(wanted.email)):
        raise Invalid(email=TAKEN)
    user = User(
        kind=UserKind.PARTNER,
        partner_id=actor.partner_id,
        email=wanted.email,
        email_key=normal_email(wanted.email),
        name=wanted.name,
        sign_in_type=wanted.type,
        password_hash=password_hash,
        password_set_at=now if password_hash else None,
        must_change_password=password_hash is not None,
        permissions=[],
        all_accounts=False,
        state=UserState.INVITED,
        created_at=now,
    )
    added, _ = _set_access(session, me, user, wanted)
    invitations.invite(session, user)
    how = f"Added {user.email} ({summary(Snapshot.of(user), added)}) and sent an invitation."
    acts.note(session, me.actor, how)
    return user.email


def _change(session: Session, actor: Actor, user_id: int, version: int, wanted: Wanted) -> str:
    me = _enter(session, actor)
    if user_id == actor.user_id:
        return _rename_self(session, me, version, wanted)
    user = _target(session, me, user_id, version)
    before = Snapshot.of(user)
    user.name, user.name_key = wanted.name, fold(wanted.name)
    _set_identity(session, me, user, wanted)
    moved = _set_access(session, me, user, wanted)
    if any(moved) or before.access != Snapshot.of(user).access:
        files.end_own(session, user_id)
    acts.tell(session, me.actor, user, before, moved=moved)
    return user.email


def _rename_self(session: Session, me: Manager, version: int, wanted: Wanted) -> str:
    user = _get(session, me.actor, me.actor.user_id or 0, lock=True)
    if user.version != version:
        raise Conflict(CHANGED_MEANWHILE)
    before = Snapshot.of(user)
    if wanted.differs(before) or wanted.changes:
        raise Refused(rules.OWN_ACCESS, user.email)
    user.name, user.name_key, user.version = wanted.name, fold(wanted.name), user.version + 1
    session.add(user)
    if words := changes_in_words(before, Snapshot.of(user), 0, 0):
        acts.note(session, me.actor, f"Changed {user.email}: {words}")
    return user.email


def _set_identity(session: Session, me: Manager, user: User, wanted: Wanted) -> None:
    """Another address (of who has not confirmed yet) or another way to sign in."""
    moved, other_type = wanted.email != user.email, wanted.type != user.sign_in_type
    if not moved and not other_type:
        return
    if not me.outranks(session, user):
        raise Refused(rules.IDENTITY_BEYOND, user.email)
    if moved:
        _move(session, user, wanted.email)
    if other_type:
        user.sign_in_type, user.password_hash, user.must_change_password = wanted.type, None, False
        session.execute(delete(ExternalIdentity).where(col(ExternalIdentity.user_id) == user.id))
        sessions.end_all(session, user.id or 0)
        one_time.void(session, user.id or 0, LinkKind.RESET)
        if wanted.type == SignInType.EMAIL and user.state == UserState.ACTIVE:
            # A password is needed: it comes as for a new user.
            user.state = UserState.INVITED
    if user.state == UserState.INVITED:
        session.flush()
        invitations.invite(session, user)


def _may_move(user: User) -> bool:
    """Whether the address was never confirmed and so may still be put right."""
    return user.state == UserState.INVITED and user.last_sign_in_at is None


def _move(session: Session, user: User, email: str) -> None:
    if not _may_move(user):
        raise Refused("The address of somebody who has confirmed it stays. Add a new user instead.", user.email)
    key = normal_email(email)
    if key != user.email_key and is_taken(session, key):
        raise Invalid(email=TAKEN)
    user.email, user.email_key = email, key


def _set_access(session: Session, me: Manager, user: User, wanted: Wanted) -> tuple[int, int]:
    """Role, permissions and accounts, as far as the manager may give them. How many accounts came and went."""
    if wanted.role == Role.ADMINISTRATOR and not me.is_administrator:
        raise Refused(rules.MORE_THAN_OWN, user.email)
    held = effective(user.role, user.permissions) if user.id else ()
    if wanted.role == Role.CUSTOM:
        user.permissions = me.granted(wanted.permissions, held, user.email)
    user.role, user.version = wanted.role, user.version + 1
    fixed = not me.actor.all_accounts and user.all_accounts
    if fixed and (not wanted.all_accounts or wanted.changes):
        raise Refused(rules.OTHERS_ACCOUNTS, user.email)
    if wanted.all_accounts and not user.all_accounts and not me.actor.all_accounts:
        raise Refused(rules.ACCOUNTS_BEYOND, user.email)
    user.all_accounts = wanted.all_accounts
    session.add(user)
    session.flush()
    if wanted.all_accounts:
        repository.forget_choice(session, user.id or 0)
        return 0, 0
    return repository.save_choice(session, me.actor, user.id or 0, wanted.changes)


def _resend(session: Session, actor: Actor, user_id: int) -> str:
    me = _enter(session, actor)
    user = _get(session, me.actor, user_id, lock=True)
    if refusal := me.may_touch(user):
        raise Refused(refusal, user.email)
    return acts.resend(session, me.actor, user)


def _disable(session: Session, actor: Actor, user_id: int, version: int) -> str:
    me = _enter(session, actor)
    return acts.disable(session, me.actor, _target(session, me, user_id, version))


def _enable(session: Session, actor: Actor, user_id: int, version: int) -> str:
    me = _enter(session, actor)
    return acts.enable(session, me.actor, _target(session, me, user_id, version))


def _remove(session: Session, actor: Actor, user_id: int, version: int) -> str:
    me = _enter(session, actor)
    user = _target(session, me, user_id, version)
    return acts.remove(session, me.actor, user, summary(Snapshot.of(user), 0))
