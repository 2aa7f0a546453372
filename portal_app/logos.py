"""An operator's logo: an SVG of nothing but shapes, or a PNG of nothing but its picture."""

import base64
import re
import struct
import xml.etree.ElementTree as ET
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

LARGEST_SVG, LARGEST_PNG = 100_000, 500_000
MOST_PIXELS = 4096
_SVG = "http://www.w3.org/2000/svg"
_HREFS = {"href", "{http://www.w3.org/1999/xlink}href"}
_SHAPES = set(
    """
    svg g defs symbol use path rect circle ellipse line polyline polygon linearGradient radialGradient stop clipPath
    mask title desc style
    """.split()  # noqa: SIM905
)
_ATTRIBUTES = set(
    """
    id class viewBox width height x y x1 y1 x2 y2 cx cy r rx ry fx fy d points transform gradientTransform
    gradientUnits spreadMethod offset clipPathUnits maskUnits maskContentUnits preserveAspectRatio version fill
    fill-opacity fill-rule stroke stroke-width stroke-linecap stroke-linejoin stroke-miterlimit stroke-dasharray
    stroke-dashoffset stroke-opacity opacity color clip-path clip-rule mask stop-color stop-opacity display
    visibility style
    """.split()  # noqa: SIM905
)
# In a style sheet or a value: only what is in the file itself may be named.
_OUTWARD = re.compile(r"@|\\|<|expression|url\((?!\s*[\"']?#)", re.IGNORECASE)
_PNG = b"\x89PNG\r\n\x1a\n"
_KEPT_CHUNKS = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP"})
ET.register_namespace("", _SVG)


@dataclass(frozen=True, slots=True)
class Logo:
    """A picture that is safe to serve. `left_out`: names of what the file held beside shapes."""

    content: bytes
    media_type: str
    width: float
    height: float
    left_out: tuple[str, ...] = ()

    @property
    def svg(self) -> str:
        """As SVG in any case: what draws one draws the other."""
        if self.media_type == "image/svg+xml":
            return self.content.decode()
        size = f'width="{self.width:g}" height="{self.height:g}"'
        data = base64.b64encode(self.content).decode()
        box = f'viewBox="0 0 {self.width:g} {self.height:g}"'
        return f'<svg xmlns="{_SVG}" {box} {size}><image {size} href="data:image/png;base64,{data}"/></svg>'

    @property
    def is_wide(self) -> bool:
        """Whether it is a name in letters rather than a mark."""
        return self.width > 2 * self.height


@cache
def read(path: Path) -> Logo:
    """The logo in a file. Raises ValueError that says what is wrong with it, OSError when it can't be read."""
    if path.stat().st_size > LARGEST_PNG:
        raise ValueError("is too large for a logo: 500 kB at most")
    content = path.read_bytes()
    return png_logo(content) if content.startswith(_PNG) else svg_logo(content)


def svg_logo(content: bytes) -> Logo:
    """The SVG with shapes only: no script, no link, nothing from elsewhere. Raises ValueError."""
    if len(content) > LARGEST_SVG:
        raise ValueError("is too large for an SVG: 100 kB at most")
    # Entities are declared in a document type, and a logo needs none.
    plain = re.sub(rb"<!DOCTYPE[^\[>]*>", b"", content, count=1)
    if re.search(rb"<!(DOCTYPE|ENTITY)", plain, re.IGNORECASE) or b"\x00" in plain:
        raise ValueError("must be an SVG in UTF-8 without a document type of its own, or a PNG")
    try:
        root = ET.fromstring(plain)  # noqa: S314 (no entities, see above)
    except ET.ParseError:
        raise ValueError("is neither an SVG nor a PNG") from None
    if root.tag != f"{{{_SVG}}}svg":
        raise ValueError("is neither an SVG nor a PNG")
    left_out = tuple(sorted(set(_cleaned(root))))
    width, height = _size(root)
    return Logo(ET.tostring(root), "image/svg+xml", width, height, left_out)


def _cleaned(element: ET.Element) -> Iterator[str]:
    """Takes out what is no shape, and names it."""
    for name, value in list(element.attrib.items()):
        is_inner = name in _HREFS and value.startswith("#")
        if not is_inner and (name not in _ATTRIBUTES or _OUTWARD.search(value)):
            del element.attrib[name]
            if "}" not in name:
                yield name
    for child in list(element):
        tag = str(child.tag)
        name = tag.removeprefix(f"{{{_SVG}}}")
        if name not in _SHAPES or (name == "style" and _OUTWARD.search(child.text or "")):
            element.remove(child)
            # Notes of drawing programs are in spaces of their own: nobody misses them.
            if "}" not in name:
                yield f"<{name}>"
        else:
            yield from _cleaned(child)


def _size(root: ET.Element) -> tuple[float, float]:
    box = re.split(r"[\s,]+", root.get("viewBox", "").strip())
    numbers = box[2:] if len(box) == 4 else [root.get("width", "").removesuffix("px"), root.get("height", "")]
    try:
        width, height = (float(number.removesuffix("px")) for number in numbers)
    except ValueError:
        raise ValueError("must be an SVG with a viewBox") from None
    if not (0 < width < 1e6 and 0 < height < 1e6):
        raise ValueError("must be an SVG with a viewBox")
    if len(box) != 4:
        root.set("viewBox", f"0 0 {width:g} {height:g}")
    return width, height


def png_logo(content: bytes) -> Logo:
    """The PNG without anything but its picture. Raises ValueError."""
    kept, width, height = [_PNG], 0, 0
    try:
        for kind, data in _chunks(content):
            if kind == b"IHDR":
                width, height = struct.unpack(">II", data[:8])
            if kind in _KEPT_CHUNKS:
                kept.append(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)))
    except struct.error:
        raise ValueError("is a damaged PNG") from None
    if not (0 < width <= MOST_PIXELS and 0 < height <= MOST_PIXELS):
        raise ValueError(f"must have no more than {MOST_PIXELS} pixels in a row")
    return Logo(b"".join(kept), "image/png", width, height)


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    at, kind = len(_PNG), b""
    while kind != b"IEND":
        length, kind = struct.unpack_from(">I4s", content, at)
        data = content[at + 8 : at + 8 + length]
        (told,) = struct.unpack_from(">I", content, at + 8 + length)
        if told != zlib.crc32(kind + data):
            raise ValueError("is a damaged PNG")
        yield kind, data
        at += 12 + length
