"""An operator's logo: shapes stay, everything else goes, and what can't be used is refused in words."""

import struct
import zlib
from pathlib import Path

import pytest

from portal_app import logos

OPEN = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 40 20">'
SHAPE = '<path d="M0 0h40v20z" fill="#123456"/>'


def _svg(inner: str) -> logos.Logo:
    return logos.svg_logo(f"{OPEN}{inner}</svg>".encode())


def png(width: int = 3, height: int = 2, *extra: tuple[bytes, bytes]) -> bytes:
    """A small picture, all of one colour."""
    rows = b"".join(b"\x00" + b"\x10\x60\xa0" * width for _ in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", head), *extra, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    packed = (struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


def test_shapes_stay_as_they_are() -> None:
    inner = f'<style>.a{{fill:url(#g)}}</style><g class="a">{SHAPE}<use xlink:href="#g"/></g>'
    found = _svg(inner)
    assert found.left_out == ()
    assert (found.width, found.height, found.is_wide) == (40, 20, False)
    assert all(part in found.svg for part in ('d="M0 0h40v20z"', 'fill="#123456"', ".a{fill:url(#g)}", 'href="#g"'))


@pytest.mark.parametrize(
    ("inner", "named"),
    [
        ("<script>alert(1)</script>", "<script>"),
        ('<path onload="alert(1)" d="M0 0"/>', "onload"),
        ('<foreignObject><p xmlns="http://www.w3.org/1999/xhtml">x</p></foreignObject>', "<foreignObject>"),
        ('<image href="https://evil.example/x.png"/>', "<image>"),
        ('<use href="https://evil.example/x.svg#a"/>', "href"),
        ('<path style="fill:url(https://evil.example/x)"/>', "style"),
        ("<path fill=\"url( '//evil.example/x')\"/>", "fill"),
        ("<style>@import 'https://evil.example/x.css';</style>", "<style>"),
        ("<style>.a{background:u\\72l(https://evil.example)}</style>", "<style>"),
        ('<a href="javascript:alert(1)"><path d="M0 0"/></a>', "<a>"),
        ('<animate attributeName="href" to="javascript:alert(1)"/>', "<animate>"),
        ("<text>Acme</text>", "<text>"),
    ],
)
def test_what_is_no_shape_goes_and_is_named(inner: str, named: str) -> None:
    found = _svg(inner + SHAPE)
    assert found.left_out == (named,)
    assert not any(word in found.svg for word in ("evil", "alert", "script", "Acme"))
    assert 'd="M0 0h40v20z"' in found.svg


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<svg", "neither an SVG nor a PNG"),
        (b"<html/>", "neither an SVG nor a PNG"),
        (b"GIF89a", "neither an SVG nor a PNG"),
        (b'<!DOCTYPE svg [<!ENTITY a "b">]>' + OPEN.encode() + b"</svg>", "document type"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "viewBox"),
        (OPEN.encode() + b" " * logos.LARGEST_SVG + b"</svg>", "too large"),
    ],
)
def test_what_is_no_logo_is_refused_in_words(content: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        logos.svg_logo(content)


def test_a_size_in_pixels_will_do() -> None:
    found = logos.svg_logo(b'<svg xmlns="http://www.w3.org/2000/svg" width="90px" height="30"/>')
    assert (found.width, found.height, found.is_wide) == (90, 30, True)
    assert 'viewBox="0 0 90 30"' in found.svg


def test_a_png_keeps_its_picture_only(tmp_path: Path) -> None:
    (tmp_path / "logo.png").write_bytes(png(3, 2, (b"tEXt", b"Author\0Jane Doe"), (b"eXIf", b"place")))
    found = logos.read(tmp_path / "logo.png")
    assert found.content == png(3, 2)
    assert (found.width, found.height, found.media_type) == (3, 2, "image/png")
    assert "data:image/png;base64," in found.svg


@pytest.mark.parametrize(("spoil", "said"), [(lambda good: good[:-20], "damaged"), (lambda good: good[:50], "damaged")])
def test_a_damaged_png_is_refused(spoil: object, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        logos.png_logo(spoil(png()))


def test_a_changed_png_is_refused() -> None:
    good = bytearray(png())
    good[45] ^= 1
    with pytest.raises(ValueError, match="damaged"):
        logos.png_logo(bytes(good))
    with pytest.raises(ValueError, match="pixels"):
        logos.png_logo(png(5000, 1))
