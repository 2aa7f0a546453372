"""CSV as the portal hands it out: RFC 4180, and harmless when a spreadsheet opens it."""

import csv
import io
from collections.abc import Iterable, Sequence
from decimal import Decimal

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


def csv_file(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """The whole file in UTF-8, with the mark by which spreadsheets know it."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows([safe(cell) for cell in row] for row in rows)
    return out.getvalue().encode("utf-8-sig", "replace")
