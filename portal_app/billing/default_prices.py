"""The price books that a new deployment begins with; an operator's own books take their place from their day on."""

from datetime import date

from sqlalchemy import text
from sqlmodel import Session, select

from portal_app import clock
from portal_app.backups.rows import Service
from portal_app.models import Basis, Price, PriceBook, PriceTier

# Long before any subscription: there is always a price.
SINCE = date(2000, 1, 1)
NAME = "Standard prices"
# Currency: tax in basis points. The amounts are the same in each: all of them have cents.
CURRENCIES = {"EUR": 2000, "GBP": 2000, "USD": 0}
MINIMUM_MINOR = 500
ANNUAL_DISCOUNT_BP = 1000
# (above, minor units a month)
_SEATS = ((0, 250), (50, 220), (250, 190))
_SITES = ((0, 400), (25, 350))
_STORE = ((0, 12), (1000, 9))
PRICES: dict[Service, tuple[Basis, tuple[tuple[int, int], ...]]] = {
    Service.EXCHANGE: (Basis.UNIT, _SEATS),
    Service.GROUPS: (Basis.UNIT, _SITES),
    Service.SHAREPOINT: (Basis.UNIT, _SITES),
    Service.ONEDRIVE: (Basis.UNIT, _SEATS),
    Service.ONENOTE: (Basis.UNIT, ((0, 100),)),
    Service.GOOGLE_MAIL: (Basis.UNIT, _SEATS),
    Service.GOOGLE_DRIVE: (Basis.UNIT, _SEATS),
    Service.GOOGLE_SHARED_DRIVES: (Basis.UNIT, _SITES),
    Service.SALESFORCE: (Basis.UNIT, ((0, 350), (100, 300))),
    Service.BOX: (Basis.UNIT, _SEATS),
    Service.DROPBOX: (Basis.UNIT, _SEATS),
    Service.IMAP: (Basis.UNIT, ((0, 150), (50, 120))),
    Service.S3: (Basis.GB, _STORE),
    Service.GENERIC: (Basis.GB, _STORE),
}


def ensure_price_books(session: Session) -> None:
    """Fill the list while it is empty. A list that has rows is the operator's own and stays as it is."""
    if _has_any(session):
        return
    if session.get_bind().dialect.name == "postgresql":
        # Of two processes that start at once, the second waits here and then finds the list full.
        session.execute(text("LOCK TABLE price_book IN SHARE ROW EXCLUSIVE MODE"))
    if not _has_any(session):
        for currency, tax_bp in CURRENCIES.items():
            _add(session, currency, tax_bp)


def _add(session: Session, currency: str, tax_bp: int) -> None:
    book = PriceBook(
        currency=currency,
        name=NAME,
        valid_from=SINCE,
        monthly_minimum_minor=MINIMUM_MINOR,
        annual_discount_bp=ANNUAL_DISCOUNT_BP,
        tax_bp=tax_bp,
        created_at=clock.now(),
    )
    session.add(book)
    session.flush()
    prices = [Price(book_id=book.id or 0, service=service, basis=basis) for service, (basis, _) in PRICES.items()]
    session.add_all(prices)
    session.flush()
    session.add_all(
        PriceTier(price_id=price.id or 0, above=above, unit_minor=unit_minor)
        for price, (_, tiers) in zip(prices, PRICES.values(), strict=True)
        for above, unit_minor in tiers
    )
    session.flush()


def _has_any(session: Session) -> bool:
    return session.exec(select(PriceBook.id).limit(1)).first() is not None
