"""The certificate of a course as a PDF."""

from pathlib import Path

from portal_app import clock, pdf
from portal_app.brand import brand
from portal_app.models import Certificate

_TEMPLATE = Path(__file__).parent / "templates" / "certificate.typ"


def document(found: Certificate, time_zone: str) -> bytes:
    """The PDF; it is dated in the person's zone. CPU-bound: tens of milliseconds."""
    day = clock.day_in(time_zone, found.issued_at)
    shown = {
        "brand": brand().name,
        "accent": brand().light.text,
        "name": found.name,
        "course": found.title,
        "number": found.number,
        "issued_on": f"{day:%Y-%m-%d}",
        "date": f"{day.day} {day:%B %Y}",
    }
    return pdf.archived(_TEMPLATE, shown)
