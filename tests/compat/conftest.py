"""A client as it talks to an existing portal: its headers, a sign-in, then lists."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import httpx
import pytest
from sqlmodel import Session
from starlette.applications import Starlette

from portal_app import clock, db
from portal_app.api import throttle
from portal_app.auth.permissions import Permission
from portal_app.compat.app import routes
from portal_app.models import Account, BackupEntity, BackupTask, Bill, BillLine, BillShare
from tests import factories
from tests.api.conftest import Client, new_token
from tests.cast import Cast, cast  # noqa: F401 (the fixture)

READS = (Permission.DASHBOARD_VIEW, Permission.ACCOUNTS_ACCESS, Permission.BILLING_VIEW)
LISTS = {
    "v1": ("partners/users", "partners/tasks", "partners/status", "partners/bills"),
    "v2": (
        "resellers/accounts",
        "resellers/accounts/backup-tasks",
        "resellers/accounts/backup-statuses",
        "resellers/bills",
    ),
}


@dataclass
class Caller:
    """A client with its credentials; `token` is what it sends as its secret."""

    client: Client
    token: str
    name: str = "Engine"
    email: str = "alice@people.example"
    access: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def own(self) -> dict[str, str]:
        return {"client-id": self.name, "client-secret": self.token, **self.headers}

    def sign_in(self, version: str = "v1", **given: str) -> httpx.Response:
        body = {"email": self.email, "password": self.token} | given
        told = self.client.post(f"/compat/{version}/auth/partner", json=body, headers=self.own())
        self.access = told.json().get("accessToken", "")
        return told

    def get(self, path: str, **params: Any) -> httpx.Response:
        headers = self.own() | {"Authorization": f"Bearer {self.access}"}
        return self.client.get(f"/compat/{path}", headers=headers, params=params)


@pytest.fixture
def client() -> Client:
    throttle.reset()
    return Client(Starlette(routes=routes))


@pytest.fixture
def caller(client: Client, cast: Cast) -> Caller:  # noqa: F811
    made = Caller(client, new_token(cast.partner_a.id, *READS))
    assert made.sign_in().status_code == 200
    return made


def bill_of(session: Session, account: Account, minor: int = 1234, number: int = 1) -> Bill:
    """An open bill of November for one account, with one line of seats."""
    bill = Bill(
        number=number,
        once=f"test:{number}",
        partner_id=account.partner_id,
        kind="account",
        account_id=account.id,
        plan="monthly",
        method="card",
        issued_on=date(2026, 11, 1),
        effective_on=date(2026, 11, 1),
        due_on=date(2026, 11, 15),
        currency="USD",
        net_minor=minor,
        tax_minor=0,
        total_minor=minor,
        created_at=clock.now(),
    )
    factories.save(session, bill)
    share = {"bill_id": bill.id, "account_id": account.id, "account_name": account.name, "amount_minor": minor}
    factories.save(session, BillShare(account_email=account.email, **share))
    line = BillLine(
        position=1,
        service="google_mail",
        description="Google Workspace mail",
        starts_on=date(2026, 11, 1),
        ends_on=date(2026, 12, 1),
        quantity_milli=2500,
        unit="seat",
        unit_minor=500,
        **share,
    )
    factories.save(session, line)
    return bill


def entity_of(session: Session, task: BackupTask, name: str, **given: Any) -> BackupEntity:
    """A mailbox that was backed up on a day of November."""
    at = datetime(2026, 11, 20, 2, 3, 4, tzinfo=UTC)
    values = {"size_bytes": 10, "outcome": "successful", "last_backup_at": at, "last_attempt_at": at, "found_at": at}
    entity = BackupEntity(
        account_id=task.account_id, task_id=task.id, key=name, name=name, name_key=name.lower(), **values | given
    )
    return factories.save(session, entity)


def rows_of(model: Any) -> list[Any]:
    return db.read(lambda session: list(session.query(model).order_by(model.id)))
