"""All that the page may see of an import."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypedDict

from portal_app.accounts.import_csv import SUBSCRIPTIONS, Checked, Fault, NewRow, counted
from portal_app.accounts.import_text import WINDOWS

SHOWN_FAULTS = 200
SAMPLE = 5
GUESSED = f"The file is not UTF-8; it was read as {WINDOWS}. Look at the names below before you import them."
_LABELS = {kind: label for label, kind in SUBSCRIPTIONS.items()}


class FaultLine(TypedDict):
    """One line of the faults' table."""

    key: int
    row: str
    column: str
    value: str
    text: str


class SampleLine(TypedDict):
    """One of the first accounts, as it will be."""

    row: int
    name: str
    email: str
    place: str
    subscription: str


class Tally(TypedDict):
    """How many accounts share a value."""

    label: str
    count: str


@dataclass(frozen=True, slots=True)
class Report:
    """What a check found, in words."""

    accounts: str
    fault_count: str
    encoding_note: str
    faults: list[FaultLine]
    faults_left: bool
    sample: list[SampleLine]
    places: list[Tally]
    subscriptions: list[Tally]


def report(checked: Checked) -> Report:
    """The check as the page shows it."""
    rows, names = checked.rows, checked.place_names
    return Report(
        accounts=counted(len(rows)),
        fault_count=fault_count(checked.faults),
        encoding_note=GUESSED if checked.encoding == WINDOWS else "",
        faults=[_fault_line(key, fault) for key, fault in enumerate(checked.faults[:SHOWN_FAULTS])],
        faults_left=len(checked.faults) > SHOWN_FAULTS,
        sample=[_sample_line(row, names) for row in rows[:SAMPLE]],
        places=_tally(names[row.place_id] for row in rows),
        subscriptions=_tally(_LABELS[row.subscription] for row in rows),
    )


def fault_count(faults: list[Fault]) -> str:
    """Such as "12 faults in 9 rows"."""
    rows = {fault.row for fault in faults if fault.row > 1}
    return counted(len(faults), "fault") + (f" in {counted(len(rows), 'row')}" if rows else "")


def _fault_line(key: int, fault: Fault) -> FaultLine:
    row = f"{fault.row:,}" if fault.row else "File"
    return FaultLine(key=key, row=row, column=fault.column, value=fault.value, text=fault.text)


def _sample_line(row: NewRow, names: dict[int, str]) -> SampleLine:
    return SampleLine(
        row=row.row,
        name=row.name,
        email=row.email,
        place=names[row.place_id],
        subscription=_LABELS[row.subscription],
    )


def _tally(labels: Iterable[str]) -> list[Tally]:
    return [Tally(label=label, count=f"{number:,}") for label, number in Counter(labels).most_common()]
