"""What the tests of user management say over and over."""

import json
import re
from dataclasses import replace
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from portal_app import crypto, db
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.mail.service import place_of
from portal_app.models import AuditEvent, OutboxMail, Role, User, UserAccount
from portal_app.users import service
from portal_app.users.forms import Wanted
from tests import factories

DASHBOARD, ACCESS = Permission.DASHBOARD_VIEW.value, Permission.ACCOUNTS_ACCESS.value
MANAGES = Permission.USERS_MANAGE.value
LENA = Wanted(email="Lena@People.example", name="Lena", permissions=(DASHBOARD, ACCESS))


def row(user_id: int | None) -> User:
    """The user as saved now."""
    return db.read(lambda session: session.get(User, user_id))


def by_email(email: str) -> User:
    return db.read(lambda session: session.scalars(select(User).where(col(User.email) == email)).one())


def accounts_of(user_id: int | None) -> set[int]:
    mine = select(col(UserAccount.account_id)).where(col(UserAccount.user_id) == user_id)
    return set(db.read(lambda session: session.scalars(mine).all()))


def audit() -> list[AuditEvent]:
    return db.read(lambda session: list(session.scalars(select(AuditEvent).order_by(col(AuditEvent.id)))))


def mails(to: str) -> list[tuple[str, dict[str, Any]]]:
    """Kind and content of what was queued for the address, in order."""
    wanted = select(OutboxMail).where(col(OutboxMail.recipient) == to).order_by(col(OutboxMail.id))
    found = db.read(lambda session: list(session.scalars(wanted)))
    return [(mail.kind, json.loads(crypto.unseal(mail.sealed, binding=place_of(mail)))) for mail in found]


def link_of(to: str) -> str:
    """The token in the last invitation to the address."""
    letters = [letter for kind, letter in mails(to) if kind == "invitation"]
    found = re.search(r"/invitation\?token=([\w-]+)$", letters[-1]["action"][1])
    assert found
    return found[1]


def as_is(user: User, **changes: Any) -> Wanted:
    """The form as the editor fills it in, with these changes."""
    from_row = Wanted(
        email=user.email,
        name=user.name,
        type=user.sign_in_type,
        role=user.role,
        permissions=tuple(user.permissions),
        all_accounts=user.all_accounts,
    )
    return replace(from_row, **changes)


def change(actor: Actor, user: User, **changes: Any) -> str:
    """Save these changes of the user as they are now."""
    now = row(user.id)
    return service.change(actor, now.id or 0, now.version, as_is(now, **changes))


def manager(session: Session, partner: Any, *accounts: Any, also: tuple[str, ...] = ()) -> User:
    """A custom user who manages users and sees these accounts only (all, without any)."""
    rights = [MANAGES, DASHBOARD, *also]
    made = factories.user(session, partner, role=Role.CUSTOM, permissions=rights, name="Manuel")
    if accounts:
        factories.give_accounts(session, made, *accounts)
    return made
