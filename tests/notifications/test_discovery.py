"""Who is told of new entities, and what they mean for the seats that are billed."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlmodel import Session

from portal_app import db
from portal_app.models import Account, Standing
from portal_app.notifications import discovery, failures
from tests.billing.factories import subscription
from tests.cast import Cast
from tests.notifications.news import at, entity, letters, look, mails, recipient, task_of

pytestmark = pytest.mark.usefixtures("database")
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _noon(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, NOW)
    db.write(recipient, cast.partner_a, "discovery")


def found(account: Account, *names: str, **given: Any) -> None:
    """The account's task was listed first long ago, and now these are found."""

    def happen(session: Session) -> None:
        entity(session, account, "first", found_at=NOW - 9 * failures.NEWS, told=True)
        for name in names:
            entity(session, account, name, **{"found_at": NOW} | given)

    db.write(happen)


def test_what_was_added_is_named_with_the_seats_and_the_cap(cast: Cast) -> None:
    birch = cast.accounts_a[1]

    def seats(session: Session) -> None:
        task_of(session, birch).billed_entities = 12
        subscription(session, birch, seat_cap=10)

    db.write(seats)
    found(birch, "anna@x.example", "bert@x.example")
    look()
    (mail,), (letter,) = mails(), letters()
    assert (mail.recipient, mail.subject) == ("ann@readers.example", "2 new entities added to backups")
    ((name, address, remark),) = letter.items
    assert name == "Alpha Birch: Files of Alpha Birch"
    assert address.endswith(f"/accounts/{birch.id}/tasks/{db.read(task_of, birch).id}")
    assert remark == (
        "2 added: anna@x.example, bert@x.example. The account has 12 billed seats, 2 above its cap of 10."
    )
    assert letter.paragraphs[0] == "Hello Ann,"


def test_what_waits_asks_for_a_decision(cast: Cast) -> None:
    found(cast.accounts_a[0], *(f"m{n}@x.example" for n in range(7)), standing=Standing.WAITING)
    look()
    (letter,) = letters()
    assert letter.subject == "7 new entities wait for your decision"
    assert "decide about those that wait" in letter.paragraphs[1]
    assert "m4@x.example and 2 more." in letter.items[0][2]
    assert "Each that you add is one more." in letter.items[0][2]


@pytest.mark.parametrize("standing", [Standing.IGNORED, Standing.ARCHIVED, Standing.INACTIVE])
def test_what_is_not_backed_up_is_no_news(cast: Cast, standing: Standing) -> None:
    found(cast.accounts_a[0], "anna@x.example", standing=standing)
    look()
    assert mails() == []


def test_what_the_first_listing_holds_is_no_discovery(cast: Cast) -> None:
    def happen(session: Session) -> None:
        for name in ("anna@x.example", "bert@x.example"):
            entity(session, cast.accounts_a[0], name, found_at=NOW)

    db.write(happen)
    look()
    assert mails() == []


def test_what_was_found_long_ago_is_no_news(cast: Cast) -> None:
    found(cast.accounts_a[0], "anna@x.example", found_at=NOW - failures.NEWS)
    look()
    assert mails() == []


def test_each_partner_hears_of_its_own_and_once(cast: Cast) -> None:
    db.write(recipient, cast.partner_b, "discovery", email="ben@readers.example")
    found(cast.accounts_a[0], "anna@x.example")
    found(cast.accounts_b[0], "otto@y.example")
    look()
    look()
    told = {mail.recipient: letter.items[0][2] for mail, letter in zip(mails(), letters(), strict=True)}
    assert told.keys() == {"ann@readers.example", "ben@readers.example"}
    assert "otto" not in told["ann@readers.example"]


def test_who_dies_before_the_commit_loses_nothing(cast: Cast) -> None:
    found(cast.accounts_a[0], "anna@x.example")

    def die(session: Session) -> None:
        assert discovery.tell(session) == 1
        raise RuntimeError

    with pytest.raises(RuntimeError):
        db.write(die)
    look()
    assert len(mails()) == 1
