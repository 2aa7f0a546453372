"""A database that is in use keeps all its rows when billing comes, and when billing changes its shape."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, MetaData, Table, insert, select

from alembic import command
from portal_app import db, migrations
from tests.stores import BOTH

BEFORE, BILLING = "20261124_passkeys", "20261124_billing"
AT, DAY, DUE = datetime(2026, 11, 24, 12, tzinfo=UTC), date(2026, 11, 1), date(2026, 12, 1)
Rows = dict[str, list[dict[str, Any]]]
# Of an invoice of 1,001 over two accounts 500 came in; another one is paid.
PART_PAID, PAID = 1, 2


@pytest.fixture(params=BOTH)
def empty(request: pytest.FixtureRequest, data_dir: Path) -> Iterator[Engine]:
    sqlite = request.param == "sqlite"
    made = db.make_engine(f"sqlite:///{data_dir / 'old.db'}" if sqlite else request.getfixturevalue("postgres_url"))
    yield made
    made.dispose()


def _bring_to(target: Engine, revision: str) -> None:
    with target.connect() as connection:
        config = migrations._config()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        connection.commit()


def _tables(connection: Connection) -> dict[str, Table]:
    found = MetaData()
    # The search index is made of the accounts' rows.
    found.reflect(connection, only=lambda name, _: not name.startswith("account_search"))
    return {name: table for name, table in found.tables.items() if name != "alembic_version"}


def _fill(connection: Connection, rows: Rows) -> None:
    tables = _tables(connection)
    for name, listed in rows.items():
        connection.execute(insert(tables[name]), listed)
    connection.commit()


def _all(target: Engine) -> Rows:
    with target.connect() as connection:
        found = {
            name: sorted((dict(row) for row in connection.execute(select(table)).mappings()), key=repr)
            for name, table in _tables(connection).items()
        }
        connection.rollback()
    return found


def _people() -> Rows:
    partner = {"code": "OLD001", "name": "Old & Sons", "state": "active", "is_demo": False, "currency": "EUR"}
    partner |= {"time_zone": "Europe/Paris", "default_subscription": "trial", "created_at": AT, "email": ""}
    partner |= {"address": "", "phone": "", "ip_restricted": False, "require_two_factor": False}
    user = {"kind": "partner", "partner_id": 1, "email": "a@old.example", "email_key": "a@old.example", "name": "Ann"}
    user |= {"role": "administrator", "permissions": [], "all_accounts": True, "state": "active", "created_at": AT}
    user |= {"must_change_password": False, "totp_used_step": 0, "sign_in_type": "email", "version": 1}
    task = {"account_id": 2, "key": "mail", "name": "Mail", "service": "exchange", "entities": 12, "size_bytes": 10**12}
    return {
        "data_center": [{"id": 1, "code": "eu", "name": "Europe", "position": 1, "active": True}],
        "partner": [{"id": 1} | partner],
        "account": [_account(1, "trial_started"), _account(2, "monthly"), _account(3, "annual")],
        "portal_user": [{"id": 1} | user],
        "backup_task": [{"id": 1, "created_at": AT} | task],
    }


def _account(number: int, status: str) -> dict[str, Any]:
    name, email = f"Customer {number}", f"c{number}@old.example"
    row = {"id": number, "partner_id": 1, "name": name, "name_key": name.lower(), "email": email, "email_key": email}
    row |= {"status": status, "backup_status": "none", "billing_status": "none", "amount_minor": 0, "size_bytes": 0}
    trial = status == "trial_started"
    row |= {"trial_ends_at": AT if trial else None, "next_step_at": AT if trial else None}
    row |= {"subscribed_at": None if trial else AT}
    return row | {"storage_kind": "data_center", "data_center_id": 1, "created_at": AT}


def _billing() -> Rows:
    share = {"account_name": "Customer", "account_email": "c@old.example"}
    parts = [(PART_PAID, 2, 334), (PART_PAID, 3, 667), (PAID, 2, 500)]
    profile = {"partner_id": 1, "method": "invoice", "payment_day": 1, "annual_together": False, "title": ""}
    names = ("first_name", "last_name", "company", "tax_id", "address", "zip", "city", "country", "email", "phone")
    profile |= dict.fromkeys(names, "") | {"delivery": "link", "customer_ref": "", "billed_through": DAY}
    begun = {"partner_id": 1, "started_on": DAY, "anchor_on": DAY, "covered_until": DUE, "ends": False}
    lines = [
        {"bill_id": bill, "position": account, "account_id": account, "account_name": "Customer", "service": "exchange"}
        | {"description": "Mail", "starts_on": DAY, "ends_on": DUE, "quantity_milli": 1000, "unit": "seat"}
        | {"amount_minor": amount, "trace": {"rule": "price"}}
        for bill, account, amount in parts
    ]
    money = {"bill_id": PART_PAID, "partner_id": 1, "kind": "bank", "amount_minor": 500, "received_on": DAY, "note": ""}
    return {
        "billing_profile": [profile],
        "subscription": [
            begun | {"account_id": number, "plan": plan, "excluded": False}
            for number, plan in ((2, "monthly"), (3, "annual"))
        ],
        "bill": [_bill(PART_PAID, 1_001, "open", 500), _bill(PAID, 500, "paid", 500)],
        "bill_line": lines,
        "bill_share": [share | {"bill_id": bill, "account_id": of, "amount_minor": part} for bill, of, part in parts],
        "billed_period": [{"bill_id": PART_PAID, "account_id": 2, "starts_on": DAY, "ends_on": DUE}],
        "payment": [{"id": 1, "created_at": AT} | money],
    }


def _bill(number: int, total: int, state: str, settled: int) -> dict[str, Any]:
    row = {"id": number, "number": number, "once": f"old:{number}", "partner_id": 1, "kind": "consolidated"}
    row |= {"plan": "monthly", "method": "invoice", "state": state, "issued_on": DAY, "effective_on": DAY}
    row |= {"due_on": DUE, "currency": "EUR", "net_minor": total, "tax_minor": 0, "total_minor": total}
    row |= {"settled_minor": settled, "tax_bp": 0, "reverse_charge": False, "charge_refused": False}
    return row | {"buyer": {"company": "Old & Sons"}, "seller": {"name": "Us"}, "created_at": AT}


def _lost(before: Rows, after: Rows) -> list[str]:
    """What of the old rows is not there as it was; new columns and tables are none of it."""
    return [
        f"{name}: {json.dumps(row, default=str)}"
        for name, listed in before.items()
        for row in listed
        if not any(_holds(each, row) for each in after[name])
    ]


def _holds(new: dict[str, Any], old: dict[str, Any]) -> bool:
    return all(new[name] == value for name, value in old.items())


def test_partners_accounts_and_users_are_kept_when_billing_comes(empty: Engine) -> None:
    _bring_to(empty, BEFORE)
    with empty.connect() as connection:
        _fill(connection, _people())
    before = _all(empty)
    assert len(before["account"]) == 3
    migrations.upgrade(empty)
    assert _lost(before, _all(empty)) == []


def test_what_was_billed_is_kept(empty: Engine) -> None:
    _bring_to(empty, BILLING)
    with empty.connect() as connection:
        _fill(connection, _people() | _billing())
    before = _all(empty)
    assert {"bill", "bill_share", "payment"} <= {name for name, rows in before.items() if rows}
    migrations.upgrade(empty)
    assert _lost(before, _all(empty)) == []
