"""The list of pieces, and one piece."""

from typing import TypedDict

import reflex as rx

from portal_app import db
from portal_app.auth import guard
from portal_app.content import markdown
from portal_app.content.rows import FileRow, Page
from portal_app.errors import NotFound
from portal_app.partner_zone import service
from portal_app.shell.listing import assign
from portal_app.shell.state import enter
from portal_app.sizes import size_text

PATH = "/partner-zone"


class Piece(TypedDict):
    """A piece on its card."""

    title: str
    section: str
    summary: str
    href: str
    preview: str
    files: str


class Download(TypedDict):
    """A file to fetch."""

    name: str
    href: str
    size: str


class PartnerZoneState(rx.State):
    """All pieces."""

    loading: bool = True
    pieces: list[Piece] = []

    @rx.event
    @guard.partners()
    async def load(self):
        """Show all pieces."""
        found = await db.look(service.pieces, await enter(self))
        assign(self, {"loading": False, "pieces": [_piece(page, files) for page, files in found]})


class PieceState(rx.State):
    """The piece of the address."""

    phase: str = "loading"
    title: str = ""
    summary: str = ""
    body: str = ""
    preview: str = ""
    downloads: list[Download] = []

    @rx.event
    @guard.partners()
    async def load(self):
        """Show the piece."""
        actor = await enter(self)
        try:
            page, files = await db.look(service.piece, actor, self.router.url.path.rstrip("/").rpartition("/")[2])
        except NotFound:
            self.reset()
            self.phase = "missing"
            return
        assign(self, _shown(page, files))


def _piece(page: Page, files: list[FileRow]) -> Piece:
    downloads = _downloads(files)
    return Piece(
        title=page.title,
        section=page.section,
        summary=page.summary,
        href=f"{PATH}/{page.slug}",
        preview=service.preview_of(files),
        files=", ".join(sorted({one["name"].rpartition(".")[2].upper() for one in downloads})),
    )


def _shown(page: Page, files: list[FileRow]) -> dict:
    return {
        "phase": "shown",
        "title": page.title,
        "summary": page.summary,
        "body": markdown.html(page.body, page.kind, page.slug),
        "preview": service.preview_of(files),
        "downloads": _downloads(files),
    }


def _downloads(files: list[FileRow]) -> list[Download]:
    shown = service.downloads_of(files)
    return [Download(name=one.name, href=one.href, size=size_text(one.size_bytes)) for one in shown]
