"""Parts that were compressed apart are one gzip file."""

import gzip
import zlib

from portal_app.shell.packed import Part, gzipped


def test_parts_are_one_text_to_whoever_unpacks_it() -> None:
    page, rows = Part.of("a page of rows " * 3000), "rows ü ä " * 50
    known = Part.of(rows, 4, page.plain)
    assert len(known.deflated) < len(Part.of(rows, 4).deflated)
    parts = [page, Part.of("", 4, page.plain), Part.of("", 4), known, Part.of("</html>")]
    packed = gzipped(*parts)
    assert gzip.decompress(packed) == b"".join(part.plain for part in parts)
    assert len(packed) < 300
    # No second file follows the first, which a browser would not read.
    unpacker = zlib.decompressobj(16 + zlib.MAX_WBITS)
    unpacker.decompress(packed)
    assert unpacker.eof
    assert unpacker.unused_data == b""
