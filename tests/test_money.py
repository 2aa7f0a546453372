"""Amounts: one rule of rounding, and what people type."""

import pytest
from babel.numbers import format_currency

from portal_app import money
from portal_app.errors import Invalid
from portal_app.money import minor_of, rounded


@pytest.mark.parametrize(
    ("numerator", "denominator", "result"),
    [
        (1, 2, 1),
        (-1, 2, -1),
        (3, 2, 2),
        (1, 3, 0),
        (2, 3, 1),
        (-5, 2, -3),
        (5, -2, -3),
        (0, 7, 0),
        (10**30 + 1, 2, 5 * 10**29 + 1),
    ],
)
def test_half_goes_away_from_zero(numerator: int, denominator: int, result: int):
    assert rounded(numerator, denominator) == result


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("12.5", "EUR", 1250),
        ("1,234.50", "EUR", 123450),
        (" 0 ", "USD", 0),
        ("1200", "JPY", 1200),
        ("1200.0", "JPY", 1200),
        ("1.25", "KWD", 1250),
        ("0.001", "KWD", 1),
    ],
)
def test_typed_amounts(text: str, currency: str, minor: int):
    assert minor_of(text, currency) == minor


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("", "EUR"),
        ("12.345", "EUR"),
        ("1.5", "JPY"),
        ("-1", "EUR"),
        ("1e5", "EUR"),
        ("12,5", "EUR"),
        ("1.", "EUR"),
        ("\u0661", "EUR"),
        ("9" * 15, "EUR"),
        ("NaN", "EUR"),
    ],
)
def test_what_is_no_amount_is_refused_with_a_sentence(text: str, currency: str):
    with pytest.raises(Invalid) as refused:
        minor_of(text, currency)
    assert refused.value.sentence.endswith(".")


@pytest.mark.parametrize("minor", [0, 1, -1, 99, 100_000, -12_345_678, 10**15 - 1])
def test_amounts_look_as_the_locale_writes_them(minor: int) -> None:
    codes = money.currencies()
    written = {code: format_currency(money.major(minor, code), code, locale=money.LOCALE) for code in codes}
    assert {code: money.amount_text(minor, code) for code in codes} == written
