"""The days of billing: clamped from their anchor, never from the last date."""

from datetime import date

import pytest

from portal_app.billing import calendar
from portal_app.billing.calendar import Piece
from portal_app.models import BillingMethod, Plan


def test_months_are_counted_from_the_anchor():
    anchor = date(2023, 1, 31)
    assert [calendar.add_months(anchor, n) for n in (1, 2, 3, 12, 13, -2)] == [
        date(2023, 2, 28),
        date(2023, 3, 31),
        date(2023, 4, 30),
        date(2024, 1, 31),
        date(2024, 2, 29),
        date(2022, 11, 30),
    ]


def test_29_february_renews_on_the_28th_and_again_on_the_29th():
    anchor = date(2024, 2, 29)
    assert calendar.add_months(anchor, 12) == date(2025, 2, 28)
    assert calendar.add_months(anchor, 48) == date(2028, 2, 29)
    assert calendar.mark_after(anchor, date(2025, 2, 28), 12) == date(2026, 2, 28)
    assert calendar.mark_after(anchor, date(2027, 2, 28), 12) == date(2028, 2, 29)


@pytest.mark.parametrize(("day", "paid_on"), [(1, 1), (28, 28), (29, 28), (31, 28)])
def test_the_payment_day_is_clamped_to_the_month(day: int, paid_on: int):
    assert calendar.payment_date(day, date(2023, 2, 10)) == date(2023, 2, paid_on)


def test_a_consolidated_bill_is_for_the_next_month():
    assert calendar.effective_date(date(2023, 1, 31)) == date(2023, 2, 1)
    assert calendar.effective_date(date(2023, 12, 1)) == date(2024, 1, 1)


@pytest.mark.parametrize(
    ("method", "plan", "issued", "effective", "anchor_day", "due"),
    [
        (BillingMethod.CARD, Plan.MONTHLY, date(2022, 6, 20), date(2022, 7, 1), 20, date(2022, 6, 20)),
        (BillingMethod.INVOICE, Plan.MONTHLY, date(2023, 2, 17), date(2023, 3, 1), 17, date(2023, 3, 17)),
        (BillingMethod.INVOICE, Plan.ANNUAL, date(2023, 3, 18), date(2023, 4, 18), 18, date(2023, 5, 18)),
        (BillingMethod.INVOICE, Plan.MONTHLY, date(2024, 1, 31), date(2024, 2, 1), 31, date(2024, 2, 29)),
        (BillingMethod.INVOICE, Plan.MONTHLY, date(2024, 2, 29), date(2024, 3, 1), 31, date(2024, 3, 31)),
        (BillingMethod.INVOICE, Plan.MONTHLY, date(2023, 2, 28), date(2023, 3, 1), None, date(2023, 3, 28)),
        (BillingMethod.INVOICE, Plan.ANNUAL, date(2025, 1, 29), date(2025, 2, 28), 29, date(2025, 3, 29)),
        # A bill that is issued on another day than its anchor's is due a month after that day.
        (BillingMethod.INVOICE, Plan.MONTHLY, date(2023, 1, 23), date(2023, 1, 20), 20, date(2023, 2, 23)),
    ],
)
def test_due(*, method: str, plan: str, issued: date, effective: date, anchor_day: int | None, due: date):
    assert calendar.due_date(method, plan, issued, effective, anchor_day) == due


def test_a_span_is_split_at_the_marks():
    first = date(2023, 1, 1)
    assert calendar.pieces(date(2023, 1, 20), date(2023, 3, 1), first) == (
        Piece(date(2023, 1, 20), date(2023, 2, 1), 12, 31),
        Piece(date(2023, 2, 1), date(2023, 3, 1), 28, 28),
    )
    own = calendar.pieces(date(2023, 2, 1), date(2023, 3, 31), date(2022, 12, 31))
    assert [(p.days, p.of_days) for p in own] == [(27, 28), (31, 31)]
    assert calendar.pieces(date(2023, 2, 1), date(2023, 2, 1), first) == ()


def test_a_year_is_one_piece():
    assert calendar.pieces(date(2024, 2, 29), date(2025, 2, 28), date(2024, 2, 29), 12) == (
        Piece(date(2024, 2, 29), date(2025, 2, 28), 365, 365),
    )


def test_days_due_are_each_named_once_and_never_again():
    assert list(calendar.days_due(date(2023, 2, 27), date(2023, 3, 1))) == [date(2023, 2, 28), date(2023, 3, 1)]
    assert not list(calendar.days_due(date(2023, 3, 1), date(2023, 2, 28)))
