"""Amounts are integers of the currency's minor unit; here they become text, never floats."""

from decimal import Decimal

from babel.numbers import format_currency, get_currency_precision

LOCALE = "en"


def amount_text(minor: int, currency: str) -> str:
    """Such as "€226.80", "¥1,200" or "KWD 1.250": the currency's own number of digits."""
    digits = get_currency_precision(currency)
    return format_currency(Decimal(minor).scaleb(-digits), currency, locale=LOCALE)
