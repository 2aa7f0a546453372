"""The bytes of an uploaded CSV as rows of text: its encoding, its separator, its quotation marks. Pure."""

import csv
import io
import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, BOM_UTF32_BE, BOM_UTF32_LE
from collections.abc import Iterator

from portal_app.errors import Invalid

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab"}
WINDOWS = "Windows-1252"
WORKBOOK = "This is an Excel workbook. In Excel, use Save As with the type “CSV UTF-8”, and upload that file."
NOT_UTF8 = "The file's letters can't be read. Save it as UTF-8 (in Excel: “CSV UTF-8”) and upload it again."
NEVER_CLOSED = (
    "A quotation mark opens here and is never closed, so this row and all after it can't be read. "
    "Close it, or remove it."
)
BROKEN_QUOTES = "Text follows a closing quotation mark. Write a quotation mark inside a value twice."

_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
# What text of another encoding looks like when it is read as Windows-1252: a capital after a small letter, a sign
# inside a word, a word of nothing but accented letters, control characters.
_UNLIKELY = re.compile(
    "[a-zß-ÿšœž][À-ÖØ-ÞŠŒŽŸ]"
    "|[A-Za-zÀ-ÖØ-öø-ÿŠŒŽŸšœž](?![A-Za-zÀ-ÖØ-öø-ÿŠŒŽŸšœž’·])[\x80-\U0010ffff][A-Za-zÀ-ÖØ-öø-ÿ]"  # noqa: RUF001
    "|(?<![A-Za-z])[À-ÖØ-öø-ÿŠŒŽŸšœž]{3,}(?![A-Za-z])"
    "|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
)


def decode(content: bytes) -> tuple[str, str]:
    """The text and the name of its encoding. Invalid, with what to do, for what is no text."""
    if content.startswith(_WORKBOOKS):
        raise Invalid(WORKBOOK)
    try:
        return _by_mark(content)
    except UnicodeDecodeError:
        return _windows(content), WINDOWS


def _by_mark(content: bytes) -> tuple[str, str]:
    if content.startswith((BOM_UTF32_LE, BOM_UTF32_BE)):
        raise Invalid(NOT_UTF8)
    if content.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        try:
            return content.decode("utf-16"), "UTF-16"
        except UnicodeDecodeError:
            raise Invalid(NOT_UTF8) from None
    return content.removeprefix(BOM_UTF8).decode("utf-8"), "UTF-8"


def _windows(content: bytes) -> str:
    if content.startswith(BOM_UTF8):
        raise Invalid(NOT_UTF8)
    try:
        text = content.decode("cp1252")
    except UnicodeDecodeError:
        raise Invalid(NOT_UTF8) from None
    if _UNLIKELY.search(text):
        raise Invalid(NOT_UTF8)
    return text


def header_line(text: str) -> str:
    """The first line that holds anything."""
    return next((line for line in io.StringIO(text) if line.strip()), "").strip("\r\n")


def records(text: str, separator: str) -> Iterator[tuple[int, list[str] | str]]:
    """Row number (as a spreadsheet counts) and cells of each row; in place of the cells a sentence when it can't be
    read. Rows of nothing but separators are left out.
    """
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True, skipinitialspace=True)
    row = 0
    while True:
        row += 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as fault:
            if "expected after" not in str(fault):
                yield row, NEVER_CLOSED
                return
            yield row, BROKEN_QUOTES
            continue
        if any(cell.strip() for cell in cells):
            yield row, cells
