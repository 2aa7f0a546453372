"""CSV as the portal hands it out: RFC 4180, and harmless when a spreadsheet opens it."""

import csv
import io
from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TextIO
from zipfile import ZIP_DEFLATED, ZipFile

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


def csv_to(place: Path, header: Sequence[str], rows: Iterable[Sequence[object]], *, mark: bool = True) -> int:
    """The file on disk, row by row; gives how many there were. `mark`: the one by which spreadsheets know UTF-8."""
    with place.open("w", encoding=_encoding(mark), errors="replace", newline="") as out:
        return write_csv(out, header, rows)


def zip_to(
    place: Path, name: str, header: Sequence[str], rows: Iterable[Sequence[object]], *, mark: bool = True
) -> int:
    """The same inside a zip, under this name."""
    with (
        ZipFile(place, "w", ZIP_DEFLATED) as archive,
        archive.open(name, "w", force_zip64=True) as raw,
        io.TextIOWrapper(raw, _encoding(mark), errors="replace", newline="") as out,
    ):
        return write_csv(out, header, rows)


def _encoding(mark: bool) -> str:
    return "utf-8-sig" if mark else "utf-8"


def csv_file(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """The whole file in UTF-8, with the mark by which spreadsheets know it."""
    out = io.StringIO(newline="")
    write_csv(out, header, rows)
    return out.getvalue().encode("utf-8-sig", "replace")
