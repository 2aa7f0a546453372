"""A new deployment has prices from its first day on."""

import pytest
from sqlalchemy import func
from sqlmodel import Session, col, select

from portal_app import clock, db
from portal_app.auth.actor import Actor, system
from portal_app.backups.rows import Service
from portal_app.billing import finance, service
from portal_app.billing.default_prices import CURRENCIES, ensure_price_books
from portal_app.billing.query import StatusQuery
from portal_app.jobs import cycle
from portal_app.models import Bill, Partner, Price, PriceBook, PriceTier
from portal_app.operator.service import NewPartner, create_partner
from tests import factories
from tests.billing.factories import book


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


@pytest.mark.parametrize("currency", ["JPY", "KWD", "CHF"])
def test_without_prices_in_its_currency_a_partner_is_told_and_nothing_is_billed(database, currency: str) -> None:
    db.write(ensure_price_books)

    def make(session: Session) -> tuple[Partner, Actor]:
        partner = factories.partner(session, currency=currency)
        factories.account(session, partner, status="annual")
        return partner, factories.actor(factories.user(session, partner))

    partner, actor = db.write(make)
    assert cycle.run_cycle().counts.held == 1
    assert not db.read(lambda session: session.exec(select(Bill.id)).all())
    assert not db.read(service.status_page, actor, StatusQuery.from_address({})).priced
    assert db.read(service.outlook, actor).expected == {}
    operator = db.write(lambda session: factories.actor(factories.user(session, kind="operator")))
    assert db.read(finance.terms_of, operator, partner.code).book == ""
    db.write(lambda session: book(session, currency=currency, monthly_minimum_minor=700))
    assert db.read(service.status_page, actor, StatusQuery.from_address({})).priced
    assert cycle.sweep(clock.now()).bills == 1
    assert db.read(lambda session: session.exec(select(Bill.currency)).all()) == [currency]
