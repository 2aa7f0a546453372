"""CSV as the portal hands it out: RFC 4180, and harmless when a spreadsheet opens it."""

import csv
import io
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import TextIO

# A spreadsheet runs a cell that begins like this (also in full width) as a formula.
_RUNS = tuple("=+-@\t\r\n＝＋－＠")  # noqa: RUF001 (these are the signs)


def safe(cell: object) -> str:
    """The cell as text that no spreadsheet runs: an apostrophe stands before what would be a formula.

    Numbers stay numbers, below zero too.
    """
    text = str(cell)
    if isinstance(cell, int | Decimal):
        return text
    return f"'{text}" if text.lstrip(" ").startswith(_RUNS) else text


def write_csv(out: TextIO, header: Sequence[str], rows: Iterable[Sequence[object]]) -> int:
    """Write the file to `out` (opened with `newline=""`), row by row; gives how many there were."""
    writer, count = csv.writer(out, lineterminator="\r\n"), 0
    writer.writerow(header)
    for count, row in enumerate(rows, 1):  # noqa: B007 (the number of the last one)
        writer.writerow([safe(cell) for cell in row])
    return count


def csv_file(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """The whole file in UTF-8, with the mark by which spreadsheets know it."""
    out = io.StringIO(newline="")
    write_csv(out, header, rows)
    return out.getvalue().encode("utf-8-sig", "replace")
