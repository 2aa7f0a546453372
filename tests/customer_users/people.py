"""What the tests of a customer's users say over and over."""

from typing import Any

from sqlalchemy import update
from sqlmodel import Session, col

from portal_app import db
from portal_app.auth.permissions import Permission
from portal_app.customer_users import service
from portal_app.customer_users.rows import UserForm
from portal_app.models import User, UserKind
from tests import factories
from tests.cast import Cast
from tests.users.people import by_email

MANAGES, RESTORES = Permission.CUSTOMER_USERS_MANAGE, Permission.DATA_RESTORE


def grant(user: User, *permissions: Permission) -> User:
    """The same user with just these permissions."""
    values = {"permissions": [p.value for p in permissions]}
    db.write(lambda session: session.execute(update(User).where(col(User.id) == user.id).values(values)))
    return db.read(lambda session: session.get_one(User, user.id))


def colleague(session: Session, account_id: int, name: str = "Dora", **given: Any) -> User:
    """Another user of the account."""
    email = f"{name.lower()}@customers.example"
    kind = {"kind": UserKind.CUSTOMER, "account_id": account_id, "role": "custom"}
    return factories.user(session, email=email, name=name, **kind | given)


def added(cast: Cast, *permissions: Permission, email: str = "Nora@Customers.example") -> User:
    """A user of Alpha Ash whom Alice has just added."""
    wanted = UserForm(name="Nora", email=email, permissions=tuple(p.value for p in permissions))
    service.add(cast.actor("alice"), cast.accounts_a[0].id or 0, wanted)
    return by_email(email)
