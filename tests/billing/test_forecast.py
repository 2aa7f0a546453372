"""The forecast is the bill: of any portfolio, what it says is what the days after it bill."""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

from portal_app.billing import calendar, plan
from portal_app.billing.plan import Contract, Forecast, Terms, UsageOf
from portal_app.billing.pricing import Book
from portal_app.models import BillingMethod, Plan
from tests.billing.plans import DAY, ROUNDS, TAX, book, contract, random_book, random_usage, seats, terms

TODAY = date(2023, 6, 15)


def test_a_forecast_is_the_next_bill_with_tax_and_its_day():
    accounts = [
        contract(1, date(2023, 6, 10)),
        contract(2, date(2023, 6, 10), Plan.ANNUAL, covered_until=date(2024, 6, 10)),
        contract(3, date(2023, 1, 31), excluded=True, covered_until=date(2023, 6, 30)),
    ]
    used = {each.account_id: seats(1) for each in accounts}
    assert plan.forecast(terms(), accounts, used, lambda _: book(), TODAY) == {
        1: Forecast(2040, date(2023, 6, 20)),
        2: Forecast(14400, date(2024, 5, 10)),
        3: Forecast(1200, date(2023, 6, 30)),
    }


def test_prices_that_hold_from_a_later_day_are_forecast():
    dearer = replace(book(), tax_bp=0)
    found = plan.forecast(
        terms(payment_day=1),
        [contract(1, date(2023, 6, 1), covered_until=date(2023, 7, 1))],
        {1: seats(1)},
        lambda on: dearer if on >= date(2023, 7, 1) else book(),
        TODAY,
    )
    assert found == {1: Forecast(2000, date(2023, 7, 1))}


def test_who_ends_has_no_forecast_and_who_changes_is_billed_by_the_new_plan():
    covered = date(2023, 7, 1)
    accounts = [
        contract(1, date(2023, 6, 1), covered_until=covered, ends=True),
        contract(2, date(2023, 6, 1), covered_until=covered, next_plan=Plan.ANNUAL),
    ]
    used = {1: seats(1), 2: seats(1)}
    found = plan.forecast(terms(), accounts, used, lambda _: book(), TODAY)
    assert found == {2: Forecast(14400, covered)}


def test_an_account_of_no_usage_is_forecast_nothing():
    found = plan.forecast(terms(), [contract(1, date(2023, 6, 1))], {}, lambda _: book(), TODAY)
    assert found == {1: Forecast(0, date(2023, 6, 20))}


def test_the_forecast_is_the_bill_of_any_portfolio():
    for seed in range(ROUNDS or 150):
        _compare(random.Random(seed), f"seed {seed}")


def _compare(rng: random.Random, name: str) -> None:
    today = date(2023, 1, 1) + timedelta(days=rng.randrange(1500))
    currency = rng.choice(list(TAX))
    how = Terms(
        partner_id=7,
        currency=currency,
        method=rng.choice((None, *BillingMethod)),
        payment_day=rng.randint(1, 31),
        annual_together=rng.random() < 0.4,
        reverse_charge=rng.random() < 0.2,
    )
    accounts = [_any_contract(rng, n, today) for n in range(1, rng.randint(2, 9))]
    used = {each.account_id: random_usage(rng) for each in accounts}
    first, later = random_book(rng, currency), random_book(rng, currency)
    turn = today + timedelta(days=rng.randrange(90))

    def book_on(on: date) -> Book:
        return later if on >= turn else first

    found = plan.forecast(how, accounts, used, book_on, today)
    assert found == _lived(how, accounts, used, book_on, today), name


def _any_contract(rng: random.Random, n: int, today: date) -> Contract:
    """A subscription somewhere in its life, as days up to `today` leave it."""
    name = rng.choice((Plan.MONTHLY, Plan.MONTHLY, Plan.ANNUAL))
    started = today - timedelta(days=rng.randrange(800))
    made = contract(n, started, name, excluded=rng.random() < 0.25)
    if rng.random() < 0.75:
        made = replace(made, covered_until=_covered(rng, made, today))
    wish = rng.random()
    if wish < 0.1:
        return replace(made, ends=True)
    return replace(made, next_plan=rng.choice((Plan.MONTHLY, Plan.ANNUAL))) if wish < 0.3 else made


def _covered(rng: random.Random, made: Contract, today: date) -> date:
    months = 12 if made.plan == Plan.ANNUAL else rng.randint(1, 2)
    end = calendar.mark_after(made.period_anchor, today, months)
    return max(end, made.started_on)


def _lived(
    how: Terms, contracts: list[Contract], used: UsageOf, book_on: Callable[[date], Book], today: date
) -> dict[int, Forecast]:
    """The same from every single day: the first bill of each account, or the day that covered it for nothing."""
    standing, found, on = tuple(contracts), {}, today
    was = {each.account_id: each.covered_until for each in contracts}
    while on < today + timedelta(days=470) and any(each.account_id not in found for each in standing):
        on += DAY
        outcome = plan.day(how, standing, used, book_on(on), on)
        billed = {share.account_id: share.amount_minor for bill in outcome.drafts for share in bill.shares}
        standing = outcome.contracts
        for each in standing:
            if each.account_id not in found and each.covered_until > was[each.account_id]:
                found[each.account_id] = Forecast(billed.get(each.account_id, 0), on)
    return found
