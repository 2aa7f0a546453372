"""Rows for tests, complete and valid unless told otherwise."""

from datetime import timedelta
from itertools import count
from typing import Any

from sqlmodel import Session

from portal_app import clock, text
from portal_app.auth import passwords
from portal_app.auth.actor import Actor, ActorKind, Origin
from portal_app.auth.permissions import Permission, rights_of
from portal_app.models import Account, AccountStatus, DataCenter, Partner, Role, User, UserAccount, UserKind

PASSWORD = "correct horse battery staple"
_PASSWORD_HASH = passwords.hash_password(PASSWORD)
_numbers = count(1)


def save(session: Session, row: Any) -> Any:
    session.add(row)
    session.flush()
    return row


def data_center(session: Session, **given: Any) -> DataCenter:
    number = next(_numbers)
    return save(session, DataCenter(**{"code": f"dc-{number}", "name": f"Place {number}", "position": number} | given))


def partner(session: Session, **given: Any) -> Partner:
    number = next(_numbers)
    return save(
        session,
        Partner(**{"code": f"PARTN{number:03}", "name": f"Partner {number}", "created_at": clock.now()} | given),
    )


def account(session: Session, of: Partner, **given: Any) -> Account:
    """A trial that began now, unless `status` says otherwise."""
    number = next(_numbers)
    name = given.pop("name", f"Customer {number}")
    email = given.pop("email", f"customer{number}@example.com")
    status = given.get("status", AccountStatus.TRIAL_STARTED)
    now = given.get("created_at", clock.now())
    values: dict[str, Any] = {
        "partner_id": of.id,
        "name": name,
        "name_key": text.fold(name),
        "email": email,
        "email_key": text.normal_email(email),
        "status": status,
        "created_at": now,
    }
    if status in (AccountStatus.MONTHLY, AccountStatus.ANNUAL):
        values["subscribed_at"] = now
    else:
        values |= {"trial_ends_at": now + timedelta(days=14), "next_step_at": now + timedelta(days=9)}
    if "storage_kind" not in given and "data_center_id" not in given:
        values["data_center_id"] = data_center(session).id
    return save(session, Account(**values | given))


def user(session: Session, of: Partner | None = None, **given: Any) -> User:
    """An Administrator of the partner; a customer's or an operator when `kind` says so. Password: PASSWORD."""
    number = next(_numbers)
    email = given.pop("email", f"person{number}@example.com")
    values: dict[str, Any] = {
        "kind": UserKind.PARTNER,
        "partner_id": of.id if of else None,
        "email": email,
        "email_key": text.normal_email(email),
        "name": f"Person {number}",
        "password_hash": _PASSWORD_HASH,
        "role": Role.ADMINISTRATOR,
        "created_at": clock.now(),
    }
    return save(session, User(**values | given))


def give_accounts(session: Session, to: User, *accounts: Account) -> None:
    """Limit the user to these accounts."""
    to.all_accounts = False
    session.add(to)
    for one in accounts:
        session.add(UserAccount(user_id=to.id, account_id=one.id))
    session.flush()


def actor(of: User, *, permissions: frozenset[Permission] | None = None) -> Actor:
    """The actor that the guard would make of the user."""
    found = rights_of(of.kind, of.role, of.permissions)
    return Actor(
        kind=ActorKind(of.kind),
        user_id=of.id,
        partner_id=of.partner_id,
        account_id=of.account_id,
        email=of.email,
        name=of.name,
        permissions=found if permissions is None else permissions,
        all_accounts=of.all_accounts,
        origin=Origin("192.0.2.7", "Test browser"),
    )
