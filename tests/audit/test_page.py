"""Filters, order, pages and words of the audit."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event
from sqlmodel import Session

from portal_app import clock, db
from portal_app.accounts import service as accounts
from portal_app.audit import reading
from portal_app.audit.query import AuditQuery, Mark
from portal_app.audit.reading import MOST_NAMED
from portal_app.audit.repository import COUNT_CAP
from portal_app.audit.service import record
from portal_app.audit.tags import Activity
from portal_app.auth.actor import Actor
from tests import factories
from tests.audit.conftest import deed, make_rows
from tests.cast import Cast


def page(actor: Actor, **asked: Any) -> reading.AuditPage:
    return db.read(reading.page, actor, AuditQuery.from_address(asked))


def openable(found: reading.AuditPage) -> set[int | None]:
    return {row.account_id for row in found.rows if row.openable}


def told(actor: Actor, **asked: Any) -> list[str]:
    return [row.description for row in page(actor, **asked).rows]


def test_filters_alone_and_together(cast: Cast) -> None:
    alice = cast.actor("alice")
    db.write(make_rows, cast.partner_a.id, 30)
    assert page(alice).matching == 30
    assert page(alice, activity="Sign-in").matching == 15
    assert page(alice, status="failed").matching == 6
    assert page(alice, status="completed").matching == 24
    assert page(alice, user="person1@people.example").matching == 10
    assert page(alice, user="PERSON").matching == 30
    both = page(alice, activity="Sign-in", status="failed", user="person2")
    assert [row.description for row in both.rows] == ["What was done, 5"]


def test_days_are_the_partners_own_and_inclusive(cast: Cast) -> None:
    moments = [datetime(2026, 3, 10, hour, minute, tzinfo=UTC) for hour, minute in ((22, 59), (23, 0), (23, 30))]

    def fill(session: Session) -> None:
        for at in moments:
            make_rows(session, cast.partner_a.id, 1)
            session.info["audit_waiting"][-1] |= {"made_at": at, "description": f"{at:%H:%M}"}

    db.write(fill)
    paris = Actor(**{**_values(cast.actor("alice")), "time_zone": "Europe/Paris"})
    assert told(paris, **{"from": "2026-03-11"}) == ["23:30", "23:00"]
    assert told(paris, to="2026-03-10") == ["22:59"]
    assert told(paris, **{"from": "2026-03-10", "to": "2026-03-10"}) == ["22:59"]
    assert told(cast.actor("alice"), to="2026-03-10") == ["23:30", "23:00", "22:59"]


def _values(actor: Actor) -> dict[str, Any]:
    return {name: getattr(actor, name) for name in actor.__dataclass_fields__}


def test_pages_are_walked_without_gap_and_back(cast: Cast) -> None:
    alice = cast.actor("alice")
    db.write(make_rows, cast.partner_a.id, 60)
    first = page(alice)
    second = page(alice, before=str(first.rows[-1].mark))
    third = page(alice, before=str(second.rows[-1].mark))
    numbers = [row.number for one in (first, second, third) for row in one.rows]
    assert numbers == list(range(60, 0, -1))
    assert [(one.newer, one.older) for one in (first, second, third)] == [(False, True), (True, True), (True, False)]
    back = page(alice, after=str(third.rows[0].mark))
    assert (back.rows, back.newer, back.older) == (second.rows, True, True)
    newest = page(alice, after=str(second.rows[0].mark))
    assert (newest.rows, newest.newer, newest.older) == (first.rows, False, True)
    # Fewer than a page are newer: the newest page is a full one all the same.
    assert page(alice, after=str(first.rows[3].mark)).rows == first.rows


def test_rows_of_one_instant_are_not_lost_between_pages(cast: Cast) -> None:
    alice = cast.actor("alice")

    def fill(session: Session) -> None:
        make_rows(session, cast.partner_a.id, 30)
        for row in session.info["audit_waiting"]:
            row["made_at"] = datetime(2026, 3, 10, tzinfo=UTC)

    db.write(fill)
    first = page(alice)
    rest = page(alice, before=str(first.rows[-1].mark))
    assert [row.number for row in (*first.rows, *rest.rows)] == list(range(30, 0, -1))


def test_the_count_stops_at_the_cap_unless_all_are_asked_for(cast: Cast) -> None:
    alice = cast.actor("alice")
    db.write(make_rows, cast.partner_a.id, COUNT_CAP + 2)
    assert (page(alice).matching, page(alice).more) == (COUNT_CAP + 2, False)
    asked = page(alice, user="person")
    assert (asked.matching, asked.more) == (COUNT_CAP, True)


def test_accounts_are_found_by_name_and_email_the_deleted_ones_too(cast: Cast) -> None:
    alice, trial = cast.actor("alice"), cast.accounts_a[0]
    for account in cast.accounts_a[:2]:
        db.write(deed, alice, account=(account.id, account.name))
    assert [row.account_name for row in page(alice, account="ash").rows] == ["Alpha Ash"]
    assert [row.account_name for row in page(alice, account="oak@customers").rows] == []
    assert [row.account_name for row in page(alice, account="alpha.birch@customers.example").rows] == ["Alpha Birch"]
    assert openable(page(alice)) == {trial.id, cast.accounts_a[1].id}
    db.write(accounts.delete_trial, alice, trial.id, trial.name)
    gone = page(alice, account="Ash")
    assert [row.activity for row in gone.rows] == ["Trial canceled", "Account accessed"]
    assert openable(gone) == set()


def test_words_are_taken_as_they_are(cast: Cast) -> None:
    alice = cast.actor("alice")

    def fill(session: Session) -> None:
        for name in ("10% off", "10 off", "a_b", "aXb"):
            account = factories.account(session, cast.partner_a, name=name)
            deed(session, alice, account=(account.id, name))

    db.write(fill)
    found = {words: [row.account_name for row in page(alice, account=words).rows] for words in ("0%", "_", "%", "10%")}
    assert found == {"0%": ["10% off"], "_": ["a_b"], "%": ["10% off"], "10%": ["10% off"]}


def test_an_account_that_is_just_the_words_is_found_among_any_number(cast: Cast) -> None:
    alice = cast.actor("alice")

    def fill(session: Session) -> None:
        for number in range(MOST_NAMED + 1):
            factories.account(session, cast.partner_a, name=f"A{number} Zeta")
        account = factories.account(session, cast.partner_a, name="Zeta")
        deed(session, alice, account=(account.id, "Zeta"))

    db.write(fill)
    assert "Type more" in page(alice, account="zet").note
    assert [row.account_name for row in page(alice, account="zeta").rows] == ["Zeta"]


@pytest.mark.parametrize(
    ("asked", "statements"),
    [({}, 1), ({"status": "failed", "from": "2026-01-01"}, 1), ({"account": "Alpha Ash", "user": "Nobody"}, 5)],
)
def test_a_page_takes_few_statements(cast: Cast, asked: dict[str, str], statements: int) -> None:
    alice, seen = cast.actor("alice"), []
    db.write(deed, alice, account=(cast.accounts_a[0].id, "Alpha Ash"))
    event.listen(db.engine(), "before_cursor_execute", lambda *given: seen.append(given[2]))
    page(alice, **asked)
    assert len(seen) == statements, seen


def test_who_may_not_open_accounts_gets_no_link(cast: Cast) -> None:
    alice = cast.actor("alice")
    db.write(deed, alice, account=(cast.accounts_a[0].id, "Alpha Ash"))
    reader = Actor(**{**_values(alice), "permissions": frozenset({reading.Permission.AUDIT_VIEW})})
    assert openable(page(reader)) == set()


def test_words_that_stand_for_too_many_people_say_so(cast: Cast) -> None:
    def fill(session: Session) -> None:
        make_rows(session, cast.partner_a.id, MOST_NAMED + 1)
        for number, row in enumerate(session.info["audit_waiting"]):
            row["performed_by"] = f"person{number}@people.example"

    db.write(fill)
    found = page(cast.actor("alice"), user="person")
    assert found.rows == [] and "Type more" in found.note
    assert len(page(cast.actor("alice"), user="person1@").rows) == 1


@pytest.mark.parametrize(
    "junk",
    [
        {"from": "2026-02-30", "to": "9999-12-31", "size": "1000"},
        {"activity": "x' OR 1=1", "status": "odd", "before": "1", "after": "-"},
        {"before": "9" * 17 + "-1", "account": "%", "user": "_"},
        {"before": "٣-٣", "from": ["2026-01-01"]},
    ],
)
def test_an_address_of_nonsense_is_an_empty_question(cast: Cast, junk: dict[str, Any]) -> None:
    query = AuditQuery.from_address(junk)
    assert (query.since, query.until, query.activity, query.status, query.size) == ("", "", "", "", 25)
    assert page(cast.actor("alice"), **junk).rows == []


def test_an_address_holds_the_whole_question() -> None:
    asked = {"from": "2026-01-01", "to": "2026-01-31", "activity": "Sign-in", "status": "failed", "account": "Ö & Co"}
    query = AuditQuery.from_address(asked | {"user": "a@b.example", "size": "50"})
    mark = Mark(datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC), 7)
    assert Mark.of(str(mark)) == mark
    assert query.address(before=mark) == (
        "/security-audit?from=2026-01-01&to=2026-01-31&activity=Sign-in&status=failed&account=%C3%96+%26+Co"
        f"&user=a%40b.example&size=50&before={mark}"
    )


def test_a_sign_in_says_from_where_it_came(cast: Cast) -> None:
    db.write(record, cast.actor("alice"), Activity.SIGN_IN, "Signed in")
    (row,) = page(cast.actor("alice")).rows
    assert row.told == "Signed in · Test browser · 192.0.2.7"
    assert clock.now() - row.made_at < timedelta(minutes=1)


def test_beyond_the_last_row_the_count_stays(cast: Cast) -> None:
    alice = cast.actor("alice")
    db.write(make_rows, cast.partner_a.id, 3)
    end = str(page(alice).rows[-1].mark)
    assert (page(alice, before=end).rows, page(alice, before=end).matching) == ([], 3)
    assert page(alice, before=end, activity="Sign-in").matching == 1


@pytest.mark.usefixtures("store")
def test_every_question_is_one_that_each_database_understands() -> None:
    with db.writing() as session:
        partner = factories.partner(session)
        account = factories.account(session, partner, name="Alpha_1")
        alice = factories.actor(factories.user(session, partner))
        make_rows(session, partner.id, 30)
        deed(session, alice, account=(account.id, account.name))
    asked = {
        "from": "2020-01-01",
        "to": "2050-01-01",
        "activity": Activity.ACCOUNT_ACCESSED,
        "status": "completed",
        "account": "pha_",
        "user": alice.email[1:],
    }
    (row,) = page(alice, **asked).rows
    assert (row.account_name, row.openable) == ("Alpha_1", True)
    chosen = Actor(**{**_values(alice), "all_accounts": False})
    assert page(chosen, **asked).rows == []
    assert page(chosen).matching == 30
    older = page(alice, before=str(row.mark))
    assert page(alice, after=str(older.rows[-1].mark)).rows[0] == row
