"""What usage costs, and how a bill is shared: by example, and for any numbers."""

from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal_app.billing import calendar, pricing
from portal_app.billing.pricing import Line, ServicePrice, TaskUsage, Tier, Usage
from portal_app.models import Basis, Plan
from tests.billing.plans import book, seats

FEBRUARY = calendar.pieces(date(2023, 2, 1), date(2023, 3, 1), date(2023, 2, 1))
HALF = calendar.pieces(date(2023, 2, 15), date(2023, 3, 1), date(2023, 2, 1))
YEAR = calendar.pieces(date(2023, 2, 15), date(2024, 2, 15), date(2023, 2, 15), 12)
minor = st.integers(0, 10**7)


def lines(usage: tuple[Usage, ...], plan: str = Plan.MONTHLY, pieces=FEBRUARY, **changed) -> tuple[Line, ...]:
    return pricing.account_lines(1, "Customer", usage, book(**changed), plan=plan, pieces=pieces)


def test_units_cost_what_their_tier_says():
    (line,) = lines(seats(12))
    assert (line.quantity_milli, line.unit, line.amount_minor) == (12_000, "mailbox", 10 * 1000 + 2 * 900)
    # Two prices: the trace lists them.
    assert line.unit_minor is None
    assert [(tier["quantity_milli"], tier["unit_minor"]) for tier in line.trace["tiers"]] == [
        (10_000, 1000),
        (2000, 900),
    ]


@pytest.mark.parametrize(("count", "amount"), [(10, 10_000), (11, 10_900), (1, 1000)])
def test_a_tier_begins_above_its_bound(count: int, amount: int):
    assert lines(seats(count))[0].amount_minor == amount


def test_gigabytes_are_counted_in_thousandths():
    (line,) = lines((Usage("s3", 3, 2_550_400_000),))
    assert (line.quantity_milli, line.unit, line.unit_minor, line.amount_minor) == (2550, "GB", 33, 84)


def test_a_part_of_a_month_costs_its_days():
    (line,) = lines(seats(3), pieces=HALF)
    assert (line.amount_minor, line.unit_minor) == (1500, 1000)
    assert line.description == "Microsoft 365 Exchange, 14 of 28 days"
    assert (line.trace["days"], line.trace["of_days"]) == (14, 28)


def test_a_year_is_twelve_months_less_the_discount():
    (line,) = lines(seats(2), Plan.ANNUAL, YEAR, annual_discount_bp=1000)
    assert (line.unit_minor, line.amount_minor) == (10_800, 21_600)
    assert (line.trace["months"], line.trace["discount_bp"], line.trace["tiers"][0]["month_minor"]) == (12, 1000, 1000)


def test_what_lacks_to_the_minimum_is_a_line_of_its_own():
    mail, least = lines(seats(1), monthly_minimum_minor=2500)
    assert (mail.amount_minor, least.amount_minor, least.description) == (1000, 1500, "Monthly minimum")
    assert (least.trace["minimum_minor"], least.trace["lines_minor"]) == (2500, 1000)
    assert [line.amount_minor for line in lines(seats(1), pieces=HALF, monthly_minimum_minor=2500)] == [500, 750]
    assert len(lines(seats(3), monthly_minimum_minor=2500)) == 1


def test_an_account_that_uses_nothing_pays_the_minimum_alone():
    (least,) = lines((), monthly_minimum_minor=2500)
    assert least.amount_minor == 2500
    assert lines(seats(0)) == ()


def test_the_trace_names_the_entities_the_price_and_the_rule():
    usage = Usage("exchange", 3, 9, (TaskUsage("Mail", 2, 5), TaskUsage("Shared", 1, 4)))
    (line,) = lines((usage,))
    assert line.trace | {"tiers": ...} == {
        "book": 1,
        "valid_from": "2000-01-01",
        "currency": "EUR",
        "months": 1,
        "discount_bp": 0,
        "rule": "unit",
        "entities": 3,
        "size_bytes": 9,
        "tasks": [
            {"name": "Mail", "entities": 2, "size_bytes": 5},
            {"name": "Shared", "entities": 1, "size_bytes": 4},
        ],
        "tiers": ...,
        "days": 28,
        "of_days": 28,
    }


def test_a_service_without_a_price_is_on_no_bill():
    assert lines((Usage("unpriced", 5, 5),)) == ()


def test_what_costs_nothing_is_listed_all_the_same():
    free = {"exchange": ServicePrice("exchange", Basis.UNIT, (Tier(0, 0),))}
    (line,) = lines(seats(2), prices=free)
    assert (line.quantity_milli, line.amount_minor) == (2000, 0)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(steps=st.lists(st.tuples(st.integers(1, 500), minor), max_size=4), first=minor, count=st.integers(0, 3000))
def test_graduated_tiers_price_each_unit_by_its_own_tier(steps: list[tuple[int, int]], first: int, count: int):
    tiers = [Tier(0, first)]
    for width, price in steps:
        tiers.append(Tier(tiers[-1].above + width, price))
    each = [max((tier for tier in tiers if tier.above < n), key=lambda tier: tier.above) for n in range(1, count + 1)]
    prices = {"exchange": ServicePrice("exchange", Basis.UNIT, tuple(tiers))}
    billed = sum(line.amount_minor for line in lines(seats(count), prices=prices))
    assert billed == sum(tier.unit_minor for tier in each)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(cut=st.integers(1, 30), unit=minor, count=st.integers(1, 3000))
def test_a_month_in_two_parts_costs_a_month(cut: int, unit: int, count: int):
    first = date(2023, 1, 1)
    parts = calendar.pieces(first, first.replace(day=cut + 1), first) + calendar.pieces(
        first.replace(day=cut + 1), date(2023, 2, 1), first
    )
    prices = {"exchange": ServicePrice("exchange", Basis.UNIT, (Tier(0, unit),))}
    billed = [line.amount_minor for line in lines(seats(count), pieces=parts, prices=prices)]
    # Each part is rounded once, so the two may differ from the whole by one, never by more.
    assert abs(sum(billed) - unit * count) <= 1
    for part, amount in zip(parts, billed, strict=True):
        assert abs(amount - Fraction(unit * count * part.days, part.of_days)) <= Fraction(1, 2)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(nets=st.dictionaries(st.integers(1, 99), minor, min_size=1), tax_bp=st.integers(0, 10_000))
def test_shares_add_up_and_none_is_off_by_a_cent(nets: dict[int, int], tax_bp: int):
    net = sum(nets.values())
    total = net + pricing.rounded(net * tax_bp, pricing.BP)
    found = pricing.shares(nets, total)
    assert found.keys() == nets.keys()
    assert sum(found.values()) == total
    for account, share in found.items():
        assert abs(share - Fraction(total * nets[account], net or 1)) < 1
        assert share >= 0


def test_shares_do_not_depend_on_the_order():
    assert pricing.shares({2: 1, 1: 1, 3: 1}, 4) == pricing.shares({3: 1, 1: 1, 2: 1}, 4) == {1: 2, 2: 1, 3: 1}


def test_the_tax_is_rounded_once_on_the_whole():
    (line,) = lines(seats(1), prices={"exchange": ServicePrice("exchange", Basis.UNIT, (Tier(0, 333),))})
    found = pricing.totals([line, replace(line, account_id=2), replace(line, account_id=3)], 1900)
    assert (found.net_minor, found.tax_minor, found.total_minor) == (999, 190, 1189)
