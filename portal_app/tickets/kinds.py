"""Which files a message may have: by their ending, and by what they hold."""

import unicodedata
from collections.abc import Callable

from portal_app.errors import Invalid

MOST_FILES = 5
MOST_BYTES = 10 * 1024 * 1024
LONGEST_NAME = 120
TOO_LARGE = "The file is larger than 10 MB. Pack it, or send a part of it."
TOO_MANY = f"A message takes up to {MOST_FILES} files. Remove one first, or send a second message."
EMPTY = "The file is empty."
WRONG_KIND = "Files of this kind are not taken. Send a picture, a PDF, a text, an Office document or a ZIP."
NOT_ITS_KIND = "The file does not hold what its name says. Save it again in that format, or pack it as a ZIP."

_OFFICE = "application/vnd.openxmlformats-officedocument"


def _begins(*marks: bytes) -> Callable[[bytes], bool]:
    return lambda data: data.startswith(marks)


def _is_webp(data: bytes) -> bool:
    return data.startswith(b"RIFF") and data[8:12] == b"WEBP"


def _is_text(data: bytes) -> bool:
    """UTF-16 has a mark of its own; all else that is text has no byte of zero."""
    return data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" not in data


_PACKED = _begins(b"PK\x03\x04", b"PK\x05\x06")
# Ending -> what it is served as, and whether the bytes are that.
KINDS: dict[str, tuple[str, Callable[[bytes], bool]]] = {
    "csv": ("text/csv", _is_text),
    "docx": (f"{_OFFICE}.wordprocessingml.document", _PACKED),
    "eml": ("message/rfc822", _is_text),
    "gif": ("image/gif", _begins(b"GIF87a", b"GIF89a")),
    "jpeg": ("image/jpeg", _begins(b"\xff\xd8\xff")),
    "jpg": ("image/jpeg", _begins(b"\xff\xd8\xff")),
    "json": ("application/json", _is_text),
    "log": ("text/plain", _is_text),
    "pdf": ("application/pdf", _begins(b"%PDF-")),
    "png": ("image/png", _begins(b"\x89PNG\r\n\x1a\n")),
    "pptx": (f"{_OFFICE}.presentationml.presentation", _PACKED),
    "txt": ("text/plain", _is_text),
    "webp": ("image/webp", _is_webp),
    "xlsx": (f"{_OFFICE}.spreadsheetml.sheet", _PACKED),
    "zip": ("application/zip", _PACKED),
}
ACCEPTED = ",".join(f".{ending}" for ending in KINDS)


def checked(name: str, data: bytes) -> tuple[str, str]:
    """The name to keep and the media type. Raises Invalid (field `files`)."""
    name = plain_name(name)
    kind = KINDS.get(name.rpartition(".")[2].lower())
    if kind is None:
        raise Invalid(files=WRONG_KIND)
    if not data:
        raise Invalid(files=EMPTY)
    if len(data) > MOST_BYTES:
        raise Invalid(files=TOO_LARGE)
    if not kind[1](data):
        raise Invalid(files=NOT_ITS_KIND)
    return name, kind[0]


def plain_name(name: str) -> str:
    """Without folders, and without characters that no name needs; the ending stays where it is cut."""
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    shown = "".join(char for char in last if unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Cn"}).strip(" .")
    stem, dot, ending = shown.rpartition(".")
    return f"{stem[: LONGEST_NAME - len(ending) - 1]}{dot}{ending}" if len(shown) > LONGEST_NAME else shown
