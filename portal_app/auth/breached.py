"""The passwords that were stolen somewhere: a file of their SHA-1 hashes, kept beside the portal.

The file is the one that Have I Been Pwned gives out: a line for each, "HASH" or "HASH:count", in the order of the
hashes. It is large, and read by halving: some 35 looks for a billion lines.
"""

import hashlib
from pathlib import Path
from typing import BinaryIO

HASH = 40


def holds(path: Path, password: str) -> bool:
    """Whether the file knows the password."""
    # The list's own hash; nothing is protected by it here.
    wanted = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper().encode()
    with path.open("rb") as file:
        low, high = 0, file.seek(0, 2)
        while low < high:
            middle = (low + high) // 2
            start, found = _line_from(file, middle)
            if found == wanted:
                return True
            if not found or found > wanted:
                high = middle
            else:
                low = start + HASH
    return False


def _line_from(file: BinaryIO, place: int) -> tuple[int, bytes]:
    """Where the first line that begins at the place or after it begins, and its hash; empty behind the last."""
    file.seek(max(0, place - 1))
    if place:
        file.readline()
    start = file.tell()
    return start, file.readline()[:HASH].upper()
