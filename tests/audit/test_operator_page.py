"""Operators read the provider's own audit, and that of a partner; nobody else does."""

import csv
import io
from typing import Any

import pytest

from portal_app import db
from portal_app.audit import reading
from portal_app.audit.query import OPERATOR_PATH, AuditQuery
from portal_app.audit.service import record
from portal_app.audit.tags import Activity
from portal_app.errors import Denied, NotFound
from tests.audit.conftest import Send, make_rows
from tests.cast import Cast, cookie_of, make_cast
from tests.security.pipeline import Pipeline, name_of, play


@pytest.fixture
def office(store: dict[str, str]) -> Cast:
    """The cast on each database, with rows in three chains."""
    cast = db.write(make_cast)
    for number, partner_id in ((40, None), (30, cast.partner_a.id), (20, cast.partner_b.id)):
        db.write(make_rows, partner_id, number)
    return cast


def asked(**values: str) -> AuditQuery:
    return AuditQuery.from_address(values, OPERATOR_PATH)


def found(cast: Cast, **values: str) -> Any:
    return db.read(reading.page, cast.actor("olga"), asked(**values))


def test_the_providers_own_and_each_partners(office: Cast) -> None:
    assert (found(office).matching, len(found(office).rows)) == (40, 25)
    assert found(office, partner="alpha001").matching == 30
    assert found(office, partner="BETA0001").matching == 20
    with pytest.raises(NotFound):
        found(office, partner="NOBODY")


def test_the_filters_work_in_the_providers_own(office: Cast) -> None:
    about = {"account": (7, "Alpha Ash")}
    db.write(record, office.actor("olga"), Activity.PERMISSIONS_CHANGED, "Access taken away", **about)
    for values in ({"account": "ash"}, {"user": "olga"}, {"activity": "Permissions changed"}):
        assert [row.description for row in found(office, **values).rows] == ["Access taken away"], values
    assert found(office, account="nothing like it").rows == []
    assert 0 < found(office, user="person2").matching < 40
    assert 0 < found(office, status="failed").matching < 40
    older = found(office, before=str(found(office).rows[-1].mark))
    assert len(older.rows) == 16
    assert office.olga.email in db.read(reading.people, office.actor("olga"))


@pytest.mark.parametrize("who", ["alice", "mallory"])
def test_a_partner_gets_its_own_whatever_it_asks_for(office: Cast, who: str) -> None:
    number = {"alice": 30, "mallory": 20}[who]
    for values in ({}, {"partner": "ALPHA001"}, {"partner": "BETA0001"}):
        assert db.read(reading.page, office.actor(who), asked(**values)).matching == number


@pytest.mark.parametrize("who", ["bob", "carol", "nina", "dave"])
def test_nobody_else_reads(cast: Cast, who: str) -> None:
    with pytest.raises(Denied):
        db.read(reading.page, cast.actor(who), asked())


def test_the_export_is_recorded_on_both_sides(cast: Cast, send: Send) -> None:
    db.write(make_rows, cast.partner_a.id, 3)
    headers = {"Cookie": cookie_of(cast.olga), "Sec-Fetch-Site": "same-origin"}
    answer = send("GET", "/operator/audit/export.csv?partner=ALPHA001", headers=headers)
    lines = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    assert len(lines) == 3
    words = "Security audit as CSV (partner ALPHA001)"
    assert found(cast).rows[0].description == words
    assert found(cast, partner="ALPHA001").rows[0].description == words
    own = send("GET", "/operator/audit/export.csv", headers=headers)
    assert words in own.text
    for nobody in ("NOBODY", "ALPHA%00002"):
        unknown = send("GET", f"/operator/audit/export.csv?partner={nobody}", headers=headers)
        assert (unknown.status_code, unknown.headers["location"]) == (303, "/operator/audit")
    odd = send("GET", "/operator/audit/export.csv?partner=ALPHA001&account=%00&user=a%00b&from=%00", headers=headers)
    assert odd.status_code == 200


@pytest.mark.parametrize("who", ["alice", "dave", "sam", "nobody"])
def test_the_export_is_for_operators(cast: Cast, send: Send, who: str) -> None:
    headers = {"Sec-Fetch-Site": "same-origin"} | ({"Cookie": cookie_of(cast.people[who])} if who != "nobody" else {})
    assert send("GET", "/operator/audit/export.csv?partner=ALPHA001", headers=headers).status_code == 303


def test_the_page_says_that_there_is_no_such_partner(cast: Cast) -> None:
    async def scene(made: Pipeline) -> Any:
        tab = made.tab(cookie_of(cast.olga), path="/operator/audit?partner=NOBODY")
        return await tab.send(name_of("operator_audit_state.load"))

    assert play(scene).var("note") == "There is no partner NOBODY."
