"""A bill's document as a file, for the pages and for the API."""

from collections.abc import Callable
from dataclasses import dataclass

import anyio
import anyio.to_thread

from portal_app.billing import bill_csv, documents
from portal_app.billing.document_reading import BillDocument
from portal_app.billing.letters import file_name

MEDIA = {"pdf": "application/pdf", "csv": "text/csv; charset=utf-8"}
_MAKERS: dict[str, Callable[[BillDocument], bytes]] = {"pdf": documents.pdf, "csv": bill_csv.csv}
# Many at once would take the processor from everybody else.
_AT_ONCE = anyio.CapacityLimiter(2)


@dataclass(frozen=True, slots=True)
class File:
    """What to send, and as what."""

    content: bytes
    media: str
    headers: dict[str, str]


async def made(document: BillDocument, ending: str) -> File:
    """The file of one of the endings in MEDIA."""
    content = await anyio.to_thread.run_sync(_MAKERS[ending], document, limiter=_AT_ONCE)
    headers = {"Content-Disposition": f'attachment; filename="{file_name(document.bill)}.{ending}"'}
    return File(content, MEDIA[ending], headers)
