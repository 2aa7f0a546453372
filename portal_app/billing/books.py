"""Price books: which one holds on a day for a partner, and how operators keep them (spec 5.1)."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import func, or_
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from portal_app import clock
from portal_app.audit.tags import Activity
from portal_app.auth.actor import Actor
from portal_app.billing import book_text
from portal_app.billing.book_rows import BookForm, BookRow, NewPrice, PriceText
from portal_app.billing.operators import note
from portal_app.billing.pricing import Book, ServicePrice, Tier
from portal_app.errors import Conflict, Invalid, NotFound
from portal_app.models import Partner, Price, PriceBook, PriceTier
from portal_app.money import currencies, plain_text
from portal_app.text import clean, name_fault

EARLIEST, LATEST = date(2000, 1, 1), date(2100, 1, 1)
NO_SUCH_BOOK = "There is no such price book."


class Shelf:
    """The books in a partner's currency that may hold for it. Each is read once, for whoever asks for many days."""

    def __init__(self, session: Session, partner: Partner) -> None:
        whose = or_(col(PriceBook.partner_id) == partner.id, col(PriceBook.partner_id).is_(None))
        found = select(PriceBook).where(whose, col(PriceBook.currency) == partner.currency)
        order = (col(PriceBook.partner_id).is_(None), col(PriceBook.valid_from).desc())
        self._session, self._currency = session, partner.currency
        self._books = session.exec(found.order_by(*order)).all()
        self._read: dict[int | None, Book] = {}

    @property
    def made_of(self) -> tuple[tuple[int | None, datetime], ...]:
        """Which books these are: a book never changes, but the number of a deleted one may be given out again."""
        return tuple((book.id, book.created_at) for book in self._books)

    def holding(self, on: date) -> PriceBook | None:
        """The partner's own before everybody's, and the newest of those that have begun."""
        return next((book for book in self._books if book.valid_from <= on), None)

    def on(self, day: date) -> Book:
        """The prices that hold on the day. NotFound when there are none."""
        found = self.holding(day)
        if found is None:
            raise NotFound(f"There are no prices in {self._currency} that hold on {day}.")
        if found.id not in self._read:
            self._read[found.id] = _read(self._session, found)
        return self._read[found.id]


def book_of(session: Session, partner: Partner, on: date) -> Book:
    """The prices that hold for the partner on the day. NotFound when there are none."""
    return Shelf(session, partner).on(on)


def listed(session: Session, actor: Actor) -> list[BookRow]:
    """All books: everybody's by currency, then partners' own; the newest first. Raises Denied."""
    actor.require_provider()
    today = clock.today()
    services = select(func.count()).where(col(Price.book_id) == col(PriceBook.id)).scalar_subquery()
    found = session.execute(
        select(PriceBook, Partner.code, services)
        .outerjoin(Partner, col(Partner.id) == col(PriceBook.partner_id))
        .order_by(col(Partner.code).nulls_first(), col(PriceBook.currency), col(PriceBook.valid_from).desc())
    ).all()
    rows, holding = [], set[tuple[str | None, str]]()
    for book, code, priced in found:
        whose = (code, book.currency)
        holds = book.valid_from <= today and whose not in holding
        holding |= {whose} if holds else set()
        rows.append(
            BookRow(book.id or 0, book.name, book.currency, code or "", book.valid_from, priced, book.tax_bp, holds)
        )
    return rows


def form_of(session: Session, actor: Actor, book_id: int) -> BookForm:
    """A book as one would type it. Raises Denied, NotFound."""
    actor.require_provider()
    book, partner = _found(session, book_id)
    return BookForm(
        name=book.name,
        currency=book.currency,
        partner=partner.code if partner else "",
        valid_from=book.valid_from.isoformat(),
        minimum=plain_text(book.monthly_minimum_minor, book.currency),
        discount=book_text.percent_text(book.annual_discount_bp),
        tax=book_text.percent_text(book.tax_bp),
        prices={
            one.service: PriceText(one.basis, book_text.tiers_text(one.tiers, book.currency))
            for one in _read(session, book).prices.values()
        },
    )


def csv_of(session: Session, actor: Actor, book_id: int) -> bytes:
    """The book's prices as the CSV that can be read in again. Raises Denied, NotFound."""
    actor.require_provider()
    book = _read(session, _found(session, book_id)[0])
    prices = (NewPrice(one.service, one.basis, tuple(one.tiers)) for one in book.prices.values())
    return book_text.to_csv(prices, book.currency)


def add(session: Session, actor: Actor, form: BookForm) -> int:
    """Save a new book whole, or not at all; its id. Raises Denied, Conflict, Invalid by the form's fields.

    A faulty price is named by its service's key.
    """
    actor.require_provider()
    partner = _partner(session, form)
    book, prices = _checked(form, partner)
    session.add(book)
    try:
        session.flush()
    except IntegrityError:
        raise Conflict("A price book begins on that day already. Choose another day, or delete that one.") from None
    _add_prices(session, book, prices)
    whose = f"for {partner.code}" if partner else f"in {book.currency}"
    note(session, actor, book.partner_id, Activity.SETTINGS_CHANGED, f"Prices {whose} from {book.valid_from} added")
    return book.id or 0


def remove(session: Session, actor: Actor, book_id: int) -> None:
    """Delete a book that does not hold yet, or a partner's own: everybody's prices hold for it again.

    Bills keep the prices they were made with. Raises Denied, NotFound, Conflict.
    """
    actor.require_provider()
    book, partner = _found(session, book_id)
    if partner is None and book.valid_from <= clock.today():
        raise Conflict("These prices hold already. Add new ones that begin on a later day instead.")
    whose = f"for {partner.code}" if partner else f"in {book.currency}"
    note(session, actor, book.partner_id, Activity.SETTINGS_CHANGED, f"Prices {whose} from {book.valid_from} deleted")
    session.delete(book)


def _read(session: Session, book: PriceBook) -> Book:
    tiers = session.execute(
        select(Price.service, Price.basis, PriceTier.above, PriceTier.unit_minor)
        .join(PriceTier, col(PriceTier.price_id) == col(Price.id))
        .where(col(Price.book_id) == book.id)
        .order_by(col(Price.id), col(PriceTier.above))
    ).all()
    found: dict[str, tuple[str, list[Tier]]] = {}
    for service, basis, above, unit_minor in tiers:
        found.setdefault(service, (basis, []))[1].append(Tier(above, unit_minor))
    return Book(
        id=book.id or 0,
        currency=book.currency,
        valid_from=book.valid_from,
        monthly_minimum_minor=book.monthly_minimum_minor,
        annual_discount_bp=book.annual_discount_bp,
        tax_bp=book.tax_bp,
        prices={service: ServicePrice(service, basis, tuple(one)) for service, (basis, one) in found.items()},
    )


def _found(session: Session, book_id: int) -> tuple[PriceBook, Partner | None]:
    book = session.get(PriceBook, book_id)
    if book is None:
        raise NotFound(NO_SUCH_BOOK)
    return book, session.get(Partner, book.partner_id) if book.partner_id else None


def _partner(session: Session, form: BookForm) -> Partner | None:
    code = clean(form.partner).upper()
    found = session.exec(select(Partner).where(Partner.code == code)).first() if code else None
    if code and found is None:
        raise Invalid(partner="There is no such partner.")
    return found


def _checked(form: BookForm, partner: Partner | None) -> tuple[PriceBook, list[NewPrice]]:
    faults: dict[str, str] = {}

    def take(field: str, read, *args):
        try:
            return read(*args)
        except Invalid as fault:
            faults[field] = fault.sentence
            return None

    name = clean(form.name)
    currency = take("currency", _currency, form.currency, partner) or "EUR"
    valid_from = take("valid_from", _day, form.valid_from)
    minimum = take("minimum", book_text.price_of, form.minimum, currency)
    discount, tax = (take(field, book_text.basis_points, getattr(form, field)) for field in ("discount", "tax"))
    found = [take(service, book_text.price, service, given, currency) for service, given in form.prices.items()]
    prices = [one for one in found if one is not None]
    if fault := name_fault(name, "a name"):
        faults["name"] = fault
    if not prices and not faults:
        raise Invalid("Give at least one price.")
    if faults:
        raise Invalid(**faults)
    book = PriceBook(
        currency=currency,
        partner_id=partner.id if partner else None,
        name=name,
        valid_from=valid_from,
        monthly_minimum_minor=minimum,
        annual_discount_bp=discount,
        tax_bp=tax,
        created_at=clock.now(),
    )
    return book, prices


def _currency(text: str, partner: Partner | None) -> str:
    code = clean(text).upper()
    if code not in currencies():
        raise Invalid("Give the code of a currency in use, such as EUR or USD.")
    if partner and partner.currency != code:
        raise Invalid(f"{partner.code} is billed in {partner.currency}.")
    return code


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(clean(text))
    except ValueError:
        day = date.min
    if not EARLIEST <= day < LATEST:
        raise Invalid("Give the day from which the prices hold.")
    return day


def _add_prices(session: Session, book: PriceBook, prices: Sequence[NewPrice]) -> None:
    rows = [Price(book_id=book.id or 0, service=one.service, basis=one.basis) for one in prices]
    session.add_all(rows)
    session.flush()
    session.add_all(
        PriceTier(price_id=row.id or 0, above=tier.above, unit_minor=tier.unit_minor)
        for row, one in zip(rows, prices, strict=True)
        for tier in one.tiers
    )
    session.flush()
