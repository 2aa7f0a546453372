"""Why a line of a bill costs what it costs, in words: these entities, this price, this rule."""

from collections.abc import Iterator
from datetime import date
from typing import Any, TypedDict

from portal_app.billing.account_rows import AccountLine
from portal_app.billing.pricing import MILLI
from portal_app.billing.words import billed_of, counted, date_text, quantity_text
from portal_app.models import Basis
from portal_app.money import amount_text, rounded
from portal_app.sizes import size_text


class Reason(TypedDict):
    """One step of the reckoning."""

    label: str
    text: str


class TaskShare(TypedDict):
    """What one backup task holds of what is billed."""

    name: str
    entities: str
    size: str


def tasks(line: AccountLine) -> list[TaskShare]:
    """The backup tasks whose entities or bytes the line bills."""
    return [
        TaskShare(
            name=task["name"],
            entities=billed_of(task["entities"], task.get("holds")),
            size=size_text(task["size_bytes"]),
        )
        for task in line.trace.get("tasks", [])
    ]


def reasons(line: AccountLine) -> list[Reason]:
    """The steps from usage to amount."""
    return [Reason(label=label, text=text) for label, text in _steps(line) if text]


def _steps(line: AccountLine) -> Iterator[tuple[str, str]]:
    trace = line.trace
    yield "Rule", _rule(trace)
    yield "Usage", quantity_text(line)
    for tier in trace.get("tiers", []):
        yield _tier_label(tier, line.unit), _tier_text(tier, line)
    if trace.get("rule") == "minimum":
        yield "Minimum for these days", amount_text(trace["minimum_minor"], line.currency)
        yield "Lines of these days", amount_text(trace["lines_minor"], line.currency)
    yield "A year", _year(trace)
    yield "Days", _days(line)
    yield "Price list", f"Valid from {date_text(date.fromisoformat(trace['valid_from']))}" if _dated(trace) else ""
    yield "Amount", f"{amount_text(line.amount_minor, line.currency)}, before tax"


def _rule(trace: dict[str, Any]) -> str:
    return {
        Basis.UNIT: "Each billed entity (active, and not unlicensed) costs its price for the period.",
        Basis.GB: "Each GB of stored backups costs its price for the period.",
        "minimum": "The account's lines are below the monthly minimum: the rest is billed here.",
    }.get(trace.get("rule", ""), "Entered by the provider.")


def _tier_label(tier: dict[str, Any], unit: str) -> str:
    return f"Above {counted(tier['above'] * MILLI, unit)}" if tier["above"] else "Price"


def _tier_text(tier: dict[str, Any], line: AccountLine) -> str:
    price = rounded(tier["quantity_milli"] * tier["unit_minor"], MILLI)
    count = counted(tier["quantity_milli"], line.unit)
    return f"{count} x {amount_text(tier['unit_minor'], line.currency)} = {amount_text(price, line.currency)}"


def _year(trace: dict[str, Any]) -> str:
    if trace.get("months", 1) == 1:
        return ""
    discount = trace.get("discount_bp", 0)
    less = f" less {discount / 100:g} %" if discount else ""
    return f"{trace['months']} monthly prices{less}, rounded for each unit"


def _days(line: AccountLine) -> str:
    days, of_days = line.trace.get("days"), line.trace.get("of_days")
    if not days:
        return ""
    if days == of_days:
        return "The whole period"
    return f"{days} of the period's {of_days} days: the amount is that part of the price"


def _dated(trace: dict[str, Any]) -> bool:
    return bool(trace.get("valid_from"))
