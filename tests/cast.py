"""A fixed cast: who has access to what, by name. Everybody's password is `factories.PASSWORD`.

Alice administers partner A; Bob sees one of its accounts; Carol sees only billing; Nina may do nothing; Dave is a
customer of A's first account; Mallory administers partner B; Olga is the provider's operator. Ivan is disabled, Irene
is invited, and Sam's partner is suspended: the three can't sign in.
"""

from dataclasses import dataclass, fields

import pytest
from sqlmodel import Session

from portal_app import clock, db
from portal_app.auth import sessions
from portal_app.auth.actor import Actor, Origin
from portal_app.auth.permissions import Permission
from portal_app.models import (
    Account,
    AccountStatus,
    BackupRun,
    BackupStatus,
    BackupTask,
    BillingStatus,
    Partner,
    PartnerState,
    Role,
    User,
    UserKind,
    UserState,
)
from tests import factories

HERE = Origin("192.0.2.7", "Firefox on Linux")
BOBS = [Permission.DASHBOARD_VIEW, Permission.ACCOUNTS_ACCESS]
CAROLS = [Permission.BILLING_VIEW, Permission.BILLS_PAY, Permission.PAYMENT_MANAGE]


@dataclass(frozen=True)
class Cast:
    """Rows as they were saved; the two partners' accounts in the order of their names."""

    partner_a: Partner
    partner_b: Partner
    alice: User
    bob: User
    carol: User
    nina: User
    dave: User
    mallory: User
    olga: User
    ivan: User
    irene: User
    sam: User
    accounts_a: tuple[Account, ...]
    accounts_b: tuple[Account, ...]

    @property
    def bobs_account(self) -> Account:
        return self.accounts_a[0]

    @property
    def people(self) -> dict[str, User]:
        found = {f.name: getattr(self, f.name) for f in fields(self)}
        return {name: row for name, row in found.items() if isinstance(row, User)}

    def actor(self, name: str) -> Actor:
        return factories.actor(self.people[name])


def make_cast(session: Session) -> Cast:
    """Save everybody and everything."""
    center = factories.data_center(session)
    a = factories.partner(session, code="ALPHA001", name="Alpha")
    b = factories.partner(session, code="BETA0001", name="Beta")
    closed = factories.partner(session, code="SHUT0001", name="Shut", state=PartnerState.SUSPENDED)
    of_a = tuple(_account(session, a, f"Alpha {word}", i, center.id) for i, word in enumerate(("Ash", "Birch", "Elm")))
    of_b = tuple(_account(session, b, f"Beta {word}", i, center.id) for i, word in enumerate(("Oak", "Pine")))
    bob = _person(session, "bob", a, role=Role.CUSTOM, permissions=[str(p) for p in BOBS])
    factories.give_accounts(session, bob, of_a[0])
    return Cast(
        partner_a=a,
        partner_b=b,
        alice=_person(session, "alice", a),
        bob=bob,
        carol=_person(session, "carol", a, role=Role.CUSTOM, permissions=[str(p) for p in CAROLS]),
        nina=_person(session, "nina", a, role=Role.CUSTOM),
        dave=_person(session, "dave", kind=UserKind.CUSTOMER, account_id=of_a[0].id, role=Role.CUSTOM),
        mallory=_person(session, "mallory", b),
        olga=_person(session, "olga", kind=UserKind.OPERATOR, role=Role.CUSTOM),
        ivan=_person(session, "ivan", a, state=UserState.DISABLED),
        irene=_person(session, "irene", a, state=UserState.INVITED, password_hash=None),
        sam=_person(session, "sam", closed),
        accounts_a=of_a,
        accounts_b=of_b,
    )


def token_of(user: User) -> str:
    """A session token of the person, as a browser would hold it."""
    ticket = db.write(sessions.new_ticket, user.id)
    token = db.write(sessions.redeem, ticket, HERE)
    assert token
    return token


def cookie_of(user: User) -> str:
    """The Cookie header of the person's browser."""
    return f"{sessions.COOKIE}={token_of(user)}"


@pytest.fixture
def cast(database) -> Cast:
    return db.write(make_cast)


def _person(session: Session, name: str, of: Partner | None = None, **given) -> User:
    return factories.user(session, of, email=f"{name}@people.example", name=name.capitalize(), **given)


def _account(session: Session, of: Partner, name: str, number: int, center_id: int) -> Account:
    """The first is a trial; each has another status, amount, size, task and run than the others."""
    account = factories.account(
        session,
        of,
        name=name,
        email=f"{name.lower().replace(' ', '.')}@customers.example",
        status=(AccountStatus.TRIAL_STARTED, AccountStatus.MONTHLY, AccountStatus.ANNUAL)[number],
        backup_status=(BackupStatus.NONE, BackupStatus.SUCCESSFUL, BackupStatus.FAILED)[number],
        billing_status=(BillingStatus.OVERDUE, BillingStatus.DUE, BillingStatus.CURRENT)[number],
        amount_minor=(30_000, 20_000, 0)[number],
        size_bytes=(1 << 30) * (number + 1),
        data_center_id=center_id,
    )
    now = clock.now()
    task = factories.save(
        session, BackupTask(account_id=account.id, key="files", name=f"Files of {name}", created_at=clock.now())
    )
    run = BackupRun(
        account_id=account.id,
        task_id=task.id,
        run_key="1",
        started_at=now,
        finished_at=now,
        outcome="successful",
        size_bytes=account.size_bytes,
        received_at=now,
    )
    factories.save(session, run)
    return account
