"""Price books: who may keep them, which holds when, and what is refused."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlmodel import Session, select

from portal_app import clock, db
from portal_app.auth.actor import Actor
from portal_app.billing import book_text, books
from portal_app.billing.book_rows import BookForm, PriceText
from portal_app.billing.pricing import Tier
from portal_app.errors import Conflict, Denied, Invalid, NotFound
from portal_app.models import AuditEvent, PriceBook, PriceTier
from tests.cast import Cast

FORM = BookForm(
    name="Summer",
    currency="USD",
    valid_from="2026-01-01",
    minimum="5",
    discount="12.5",
    tax="19",
    prices={"exchange": PriceText("unit", "2.50; 100: 2.20"), "s3": PriceText("gb", "0.12"), "imap": PriceText()},
)


@pytest.fixture
def olga(cast: Cast) -> Actor:
    return cast.actor("olga")


def refused(olga: Actor, **changes) -> dict[str, str]:
    with pytest.raises(Invalid) as refusal:
        db.write(books.add, olga, replace(FORM, **changes))
    assert db.read(lambda s: s.exec(select(PriceBook)).all()) == []
    return refusal.value.fields


@pytest.mark.parametrize("name", ["alice", "bob", "carol", "nina", "dave", "mallory"])
def test_only_the_provider_reads_and_keeps_prices(cast: Cast, olga: Actor, name: str) -> None:
    made = db.write(books.add, olga, FORM)
    for do, *args in (
        (books.listed,),
        (books.add, FORM),
        (books.form_of, made),
        (books.csv_of, made),
        (books.remove, made),
    ):
        with pytest.raises(Denied):
            db.write(do, cast.actor(name), *args)


def test_a_book_is_read_as_it_was_typed(cast: Cast, olga: Actor) -> None:
    made = db.write(books.add, olga, FORM)
    book = db.read(books.book_of, cast.partner_a, date(2026, 1, 1))
    assert (book.id, book.monthly_minimum_minor, book.annual_discount_bp, book.tax_bp) == (made, 500, 1250, 1900)
    assert book.prices["exchange"].tiers == (Tier(0, 250), Tier(100, 220))
    assert set(book.prices) == {"exchange", "s3"}
    shown = db.read(books.form_of, olga, made)
    assert shown == replace(FORM, minimum="5.00", prices={k: v for k, v in FORM.prices.items() if v.tiers})


def test_the_newest_that_has_begun_holds_and_the_partners_own_before_it(cast: Cast, olga: Actor) -> None:
    first = db.write(books.add, olga, FORM)
    second = db.write(books.add, olga, replace(FORM, valid_from="2026-03-01"))
    own = db.write(books.add, olga, replace(FORM, valid_from="2026-02-01", partner="alpha001"))

    def held(partner, day: date) -> int:
        return db.read(books.book_of, partner, day).id

    assert [held(cast.partner_b, date(2026, month, 1)) for month in (1, 2, 3)] == [first, first, second]
    assert [held(cast.partner_a, date(2026, month, 1)) for month in (1, 2, 3)] == [first, own, own]
    with pytest.raises(NotFound):
        held(cast.partner_a, date(2025, 12, 31))
    rows = db.read(books.listed, olga)
    assert [(row.id, row.partner, row.holds) for row in rows] == [
        (second, "", True),
        (first, "", False),
        (own, "ALPHA001", True),
    ]


def test_two_books_of_one_day_are_refused(cast: Cast, olga: Actor) -> None:
    db.write(books.add, olga, FORM)
    with pytest.raises(Conflict):
        db.write(books.add, olga, FORM)
    db.write(books.add, olga, replace(FORM, currency="JPY", minimum="0", prices={"exchange": PriceText("unit", "300")}))


def test_what_holds_for_everybody_stays_and_own_prices_can_end(cast: Cast, olga: Actor) -> None:
    held = db.write(books.add, olga, FORM)
    coming = db.write(books.add, olga, replace(FORM, valid_from=str(clock.today() + timedelta(days=2))))
    own = db.write(books.add, olga, replace(FORM, partner="ALPHA001"))
    with pytest.raises(Conflict):
        db.write(books.remove, olga, held)
    db.write(books.remove, olga, coming)
    db.write(books.remove, olga, own)
    assert [row.id for row in db.read(books.listed, olga)] == [held]
    assert db.read(lambda s: len(s.exec(select(PriceTier)).all())) == 3
    with pytest.raises(NotFound):
        db.write(books.remove, olga, own)


def test_a_partners_prices_are_in_both_audits(cast: Cast, olga: Actor) -> None:
    db.write(books.add, olga, replace(FORM, partner="ALPHA001"))

    def rows(session: Session) -> set[tuple[int | None, str]]:
        return {(one.partner_id, one.performed_by) for one in session.exec(select(AuditEvent)).all()}

    assert db.read(rows) == {(None, olga.email), (cast.partner_a.id, olga.email)}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", " "),
        ("name", "x" * 121),
        ("currency", "XXX"),
        ("currency", "EUR; DROP"),
        ("partner", "NOBODY1"),
        ("valid_from", "soon"),
        ("valid_from", "1999-12-31"),
        ("minimum", "-1"),
        ("minimum", "1.234"),
        ("discount", "101"),
        ("discount", "1e1"),
        ("tax", "19.555"),
    ],
)
def test_a_faulty_field_is_named_and_nothing_is_saved(cast: Cast, olga: Actor, field: str, value: str) -> None:
    assert list(refused(olga, **{field: value})) == [field]


@pytest.mark.parametrize(
    "tiers",
    ["x", "-1", "2.505", "100: 2", "2; 100: 1; 100: 1", "2; 100: 1; 50: 1", "2; 3", "1e3", "1;" * 30],
)
def test_a_faulty_price_is_named_by_its_service(cast: Cast, olga: Actor, tiers: str) -> None:
    assert list(refused(olga, prices={"exchange": PriceText("unit", tiers)})) == ["exchange"]


def test_no_price_unknown_service_unknown_basis_other_currency(cast: Cast, olga: Actor) -> None:
    assert refused(olga, prices={}) == {}
    assert list(refused(olga, prices={"fax": PriceText("unit", "1")})) == ["fax"]
    assert list(refused(olga, prices={"imap": PriceText("month", "1")})) == ["imap"]
    assert list(refused(olga, partner="ALPHA001", currency="EUR")) == ["currency"]


def test_a_csv_says_what_was_written(cast: Cast, olga: Actor) -> None:
    made = db.write(books.add, olga, FORM)
    written = db.read(books.csv_of, olga, made).decode()
    assert book_text.from_csv(written, "USD") == db.read(books.form_of, olga, made).prices
    assert book_text.from_csv(written.replace(",", ";"), "USD") == book_text.from_csv(written, "USD")


HEAD = "Service,Price for,Above,Price\r\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "first row"),
        ("Service,Price\r\nIMAP,1", "first row"),
        (HEAD, "holds no price"),
        (HEAD + "Fax,unit,0,1", "Row 2: There is no service"),
        (HEAD + "IMAP,month,0,1", "Row 2: Price for"),
        (HEAD + "IMAP,unit,-1,1", "Row 2: Above"),
        (HEAD + "IMAP,unit,0,1.005", "Row 2: USD has 2 digits"),
        (HEAD + "IMAP,unit,0,1\r\nIMAP,GB,5,1", "Row 3: All rows"),
        (HEAD + "IMAP,unit,5,1", "IMAP: Begin"),
        (HEAD + "IMAP,unit,0,1\r\nIMAP,unit,0,2", "IMAP: Let the numbers"),
        (HEAD + 'IMAP,"unit,0,1', "quotation mark"),
        (HEAD + "Fax,unit,0,1\r\n" * 9, "And 4 more"),
        ("x" * 100_001, "too long"),
    ],
)
def test_a_faulty_csv_names_its_rows(text: str, words: str) -> None:
    with pytest.raises(Invalid) as refusal:
        book_text.from_csv(text, "USD")
    assert words in refusal.value.fields["csv"]
