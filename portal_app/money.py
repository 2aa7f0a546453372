"""Amounts are integers of the currency's minor unit; here they become text, never floats."""

from decimal import Decimal
from functools import cache

from babel.core import get_global
from babel.numbers import format_currency, get_currency_precision

LOCALE = "en"


def amount_text(minor: int, currency: str) -> str:
    """Such as "€226.80", "¥1,200" or "KWD 1.250": the currency's own number of digits."""
    return format_currency(major(minor, currency), currency, locale=LOCALE)


def plain_text(minor: int, currency: str) -> str:
    """Such as "226.80": the amount as one types it."""
    return f"{major(minor, currency):f}"


@cache
def currencies() -> frozenset[str]:
    """The ISO 4217 codes of the currencies in use today."""
    listed = (entry for entries in get_global("territory_currencies").values() for entry in entries)
    return frozenset(code for code, _, until, is_tender in listed if until is None and is_tender)


def major(minor: int, currency: str) -> Decimal:
    """The amount in the currency's main unit with all its digits, such as 226.80 or 1200: for files and programs."""
    return Decimal(minor).scaleb(-get_currency_precision(currency))
