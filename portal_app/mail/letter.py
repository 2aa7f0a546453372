"""What a mail says, before anybody decides how it looks."""

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Letter:
    """Plain text throughout: no markup in it is ever taken as such. Addresses are absolute (`links.absolute`).

    `action` is the one button, its label and where it leads. `items` is a list below the paragraphs: of each thing its
    name, its address ("" for none) and a remark. `small` is the small print. `attachments` are files: the name of each,
    and what it is made of when the letter goes out, such as "bill:7" (`mail.delivery`).
    """

    subject: str
    paragraphs: tuple[str, ...]
    action: tuple[str, str] | None = None
    small: tuple[str, ...] = ()
    items: tuple[tuple[str, str, str], ...] = ()
    attachments: tuple[tuple[str, str], ...] = ()


def pack(letter: Letter) -> bytes:
    """The letter as bytes, to be stored."""
    return json.dumps(asdict(letter)).encode()


def unpack(stored: bytes) -> Letter:
    """The letter that `pack` made bytes of."""
    found = json.loads(stored)
    return Letter(
        subject=found["subject"],
        paragraphs=tuple(found["paragraphs"]),
        action=tuple(found["action"]) if found["action"] else None,
        small=tuple(found["small"]),
        items=tuple(tuple(item) for item in found["items"]),
        attachments=tuple(tuple(file) for file in found.get("attachments", ())),
    )
