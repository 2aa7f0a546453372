"""What partners sell with."""

from sqlmodel import Session

from portal_app.auth.actor import Actor
from portal_app.content import library
from portal_app.content.rows import FileRow, Page
from portal_app.models import ContentKind

# Shown on the card and beside the text; no download.
PREVIEW = "preview.png"
# What a sheet is made of (see `sheets`).
SOURCE = ".typ"


def pieces(session: Session, actor: Actor) -> list[tuple[Page, list[FileRow]]]:
    """All pieces with their files."""
    actor.require_reader()
    return [(page, library.files(session, page.kind, page.slug)) for page in library.pages(session, ContentKind.SALES)]


def piece(session: Session, actor: Actor, slug: str) -> tuple[Page, list[FileRow]]:
    """One piece with its files. Raises NotFound."""
    actor.require_reader()
    page = library.page(session, ContentKind.SALES, slug)
    return page, library.files(session, page.kind, page.slug)


def downloads_of(files: list[FileRow]) -> list[FileRow]:
    """Those that are to be fetched."""
    return [one for one in files if one.name != PREVIEW and not one.name.endswith(SOURCE)]


def preview_of(files: list[FileRow]) -> str:
    """The address of the preview; empty when there is none."""
    return next((one.href for one in files if one.name == PREVIEW), "")
