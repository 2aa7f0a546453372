# ruff: noqa: S608 (the tests themselves write what they send)
"""The chain: who writes it, what refuses to change it, and how each kind of break is found."""

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError
from sqlmodel import Session, col, select

from portal_app import cli, clock, db
from portal_app.audit import chain
from portal_app.audit.service import record, record_each
from portal_app.audit.tags import Activity
from portal_app.audit.verify import Verdict, chains, verify
from portal_app.auth.actor import system
from portal_app.models import AuditChain, AuditEvent
from tests import factories
from tests.audit.conftest import make_rows

ROWS = 12
KEPT = "the audit is only ever added to"
FIELDS = {
    "account_id": "99",
    "account_name": "'another'",
    "user_id": "99",
    "performed_by": "'another'",
    "activity": "'API'",
    "completed": "NOT completed",
    "description": "'nothing'",
    "address": "'203.0.113.1'",
    "browser": "'another'",
    "made_at": "'2020-01-01 00:00:00.000000'",
}


@pytest.fixture
def partner(store: dict[str, str]) -> int:
    """A partner with some rows, beside another one and rows without a partner."""

    def make(session: Session) -> int:
        first, second = (int(factories.partner(session, code=code).id or 0) for code in ("FIRST001", "OTHER001"))
        for one in (first, second, None):
            make_rows(session, one, ROWS)
        return first

    return db.write(make)


def checked(partner: int) -> Verdict:
    return db.read(verify, partner)


def tamper(*statements: str) -> None:
    """What somebody with the database in hand can do: first the triggers go."""
    with db.engine().connect() as connection:
        if connection.dialect.name == "sqlite":
            for (name,) in connection.exec_driver_sql(
                "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name LIKE 'audit%'"
            ).all():
                connection.exec_driver_sql(f"DROP TRIGGER {name}")
        else:
            for table in ("audit_event", "audit_chain"):
                connection.exec_driver_sql(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
        for statement in statements:
            connection.exec_driver_sql(statement)
        connection.commit()


def rows(partner: int | None) -> list[AuditEvent]:
    with db.reading() as session:
        return list(
            session.exec(select(AuditEvent).where(AuditEvent.partner_id == partner).order_by(col(AuditEvent.number)))
        )


def test_each_chain_counts_without_a_gap_and_holds(partner: int) -> None:
    assert [row.number for row in rows(partner)] == list(range(1, ROWS + 1))
    assert [checked(one).fault for one in (partner, partner + 1, chain.NO_PARTNER)] == ["", "", ""]
    assert checked(partner) == Verdict(ROWS, rows(partner)[-1].hash)
    assert db.read(chains) == {partner: "FIRST001", partner + 1: "OTHER001", 0: ""}


def test_a_partner_without_rows_holds(store: dict[str, str]) -> None:
    partner = db.write(factories.partner)
    assert checked(partner.id) == Verdict(0, "")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_event SET description = 'x'",
        "UPDATE audit_event SET description = description",
        "DELETE FROM audit_event WHERE number = 5",
        "UPDATE audit_chain SET number = number - 1",
        "UPDATE audit_chain SET hash = 'x'",
        "DELETE FROM audit_chain",
    ],
)
def test_the_database_refuses_to_change_what_was_written(partner: int, statement: str) -> None:
    with pytest.raises(DatabaseError, match=KEPT):
        db.write(lambda session: session.execute(text(statement)))
    assert checked(partner).rows == ROWS


def test_postgresql_refuses_to_empty_the_table(postgresql_store: dict[str, str]) -> None:
    for table in ("audit_event", "audit_chain"):
        with pytest.raises(DatabaseError, match=KEPT):
            db.write(lambda session, table=table: session.execute(text(f"TRUNCATE {table}")))


@pytest.mark.sqlite(reason="only SQLite knows REPLACE")
def test_sqlite_refuses_to_replace_a_row(database: Path) -> None:
    db.write(make_rows, None, 1)
    columns = "id, number, account_name, performed_by, activity, completed, description, address, browser, made_at"
    with closing(sqlite3.connect(database)) as raw, pytest.raises(sqlite3.IntegrityError, match=KEPT):
        raw.execute(
            f"INSERT OR REPLACE INTO audit_event ({columns}, previous_hash, hash)"
            " VALUES (1, 1, '', '', '', 1, 'x', '', '', '', '', '')"
        )


@pytest.mark.parametrize("field", [*FIELDS, "partner_id", "previous_hash", "hash"])
def test_a_change_of_any_field_is_found_by_its_row(partner: int, field: str) -> None:
    if field == "partner_id":
        tamper(f"UPDATE audit_event SET partner_id = NULL, number = 99 WHERE partner_id = {partner} AND number = 5")
        assert checked(partner).fault == "row 5 missing before row 6"
        assert checked(chain.NO_PARTNER).fault == "row 99 was put in behind the end of the chain"
        return
    value = FIELDS.get(field, repr("0" * 64))
    tamper(f"UPDATE audit_event SET {field} = {value} WHERE partner_id = {partner} AND number = 5")
    found = checked(partner)
    wanted = "row 5 does not follow row 4" if field == "previous_hash" else "row 5 was changed"
    assert found.fault.startswith(wanted) and found.rows == 4
    assert checked(partner + 1).fault == ""


def test_every_column_of_a_row_is_hashed_or_checked() -> None:
    assert set(AuditEvent.model_fields) - set(chain.FIELDS) == {"id", "previous_hash", "hash"}
    assert set(chain.FIELDS) == {*FIELDS, "partner_id", "number"}


def test_a_removed_row_a_removed_start_and_a_cut_end_are_found(partner: int) -> None:
    tamper(f"DELETE FROM audit_event WHERE partner_id = {partner} AND number > 9")
    assert checked(partner).fault == "cut off after row 9: there were 12"
    tamper(f"DELETE FROM audit_event WHERE partner_id = {partner} AND number IN (4, 5)")
    assert checked(partner).fault == "rows 4 to 5 missing before row 6"
    tamper(f"DELETE FROM audit_event WHERE partner_id = {partner} AND number = 1")
    assert checked(partner).fault == "row 1 missing before row 2"
    tamper(f"DELETE FROM audit_event WHERE partner_id = {partner}")
    assert checked(partner).fault == "cut off after row 0: there were 12"


def test_rows_that_changed_places_are_found(partner: int) -> None:
    here = f"UPDATE audit_event SET number = {{}} WHERE partner_id = {partner} AND number = {{}}"
    tamper(here.format(-1, 5), here.format(5, 6), here.format(6, -1))
    assert checked(partner).fault == "row 5 does not follow row 4: reordered, or put in later"


def test_ids_that_changed_places_are_found(partner: int) -> None:
    first, second = rows(partner)[4:6]
    here = "UPDATE audit_event SET id = {} WHERE id = {}"
    tamper(here.format(10_000, first.id), here.format(first.id, second.id), here.format(second.id, 10_000))
    assert "row 6 was reordered" in checked(partner).fault


def test_a_row_that_was_put_in_is_found_even_with_a_right_hash(partner: int) -> None:
    before = rows(partner)[4]
    forged = before.model_dump() | {"id": 10_001, "number": 6, "description": "never happened"}
    forged["previous_hash"] = before.hash
    forged["hash"] = chain.digest(before.hash, forged)
    tamper(
        f"UPDATE audit_event SET number = -number - 1 WHERE partner_id = {partner} AND number > 5",
        f"UPDATE audit_event SET number = -number WHERE partner_id = {partner} AND number < 0",
    )
    _insert(forged)
    assert checked(partner).fault.startswith("row 6 was put in before row 7")


def test_a_row_behind_the_end_and_a_rewritten_last_row_are_found(partner: int) -> None:
    last = rows(partner)[-1]
    forged = last.model_dump() | {"id": 10_001, "number": ROWS + 1, "previous_hash": last.hash}
    forged["hash"] = chain.digest(last.hash, forged)
    tamper()
    _insert(forged)
    assert checked(partner).fault == f"row {ROWS + 1} was put in behind the end of the chain"
    tamper(f"DELETE FROM audit_event WHERE id IN (10001, {last.id})")
    again = last.model_dump() | {"description": "never happened"}
    again["hash"] = chain.digest(again["previous_hash"], again)
    _insert(again)
    assert checked(partner).fault == f"row {ROWS} was changed: it is not the kept end"


def _insert(values: dict[str, Any]) -> None:
    db.write(lambda session: session.add(AuditEvent(**values)))


@pytest.mark.sqlite(reason="PostgreSQL keeps no time that is none")
def test_a_row_that_can_not_be_read_is_a_break(database: Path) -> None:
    db.write(make_rows, None, 3)
    tamper("UPDATE audit_event SET made_at = 'never' WHERE number = 2")
    assert "can't be read" in checked(chain.NO_PARTNER).fault


def test_what_was_recorded_since_a_savepoint_goes_with_it(store: dict[str, str]) -> None:
    actor = system()

    def work(session: Session) -> None:
        record(session, actor, Activity.API, "kept")
        with pytest.raises(ZeroDivisionError), session.begin_nested():
            record(session, actor, Activity.API, "lost")
            raise ZeroDivisionError
        with session.begin_nested():
            record(session, actor, Activity.API, "kept too")

    db.write(work)
    assert [row.description for row in rows(None)] == ["kept", "kept too"]


def test_a_unit_of_work_that_fails_leaves_neither_row_nor_gap(store: dict[str, str]) -> None:
    def fail(session: Session) -> None:
        record(session, system(), Activity.API, "lost")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        db.write(fail)
    db.write(record, system(), Activity.API, "kept")
    assert [(row.number, row.description) for row in rows(None)] == [(1, "kept")]


def test_writers_at_once_make_one_chain_each_and_never_block_each_other(partner: int) -> None:
    """Half of them write into both chains, in opposite orders."""
    failed: list[Exception] = []

    def write(number: int) -> None:
        order = (partner, partner + 1) if number % 2 else (partner + 1, partner)

        def work(session: Session) -> None:
            for one in order:
                record(session, system(one), Activity.API, f"by {number}")

        try:
            for _ in range(10):
                db.write(work)
        except Exception as fault:
            failed.append(fault)

    threads = [Thread(target=write, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []
    assert [checked(one) == Verdict(ROWS + 60, checked(one).hash) for one in (partner, partner + 1)] == [True, True]


def test_ten_thousand_rows_at_once_hold_and_take_seconds(partner: int) -> None:
    begun = clock.now()
    db.write(
        record_each, system(partner), Activity.SUBSCRIBED, "Subscribed", [(n, f"Account {n}") for n in range(10_000)]
    )
    assert clock.now() - begun < timedelta(seconds=20)
    assert checked(partner).rows == ROWS + 10_000 and checked(partner).fault == ""


def test_the_command_says_what_holds_and_where_it_breaks(
    partner: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli.main(["verify-audit"]) == 0
    said = capsys.readouterr().out
    assert f"FIRST001: {ROWS} rows hold" in said and "Without a partner" in said
    tamper(f"UPDATE audit_event SET description = 'x' WHERE partner_id = {partner} AND number = 5")
    assert cli.main(["verify-audit"]) == 1
    assert "FIRST001: BROKEN: row 5 was changed" in capsys.readouterr().out
    assert cli.main(["verify-audit", "--partner", "other001"]) == 0
    assert "FIRST001" not in capsys.readouterr().out
    assert cli.main(["verify-audit", "--partner", "NOBODY"]) == 1


def test_the_end_is_kept_with_each_row(partner: int) -> None:
    db.write(record, system(partner), Activity.API, "one more")
    end = db.read(lambda session: session.get(AuditChain, partner))
    last = rows(partner)[-1]
    assert (end.number, end.hash) == (last.number, last.hash)
