"""A CSV of new accounts, checked whole. Pure: what the database knows is handed in.

Every fault names the row and the column as a spreadsheet shows them, and says what to do.
"""

import csv
import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from portal_app.accounts import import_text
from portal_app.csv_out import csv_file
from portal_app.errors import Invalid
from portal_app.models import SubscriptionType
from portal_app.text import clean, email_fault, fold, has_control, name_fault, normal_email

NAME, EMAIL, PLACE, SUBSCRIPTION = COLUMNS = ("Account name", "Account email", "Data center", "Subscription")
REQUIRED = (NAME, EMAIL)
MOST_ROWS = 50_000
SUBSCRIPTIONS = {
    "Trial": SubscriptionType.TRIAL,
    "Trial then monthly": SubscriptionType.TRIAL_MONTHLY,
    "Trial then annual": SubscriptionType.TRIAL_ANNUAL,
    "Monthly": SubscriptionType.MONTHLY,
    "Annual": SubscriptionType.ANNUAL,
}

TOO_MANY = f"The file has more than {MOST_ROWS:,} accounts. Split it into several files."
EMPTY = "The file is empty. Download the template, and fill in one row for each account."
ONLY_HEADER = "The file names the columns and holds no account. Fill in one row for each account."
NO_HEADER = "The first row must name the columns: Account name, Account email, Data center, Subscription."
MISSING = "This column is missing. Add it to the first row."
TWICE = "This column is there twice. Remove one."
TOO_WIDE = "The first row names far more columns than the four of the template."
LINE_BREAK = "Remove the line break inside the value."
WHOLE_FILE = 0

_STEP = 100
_MOST_COLUMNS = 50
# Finding the nearest name costs a thousand times more than finding the name.
_MOST_SUGGESTIONS = 200
_SHOWN = 80
_SPELLINGS = {"data centre": PLACE, "data center location": PLACE} | {fold(name): name for name in COLUMNS}
_TYPES = {fold(label): kind for label, kind in SUBSCRIPTIONS.items()} | {
    kind.value.replace("_", " "): kind for kind in SubscriptionType
}

OnStep = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a cell, and what to do. Row 0 is the whole file, row 1 the names of the columns."""

    row: int
    column: str
    value: str
    text: str

    def __str__(self) -> str:
        where = [f"Row {self.row}"] * bool(self.row) + [self.column] * bool(self.column)
        value = f" ({self.value})" if self.value else ""
        return f"{', '.join(where) or 'The file'}{value}: {self.text}"


@dataclass(frozen=True, slots=True)
class NewRow:
    """One faultless row."""

    row: int
    name: str
    email: str
    email_key: str
    place_id: int
    subscription: SubscriptionType


@dataclass(frozen=True, slots=True)
class Known:
    """The data centers by folded name, their names in the order of the provider, and the partner's defaults."""

    places: dict[str, int]
    place_names: dict[int, str]
    default_place: int
    default_subscription: SubscriptionType


@dataclass(slots=True)
class Checked:
    """All that was found. `emails`: each good address in its compared form, with the first row that has it."""

    place_names: dict[int, str] = field(default_factory=dict)
    rows: list[NewRow] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    emails: dict[str, tuple[int, str]] = field(default_factory=dict)
    encoding: str = ""
    total: int = 0


@dataclass(frozen=True, slots=True)
class _Sheet:
    header: list[str]
    separator: str
    rows: list[tuple[int, list[str] | str]]


def counted(number: int, what: str = "account") -> str:
    """Such as "1 account" or "50,000 accounts"."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def template() -> bytes:
    """The file to fill in: the names of the columns."""
    return csv_file(COLUMNS, ())


def faults_file(faults: Sequence[Fault]) -> bytes:
    """All faults as a CSV."""
    rows = ((fault.row or "", fault.column, fault.value, fault.text) for fault in faults)
    return csv_file(("Row", "Column", "Value", "What to do"), rows)


def check(content: bytes, known: Known, on_step: OnStep = lambda _share: None) -> Checked:
    """Every fault of the file, and its faultless rows. `on_step` hears how far it is (0 to 1)."""
    found = Checked(known.place_names)
    try:
        text, found.encoding = import_text.decode(content)
        sheet = _sheet(text)
    except Invalid as refusal:
        found.faults.append(Fault(WHOLE_FILE, "", "", refusal.sentence))
        return found
    found.faults += _header_faults(sheet.header)
    if all(fault.text not in (MISSING, TWICE, TOO_WIDE) for fault in found.faults):
        _check_rows(sheet, _Checker(sheet, known, found), found, on_step)
    return found


def _sheet(text: str) -> _Sheet:
    line = import_text.header_line(text)
    if not line:
        raise Invalid(EMPTY)
    separator = max(import_text.SEPARATORS, key=lambda sign: len(_named(_cells(line, sign))))
    rows = []
    for numbered in import_text.records(text, separator):
        rows.append(numbered)
        if len(rows) > MOST_ROWS + 1:
            raise Invalid(TOO_MANY)
    header = rows[0][1] if rows else ""
    if isinstance(header, str):
        raise Invalid(header or EMPTY)
    if not _named(header):
        raise Invalid(NO_HEADER)
    if len(rows) == 1:
        raise Invalid(ONLY_HEADER)
    return _Sheet(header, separator, rows[1:])


def _cells(line: str, separator: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])
    except csv.Error:
        return []


def _column(cell: str) -> str:
    """The column that a cell of the first row names; empty when it names none."""
    return _SPELLINGS.get(" ".join(fold(cell).replace("_", " ").split()), "")


def _named(cells: Sequence[str]) -> list[str]:
    return [column for column in map(_column, cells[:_MOST_COLUMNS]) if column]


def _header_faults(header: list[str]) -> list[Fault]:
    if len(header) > _MOST_COLUMNS:
        return [Fault(1, "", "", TOO_WIDE)]
    named = _named(header)
    faults = [Fault(1, column, "", MISSING) for column in REQUIRED if column not in named]
    faults += [Fault(1, column, column, TWICE) for column in COLUMNS if named.count(column) > 1]
    unknown = (cell for cell in header if cell.strip() and not _column(cell))
    return faults + [Fault(1, shown(cell), shown(cell), _unknown_column(cell)) for cell in unknown]


def _unknown_column(cell: str) -> str:
    near = difflib.get_close_matches(fold(cell.strip())[:_SHOWN], list(_SPELLINGS), 1)
    hint = f"Did you mean “{_SPELLINGS[near[0]]}”? Else remove it." if near else "Remove it."
    return f"The import knows no such column. {hint}"


def _check_rows(sheet: _Sheet, checker: "_Checker", found: Checked, on_step: OnStep) -> None:
    found.total = len(sheet.rows)
    for number, (row, cells) in enumerate(sheet.rows):
        if number % _STEP == 0:
            on_step(number / found.total)
        checker.check(row, cells)


class _Checker:
    """Checks rows one after the other; knows the addresses of those before."""

    def __init__(self, sheet: _Sheet, known: Known, found: Checked) -> None:
        self.found, self.known, self.width = found, known, len(sheet.header)
        self.separator = import_text.SEPARATORS[sheet.separator]
        self.at = {_column(cell): place for place, cell in enumerate(sheet.header) if _column(cell)}
        self.near: dict[str, str] = {}

    def check(self, row: int, cells: list[str] | str) -> None:
        """Note the row's faults, or the row."""
        before = len(self.found.faults)
        if isinstance(cells, str):
            self._fault(row, "", "", cells)
        elif self._has_width(row, cells):
            name, email = self._name(row, cells), self._email(row, cells)
            place, subscription = self._place(row, cells), self._subscription(row, cells)
            if len(self.found.faults) == before:
                new = NewRow(row, name, email[0], email[1], place, subscription)
                self.found.rows.append(new)

    def _fault(self, row: int, column: str, value: str, text: str) -> None:
        self.found.faults.append(Fault(row, column, shown(value), text))

    def _has_width(self, row: int, cells: list[str]) -> bool:
        extra = any(cell.strip() for cell in cells[self.width :])
        if len(cells) >= self.width and not extra:
            return True
        todo = (
            f"Put quotation marks around a value that holds a {self.separator}."
            if extra
            else f"End it with a {self.separator} for each value that stays empty."
        )
        values = "1 value" if len(cells) == 1 else f"{len(cells):,} values"
        self._fault(row, "", "", f"This row has {values}, the first row {self.width}. {todo}")
        return False

    def _value(self, cells: list[str], column: str) -> str:
        place = self.at.get(column)
        return "" if place is None else clean(cells[place])

    def _name(self, row: int, cells: list[str]) -> str:
        name = self._value(cells, NAME)
        if text := _line_break(name) or name_fault(name, "a name"):
            self._fault(row, NAME, name, text)
        return name

    def _email(self, row: int, cells: list[str]) -> tuple[str, str]:
        email = self._value(cells, EMAIL)
        if text := _line_break(email) or email_fault(email):
            self._fault(row, EMAIL, email, text)
            return email, ""
        key = normal_email(email)
        first, _ = self.found.emails.setdefault(key, (row, email))
        if first != row:
            self._fault(row, EMAIL, email, f"Row {first} has the same email. Each account needs its own.")
        return email, key

    def _place(self, row: int, cells: list[str]) -> int:
        given = self._value(cells, PLACE)
        place = self.known.places.get(fold(given)) if given else self.known.default_place
        if place is None:
            self._fault(row, PLACE, given, self._suggested_place(given))
            return 0
        return place

    def _suggested_place(self, given: str) -> str:
        key = fold(given)[:_SHOWN]
        if key not in self.near and len(self.near) < _MOST_SUGGESTIONS:
            self.near[key] = _nearest(key, list(self.known.place_names.values()))
        near = self.near.get(key, "")
        todo = f"Did you mean “{near}”?" if near else "Use one of those listed on the import page, or leave it empty."
        return f"There is no such data center. {todo}"

    def _subscription(self, row: int, cells: list[str]) -> SubscriptionType:
        given = self._value(cells, SUBSCRIPTION)
        if not given:
            return self.known.default_subscription
        kind = _TYPES.get(" ".join(fold(given).replace("_", " ").split()))
        if kind is None:
            text = f"There is no such subscription. Use one of: {', '.join(SUBSCRIPTIONS)}; or leave it empty."
            self._fault(row, SUBSCRIPTION, given, text)
        return kind or self.known.default_subscription


def _line_break(value: str) -> str:
    return LINE_BREAK if "\n" in value or "\r" in value else ""


def _nearest(key: str, names: Sequence[str]) -> str:
    folded = {fold(name): name for name in names}
    inside = [name for low, name in folded.items() if len(key) > 2 and key in low]
    near = inside or [folded[low] for low in difflib.get_close_matches(key, list(folded), 1, 0.5)]
    return near[0] if near else ""


def shown(value: str) -> str:
    """The beginning of a value, with what can't be seen made visible."""
    cut = value[:_SHOWN] + ("…" if len(value) > _SHOWN else "")
    if not has_control(cut):
        return cut
    return "".join(char.encode("unicode_escape").decode() if has_control(char) else char for char in cut)
