"""Amounts are integers of the currency's minor unit; here they become text and are read from it, never as floats."""

import re
from decimal import Decimal
from functools import cache

from babel.core import get_global
from babel.numbers import format_currency, get_currency_precision

from portal_app.errors import Invalid

LOCALE = "en"
_AMOUNT = re.compile(r"(?P<whole>\d{1,3}(,\d{3})+|\d+)(\.(?P<part>\d+))?", re.ASCII)
_LONGEST = 15


def rounded(numerator: int, denominator: int) -> int:
    """The quotient to the nearest integer, half away from zero: the one rounding rule of all amounts."""
    if denominator < 0:
        numerator, denominator = -numerator, -denominator
    half_up = (2 * abs(numerator) + denominator) // (2 * denominator)
    return half_up if numerator >= 0 else -half_up


def amount_text(minor: int, currency: str) -> str:
    """Such as "€226.80", "¥1,200" or "KWD 1.250": the currency's own number of digits."""
    sign, before, after = "-" if minor < 0 else "", *_affixes(currency)
    return f"{sign}{before}{major(abs(minor), currency):,f}{after}"


@cache
def _affixes(currency: str) -> tuple[str, str]:
    """What the locale writes before and after a number: asked once, since a list has an amount in each row."""
    before, _, after = format_currency(0, currency, locale=LOCALE).partition(f"{major(0, currency):f}")
    return before, after


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


def minor_of(text: str, currency: str) -> int:
    """The amount that was typed, such as "1,234.50", in minor units. Raises Invalid with a sentence for its field."""
    digits, example = get_currency_precision(currency), plain_text(1250, currency)
    found = _AMOUNT.fullmatch(text.strip())
    if not found:
        raise Invalid(f"Give the amount as a number, such as {example}.")
    whole, part = found["whole"].replace(",", ""), (found["part"] or "").rstrip("0")
    if len(part) > digits:
        raise Invalid(f"{currency} has {digits or 'no'} digits after the point: give it as {example}.")
    if len(whole) > _LONGEST - digits:
        raise Invalid("This amount is too large.")
    return int(whole + part.ljust(digits, "0"))
