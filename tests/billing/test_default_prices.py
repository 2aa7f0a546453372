"""A new deployment has prices from its first day on."""

from sqlalchemy import func
from sqlmodel import Session, col, select

from portal_app import db
from portal_app.auth.actor import system
from portal_app.backups.rows import Service
from portal_app.billing.default_prices import CURRENCIES, ensure_price_books
from portal_app.models import Price, PriceBook, PriceTier
from portal_app.operator.service import NewPartner, create_partner


def test_every_service_has_a_price_in_each_currency(store) -> None:
    db.write(ensure_price_books)
    assert db.read(_shape) == {currency: len(Service) for currency in CURRENCIES}
    assert not db.read(lambda s: s.exec(select(Price.id).where(col(Price.id).not_in(_first_tiers()))).all())


def test_the_first_partner_brings_them(database) -> None:
    new = NewPartner("ACME01", "Acme", "EUR", "UTC", "ann@acme.example", "Ann", "correct horse battery staple")
    db.write(create_partner, system(), new)
    assert db.read(_shape).keys() == CURRENCIES.keys()


def test_an_operators_own_list_stays(database) -> None:
    db.write(ensure_price_books)
    db.write(lambda s: s.delete(s.exec(select(PriceBook).where(PriceBook.currency == "GBP")).one()))
    db.write(ensure_price_books)
    assert db.read(_shape).keys() == {"EUR", "USD"}


def _first_tiers():
    return select(PriceTier.price_id).where(PriceTier.above == 0)


def _shape(session: Session) -> dict[str, int]:
    query = select(PriceBook.currency, func.count()).join(Price).group_by(col(PriceBook.currency))
    return dict(session.exec(query).all())
