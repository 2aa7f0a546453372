"""What usage costs: lines, tax and shares, in minor units. Pure: what it is given is all it knows (spec 5.1).

A price is kept for a month. A year costs twelve, less the book's discount, rounded once per unit; a part of a period
costs its days' share of the period's price, rounded once per line.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from portal_app.backups.rows import Service
from portal_app.billing.calendar import MONTHS, Piece
from portal_app.models import Basis, Plan
from portal_app.money import rounded

MILLI = 1000
BP = 10_000
MINIMUM = "Monthly minimum"
LABELS = {each.value: each.label for each in Service}
_UNITS = {
    Service.EXCHANGE: "mailbox",
    Service.GROUPS: "group",
    Service.SHAREPOINT: "site",
    Service.ONEDRIVE: "drive",
    Service.ONENOTE: "notebook",
    Service.GOOGLE_MAIL: "mailbox",
    Service.GOOGLE_DRIVE: "drive",
    Service.GOOGLE_SHARED_DRIVES: "shared drive",
    Service.IMAP: "mailbox",
    Service.S3: "bucket",
}


@dataclass(frozen=True, slots=True)
class Tier:
    """Units above `above`, up to the next tier's, cost `unit_minor` each."""

    above: int
    unit_minor: int


@dataclass(frozen=True, slots=True)
class ServicePrice:
    """`tiers` begin with the one above 0 and rise."""

    service: str
    basis: str
    tiers: tuple[Tier, ...]


@dataclass(frozen=True, slots=True)
class Book:
    """The prices that hold on a day. Rates are basis points."""

    id: int
    currency: str
    valid_from: date
    monthly_minimum_minor: int
    annual_discount_bp: int
    tax_bp: int
    prices: Mapping[str, ServicePrice]


@dataclass(frozen=True, slots=True)
class TaskUsage:
    """What one backup task holds: the billed entities behind a line, and all that it `holds` where that is known."""

    name: str
    entities: int
    size_bytes: int
    holds: int | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """What an account uses of a service: the sum of its tasks."""

    service: str
    entities: int
    size_bytes: int
    tasks: tuple[TaskUsage, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """A bill's line before it has a bill (see models.BillLine)."""

    account_id: int
    account_name: str
    service: str
    description: str
    starts_on: date
    ends_on: date
    quantity_milli: int
    unit: str
    unit_minor: int | None
    amount_minor: int
    trace: dict[str, Any] = field(hash=False)


@dataclass(frozen=True, slots=True)
class Totals:
    """What a bill comes to. The tax is on the whole net, once."""

    net_minor: int
    tax_minor: int
    total_minor: int


def account_lines(
    account_id: int, name: str, usage: Iterable[Usage], book: Book, *, plan: str, pieces: Sequence[Piece]
) -> tuple[Line, ...]:
    """An account's lines for the pieces of its period: one per piece and service, and what lacks to the minimum."""
    priced = [_priced(used, book, plan) for used in usage if used.service in book.prices]
    found: list[Line] = []
    for piece in pieces:
        lines = [_line(account_id, name, each, piece) for each in priced if each.quantity_milli]
        found += lines
        billed = sum(line.amount_minor for line in lines)
        found += _minimum(account_id, name, book, plan=plan, piece=piece, billed_minor=billed)
    return tuple(found)


def totals(lines: Iterable[Line], tax_bp: int) -> Totals:
    """Net, tax and total of a bill with these lines."""
    net = sum(line.amount_minor for line in lines)
    tax = rounded(net * tax_bp, BP)
    return Totals(net, tax, net + tax)


def shares(nets: Mapping[int, int], total_minor: int) -> dict[int, int]:
    """The total divided among accounts by their nets, to the last cent: the largest remainders get what is left."""
    net = sum(nets.values())
    if not net:
        return dict.fromkeys(nets, 0)
    parts = {account: divmod(total_minor * part, net) for account, part in nets.items()}
    left = total_minor - sum(whole for whole, _ in parts.values())
    lucky = set(sorted(parts, key=lambda account: (-parts[account][1], account))[:left])
    return {account: whole + (account in lucky) for account, (whole, _) in parts.items()}


@dataclass(frozen=True, slots=True)
class _Priced:
    """A service's usage with its price for a whole period, in thousandths of the minor unit."""

    service: str
    quantity_milli: int
    unit: str
    unit_minor: int | None
    price_milli: int
    trace: dict[str, Any]


def _priced(used: Usage, book: Book, plan: str) -> _Priced:
    price = book.prices[used.service]
    by_size = price.basis == Basis.GB
    quantity = rounded(used.size_bytes, 10**6) if by_size else used.entities * MILLI
    tiers = list(_by_tier(price.tiers, quantity, book, plan))
    trace = {
        **_terms(book, plan),
        "rule": price.basis,
        "entities": used.entities,
        "size_bytes": used.size_bytes,
        "tasks": [_told(task) for task in used.tasks],
        "tiers": tiers,
    }
    return _Priced(
        service=used.service,
        quantity_milli=quantity,
        unit="GB" if by_size else _UNITS.get(used.service, "seat"),
        unit_minor=tiers[0]["unit_minor"] if len({tier["unit_minor"] for tier in tiers}) == 1 else None,
        price_milli=sum(tier["quantity_milli"] * tier["unit_minor"] for tier in tiers),
        trace=trace,
    )


def _told(task: TaskUsage) -> dict[str, Any]:
    told = {"name": task.name, "entities": task.entities, "size_bytes": task.size_bytes}
    return told if task.holds in (None, task.entities) else told | {"holds": task.holds}


def _by_tier(tiers: Sequence[Tier], quantity_milli: int, book: Book, plan: str) -> Iterable[dict[str, int]]:
    """How much of the quantity falls into each tier, and what one costs there for a whole period."""
    for tier, following in zip(tiers, [*tiers[1:], None], strict=True):
        top = quantity_milli if following is None else min(quantity_milli, following.above * MILLI)
        if (inside := top - tier.above * MILLI) > 0:
            unit = _of_period(tier.unit_minor, book, plan)
            yield {"above": tier.above, "quantity_milli": inside, "month_minor": tier.unit_minor, "unit_minor": unit}


def _of_period(month_minor: int, book: Book, plan: str) -> int:
    """A monthly price for the plan's period: for a year twelve of it, less the discount."""
    if plan != Plan.ANNUAL:
        return month_minor
    return rounded(month_minor * MONTHS[Plan.ANNUAL] * (BP - book.annual_discount_bp), BP)


def _line(account_id: int, name: str, priced: _Priced, piece: Piece) -> Line:
    return Line(
        account_id=account_id,
        account_name=name,
        service=priced.service,
        description=_described(LABELS.get(priced.service, priced.service), piece),
        starts_on=piece.starts_on,
        ends_on=piece.ends_on,
        quantity_milli=priced.quantity_milli,
        unit=priced.unit,
        unit_minor=priced.unit_minor,
        amount_minor=rounded(priced.price_milli * piece.days, MILLI * piece.of_days),
        trace={**priced.trace, "days": piece.days, "of_days": piece.of_days},
    )


def _minimum(account_id: int, name: str, book: Book, *, plan: str, piece: Piece, billed_minor: int) -> Iterable[Line]:
    """What lacks to the minimum of a piece, if something does."""
    whole = _of_period(book.monthly_minimum_minor, book, plan)
    least = rounded(whole * piece.days, piece.of_days)
    if (missing := least - billed_minor) <= 0:
        return
    trace = _terms(book, plan) | {"rule": "minimum", "minimum_minor": least, "lines_minor": billed_minor}
    yield Line(
        account_id=account_id,
        account_name=name,
        service="",
        description=_described(MINIMUM, piece),
        starts_on=piece.starts_on,
        ends_on=piece.ends_on,
        quantity_milli=MILLI,
        unit="",
        unit_minor=missing,
        amount_minor=missing,
        trace=trace | {"days": piece.days, "of_days": piece.of_days},
    )


def _terms(book: Book, plan: str) -> dict[str, Any]:
    return {
        "book": book.id,
        "valid_from": book.valid_from.isoformat(),
        "currency": book.currency,
        "months": MONTHS[Plan(plan)],
        "discount_bp": book.annual_discount_bp if plan == Plan.ANNUAL else 0,
    }


def _described(what: str, piece: Piece) -> str:
    return what if piece.whole else f"{what}, {piece.days} of {piece.of_days} days"
