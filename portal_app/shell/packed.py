"""Gzip of a text of which most is known before: only what is new in it is compressed as it is sent."""

import zlib
from dataclasses import dataclass
from struct import pack

_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_END = b"\x03\x00"


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of the text, compressed by itself."""

    plain: bytes
    deflated: bytes

    @classmethod
    def of(cls, text: str, level: int = 9, after: bytes = b"") -> "Part":
        """Compress it so that any other part may follow; what stands right before it, where that is known, helps."""
        plain, known = text.encode(), after[-(1 << zlib.MAX_WBITS) :]
        packer = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS, zdict=known)
        return cls(plain, packer.compress(plain) + packer.flush(zlib.Z_FULL_FLUSH))


def gzipped(*parts: Part) -> bytes:
    """All parts as one gzip file."""
    check = size = 0
    for part in parts:
        check, size = zlib.crc32(part.plain, check), size + len(part.plain)
    return b"".join((_HEADER, *(part.deflated for part in parts), _END, pack("<II", check, size % 2**32)))
