"""A reader of Backup Radar's mails, written from its stated rules alone. It shares no code with what writes them.

The subject begins `Backup Report CSV`. There is one attachment, .csv or .zip (with one .csv). The header is exactly
`Device,Status,Backup Date,Job,Client,Data Size`; the first three are required, names are case-sensitive. Status is
`Success`, `Warning` or `Failure`. The body is not read.
"""

import io
import re
import zipfile
from datetime import datetime
from email.message import EmailMessage

HEADER = "Device,Status,Backup Date,Job,Client,Data Size"
REQUIRED = ("Device", "Status", "Backup Date")
_CELL = re.compile(r'(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)')
KNOWN = {"Success", "Warning", "Failure"}


class Unreadable(Exception):
    """The service would drop the mail."""


def read(message: EmailMessage) -> list[dict[str, str]]:
    """The results that the mail tells of."""
    if not str(message["Subject"]).startswith("Backup Report CSV"):
        raise Unreadable("subject")
    files = [part for part in message.walk() if part.get_content_disposition() == "attachment"]
    if len(files) != 1:
        raise Unreadable(f"{len(files)} attachments")
    return _rows(_content(files[0]))


def _content(file: EmailMessage) -> str:
    name, content = file.get_filename() or "", file.get_payload(decode=True)
    assert isinstance(content, bytes)
    if name.endswith(".zip"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            (name,) = archive.namelist()
            content = archive.read(name)
    if not name.endswith(".csv"):
        raise Unreadable(name)
    return content.decode("utf-8", "strict")


def _rows(text: str) -> list[dict[str, str]]:
    records = _records(text)
    if not records or ",".join(records[0]) != HEADER or not text.startswith(HEADER):
        raise Unreadable("header")
    rows = [dict(zip(HEADER.split(","), record, strict=True)) for record in records[1:]]
    for row in rows:
        if any(not row[name] for name in REQUIRED) or row["Status"] not in KNOWN:
            raise Unreadable(str(row))
        datetime.fromisoformat(row["Backup Date"])
    return rows


def _records(text: str) -> list[list[str]]:
    """RFC 4180: cells by commas, lines by CRLF, and whatever it is between quotes."""
    records: list[list[str]] = [[]]
    at = 0
    while at < len(text):
        found = _CELL.match(text, at)
        if found is None:
            raise Unreadable(text[at : at + 20])
        quoted, plain, end = found.groups()
        records[-1].append(plain if quoted is None else quoted.replace('""', '"'))
        if end == "\r\n":
            records.append([])
        at = found.end()
    if records.pop():
        raise Unreadable("the last line does not end")
    return records
