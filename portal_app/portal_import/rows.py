"""All that the page may see of an import from an existing portal."""

from collections.abc import Sequence
from typing import Any, TypedDict

from portal_app.models import ImportedBill
from portal_app.portal_import.report import Report
from portal_app.sizes import size_text


class AccountLine(TypedDict):
    """What happens to one account. `look` is the badge's kind."""

    id: int
    name: str
    email: str
    status: str
    look: str
    action: str
    what: str
    tasks: int
    states: int
    bills: int
    size: str


class ValueLine(TypedDict):
    """One value that could not be read."""

    id: int
    object: str
    field: str
    value: str
    text: str


class BillLine(TypedDict):
    """One bill of the portal, as it is kept to be read."""

    id: int
    account_id: int
    name: str
    period: str
    total: str
    payment: str


class NameLine(TypedDict):
    """A name that ends in digits, and how it is without them."""

    name: str
    shorter: str


class Figure(TypedDict):
    """How many of something there are."""

    label: str
    count: str


class Wanted(TypedDict):
    """A word of the portal for which something is to be chosen. `field` names its select."""

    field: str
    word: str
    count: str
    value: str


_ACTIONS = {
    "add": ("green", "Add"),
    "change": ("accent", "Change"),
    "same": ("grey", "Leave"),
    "left": ("orange", "Leave out"),
}


def account_lines(report: Report, start: int, count: int) -> list[AccountLine]:
    """A page of the accounts."""
    return [_account(number, line) for number, line in enumerate(report.lines[start : start + count], start)]


def _account(number: int, line: Sequence[Any]) -> AccountLine:
    name, email, status, action, what, tasks, states, bills, size = line
    look, word = _ACTIONS[action]
    return AccountLine(
        id=number,
        name=name,
        email=email,
        status=status,
        look=look,
        action=word,
        what=what,
        tasks=tasks,
        states=states,
        bills=bills,
        size=size_text(size),
    )


def value_lines(report: Report, start: int, count: int) -> list[ValueLine]:
    """A page of the values that could not be read."""
    return [
        ValueLine(id=number, object=f"{kind} {name}".strip(), field=where, value=value, text=text)
        for number, (kind, name, where, value, text) in enumerate(report.faults[start : start + count], start)
    ]


def bill_lines(bills: Sequence[ImportedBill]) -> list[BillLine]:
    """A page of bills."""
    return [
        BillLine(
            id=bill.id or 0,
            account_id=bill.account_id or 0,
            name=bill.name,
            period=bill.period,
            total=f"{bill.total} {bill.currency}".strip(),
            payment=bill.payment,
        )
        for bill in bills
    ]


def figures(report: Report) -> list[Figure]:
    """The dry run in numbers."""
    told = (
        ("Accounts added", "add"),
        ("Accounts changed", "change"),
        ("Accounts left as they are", "same"),
        ("Accounts left out", "left"),
        ("New tasks", "new tasks"),
        ("New states of what is backed up", "new states"),
        ("New old bills", "new bills"),
    )
    return [Figure(label=label, count=f"{report.totals.get(name, 0):,}") for label, name in told]


def wanted(kind: str, counts: dict[str, int], chosen: dict[str, Any]) -> list[Wanted]:
    """What is to be chosen for the words there are."""
    return [
        Wanted(field=f"{kind}-{number}", word=word or "(none)", count=f"{count:,}", value=str(chosen.get(word, "")))
        for number, (word, count) in enumerate(counts.items())
    ]
