"""Amounts are integers of the currency's minor unit; here they become text, never floats."""

from decimal import Decimal

from babel.numbers import format_currency, get_currency_precision

LOCALE = "en"


def amount_text(minor: int, currency: str) -> str:
    """Such as "€226.80", "¥1,200" or "KWD 1.250": the currency's own number of digits."""
    return format_currency(major(minor, currency), currency, locale=LOCALE)


def major(minor: int, currency: str) -> Decimal:
    """The amount in the currency's main unit with all its digits, such as 226.80 or 1200: for files and programs."""
    return Decimal(minor).scaleb(-get_currency_precision(currency))
