"""Prices as people type them and as a CSV holds them, checked. Pure."""

import csv
import io
import re
from collections.abc import Iterable
from itertools import pairwise

from portal_app.backups.rows import Service
from portal_app.billing.book_rows import NewPrice, PriceText
from portal_app.billing.pricing import Tier
from portal_app.csv_out import csv_file
from portal_app.errors import Invalid
from portal_app.models import Basis
from portal_app.money import minor_of, plain_text
from portal_app.text import clean, fold

COLUMNS = ("Service", "Price for", "Above", "Price")
BASES = {Basis.UNIT: "unit", Basis.GB: "GB"}
MOST_TIERS = 20
MOST_ABOVE = 1_000_000_000
MOST_MINOR = 10**12
MOST_TEXT = 100_000
_TIER = re.compile(r"(?:(?:above )?(?P<above>[0-9]{1,10}) ?: ?)?(?P<price>[^:]+)", re.IGNORECASE)
_PERCENT = re.compile(r"(?P<whole>[0-9]{1,3})(?:[.,](?P<part>[0-9]{1,2}))? ?%?")
_SERVICES = {fold(name): one.value for one in Service for name in (one.value, one.label)}
_BASES = {"unit": Basis.UNIT.value, "each": Basis.UNIT.value, "gb": Basis.GB.value}


def basis_points(text: str) -> int:
    """12.5 percent are 1250 basis points. Raises Invalid."""
    found = _PERCENT.fullmatch(clean(text))
    points = int(found["whole"]) * 100 + int((found["part"] or "").ljust(2, "0")) if found else -1
    if not 0 <= points <= 10_000:
        raise Invalid("Give a percentage from 0 to 100, such as 19 or 7.5.")
    return points


def percent_text(points: int) -> str:
    """Such as "19" or "7.5"."""
    return f"{points // 100}.{points % 100:02}".rstrip("0").rstrip(".")


def price_of(text: str, currency: str) -> int:
    """An amount of zero or more in minor units. Raises Invalid with a sentence."""
    minor = minor_of(clean(text), currency)
    if not 0 <= minor <= MOST_MINOR:
        raise Invalid("Give an amount of 0 or more, such as 2.50.")
    return minor


def price(service: str, given: PriceText, currency: str) -> NewPrice | None:
    """The checked price; None where nothing is typed, so that the service costs nothing. Raises Invalid."""
    if service not in list(Service):
        raise Invalid("There is no such service.")
    if given.basis not in list(Basis):
        raise Invalid("Choose a price for each unit, or for each GB.")
    if not clean(given.tiers):
        return None
    tiers = tuple(_tier(part, currency) for part in given.tiers[:MOST_TEXT].split(";") if part.strip())
    _check_order(tiers)
    return NewPrice(service, given.basis, tiers)


def tiers_text(tiers: Iterable[Tier], currency: str) -> str:
    """The tiers as one would type them."""
    prices = ((one.above, plain_text(one.unit_minor, currency)) for one in tiers)
    return "; ".join(f"{above}: {price}" if above else price for above, price in prices)


def _tier(part: str, currency: str) -> Tier:
    found = _TIER.fullmatch(clean(part))
    if found is None or int(found["above"] or 0) > MOST_ABOVE:
        raise Invalid("Write a price such as 2.50, and further ones such as 100: 2.20, with a ; between them.")
    return Tier(int(found["above"] or 0), price_of(found["price"], currency))


def _check_order(tiers: tuple[Tier, ...]) -> None:
    above = [one.above for one in tiers]
    if len(tiers) > MOST_TIERS:
        raise Invalid(f"Use at most {MOST_TIERS} tiers.")
    if not above or above[0] != 0:
        raise Invalid("Begin with the price of the first one, such as 2.50.")
    if any(low >= high for low, high in pairwise(above)):
        raise Invalid("Let the numbers of the tiers rise.")


def to_csv(prices: Iterable[NewPrice], currency: str) -> bytes:
    """A row for each tier: what `from_csv` reads."""
    rows = (
        (Service(one.service).label, BASES[Basis(one.basis)], tier.above, plain_text(tier.unit_minor, currency))
        for one in prices
        for tier in one.tiers
    )
    return csv_file(COLUMNS, rows)


def from_csv(text: str, currency: str) -> dict[str, PriceText]:
    """The prices of a CSV by service, as typed. Raises Invalid that names each faulty row."""
    faults: list[str] = []
    found: dict[str, tuple[str, list[Tier]]] = {}
    for number, cells in _rows(text):
        try:
            _take(found, cells, currency)
        except Invalid as fault:
            faults.append(f"Row {number}: {fault.sentence}")
    prices = {}
    for service, (basis, tiers) in found.items():
        ordered = tuple(sorted(tiers, key=lambda one: one.above))
        try:
            _check_order(ordered)
        except Invalid as fault:
            faults.append(f"{Service(service).label}: {fault.sentence}")
        prices[service] = PriceText(basis, tiers_text(ordered, currency))
    if faults:
        rest = f" And {len(faults) - 5} more." if len(faults) > 5 else ""
        raise Invalid(csv=" ".join(faults[:5]) + rest)
    return prices


def _take(found: dict[str, tuple[str, list[Tier]]], cells: list[str], currency: str) -> None:
    service, basis, above, unit = ([*map(clean, cells)] + [""] * len(COLUMNS))[: len(COLUMNS)]
    key, kind = _SERVICES.get(fold(service)), _BASES.get(fold(basis))
    if key is None:
        raise Invalid(f"There is no service “{service[:60]}”.")
    if kind is None:
        raise Invalid("Price for is unit or GB.")
    if not re.fullmatch(r"[0-9]{0,9}", above):
        raise Invalid("Above is a whole number; 0 for the first price.")
    known_kind, tiers = found.setdefault(key, (kind, []))
    if known_kind != kind:
        raise Invalid("All rows of a service are for the same: unit or GB.")
    tiers.append(Tier(int(above or 0), price_of(unit, currency)))


def _rows(text: str) -> list[tuple[int, list[str]]]:
    if len(text) > MOST_TEXT:
        raise Invalid(csv="The file is too long for a list of prices.")
    text = text.removeprefix("\ufeff").strip()
    head = text.partition("\n")[0]
    separator = max(",;\t", key=head.count)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True, skipinitialspace=True))
    except csv.Error:
        raise Invalid(csv="A quotation mark is open or out of place, so the rows can't be read.") from None
    if not rows or [fold(clean(cell)) for cell in rows[0]] != [fold(name) for name in COLUMNS]:
        raise Invalid(csv=f"The first row must name the columns: {', '.join(COLUMNS)}.")
    found = [(number, cells) for number, cells in enumerate(rows[1:], 2) if any(cell.strip() for cell in cells)]
    if not found:
        raise Invalid(csv="The file holds no price. Fill in one row for each tier.")
    return found
