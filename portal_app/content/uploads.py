"""Files that operators give a page: which are taken, judged by their names and by what is in them."""

import re
from pathlib import PurePosixPath

from portal_app.content.media import KEPT, SHOWN
from portal_app.errors import Invalid

MOST_BYTES = 25_000_000
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
# With what such files begin, and where.
_BEGINS: dict[str, tuple[tuple[int, bytes], ...]] = {
    ".avif": ((4, b"ftyp"),),
    ".docx": ((0, b"PK\x03\x04"),),
    ".gif": ((0, b"GIF8"),),
    ".jpeg": ((0, b"\xff\xd8\xff"),),
    ".jpg": ((0, b"\xff\xd8\xff"),),
    ".mp4": ((4, b"ftyp"),),
    ".pdf": ((0, b"%PDF-"),),
    ".png": ((0, b"\x89PNG\r\n\x1a\n"),),
    ".pptx": ((0, b"PK\x03\x04"),),
    ".webm": ((0, b"\x1a\x45\xdf\xa3"),),
    ".webp": ((0, b"RIFF"), (8, b"WEBP")),
    ".xlsx": ((0, b"PK\x03\x04"),),
    ".zip": ((0, b"PK"),),
}
_TEXTS = frozenset({".csv", ".txt", ".vtt"})
# An SVG can hold scripts.
TAKEN = (SHOWN | KEPT).keys() - {".svg"}


def checked_name(name: str) -> str:
    """The name under which the file is kept: its own, with hyphens for spaces. Raises Invalid."""
    own = "-".join(PurePosixPath(name.replace("\\", "/")).name.split())
    if not _NAME.fullmatch(own):
        raise Invalid("Give the file a name of letters, digits, dots, hyphens and underscores, 100 at most.")
    return own


def checked(name: str, data: bytes) -> str:
    """The media type of a file that may be kept. Raises Invalid."""
    ending = PurePosixPath(name).suffix.lower()
    if ending not in TAKEN:
        raise Invalid(f"Files of this kind are not taken. Choose one of {', '.join(sorted(TAKEN))}.")
    if not data:
        raise Invalid("The file is empty.")
    if len(data) > MOST_BYTES:
        raise Invalid(f"The file is too large: {MOST_BYTES // 1_000_000} MB at most.")
    if not all(data[at : at + len(begin)] == begin for at, begin in _BEGINS.get(ending, ())):
        raise Invalid(f"This is no {ending.removeprefix('.')} file, whatever its name says.")
    if ending in _TEXTS and not _is_text(data):
        raise Invalid("This is no text in UTF-8.")
    return (SHOWN | KEPT)[ending]


def _is_text(data: bytes) -> bool:
    try:
        return "\x00" not in data.decode("utf-8")
    except UnicodeDecodeError:
        return False
