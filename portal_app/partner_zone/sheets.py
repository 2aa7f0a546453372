"""Makes the PDFs of the Partner Zone and their previews anew: `python -m portal_app.partner_zone.sheets`.

Each `content/sales/*/*.typ` becomes the PDF beside it, and `preview.png` shows its first page.
"""

from pathlib import Path

import typst

from portal_app.content.folder import ROOT
from portal_app.partner_zone.service import PREVIEW

# Dots per inch: sharp on a card of 400 pixels, also of a dense screen.
_SHARPNESS = 96.0


def make(folder: Path = ROOT / "sales") -> list[Path]:
    """Write all sheets; which they were."""
    sources = sorted(folder.glob("*/*.typ"))
    for source in sources:
        typst.compile(source, output=source.with_suffix(".pdf"))
        pages = typst.compile(source, format="png", ppi=_SHARPNESS)
        first = pages[0] if isinstance(pages, list) else pages
        (source.parent / PREVIEW).write_bytes(first or b"")
    return sources


if __name__ == "__main__":
    for made in make():
        print(made.with_suffix(".pdf"))
