"""All pages that are published: the folder's, and those of operators in their place."""

import contextlib
import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlmodel import Session

from portal_app import clock
from portal_app.content import folder, repository
from portal_app.content.rows import FileRow, Page
from portal_app.errors import NotFound
from portal_app.models import ContentPage
from portal_app.settings import settings

NOT_FOUND = "There is no such page. It may have been taken back."
NO_FILE = "There is no such file."
_NEVER = datetime.max.replace(tzinfo=UTC)
Key = tuple[str, str]


@dataclass(frozen=True)
class Shelf:
    """All pages that are out, as of one stamp and until the next of them comes out."""

    stamp: tuple[Any, ...]
    until: datetime
    pages: Mapping[Key, Page]


_lock = threading.Lock()
_kept: dict[str, Shelf] = {}


def shelf(session: Session) -> Shelf:
    """The pages as they are now: read again only when some have changed. Costs one small query."""
    found = folder.found()
    # The database too: a process may know several (tests, a restore).
    stamp = (str(session.get_bind().engine.url), found.number, *repository.stamp(session))
    kept = _kept.get("shelf")
    if kept is None or kept.stamp != stamp or kept.until <= clock.now():
        kept = _made(stamp, found.pages, [page_of(row) for row in repository.published(session)])
        with _lock:
            _kept["shelf"] = kept
    return kept


def _made(stamp: tuple[Any, ...], delivered: Mapping[Key, Page], written: Sequence[Page]) -> Shelf:
    """What comes out later is not there yet; until then the delivered page stays in its place."""
    now = clock.now()
    every = [*delivered.values(), *written]
    later = [page.published_at for page in every if page.published_at and page.published_at > now]
    out = (page for page in every if page.published_at is None or page.published_at <= now)
    return Shelf(stamp, min(later, default=_NEVER), {(page.kind, page.slug): page for page in out})


def pages(session: Session, kind: str, section: str = "") -> list[Page]:
    """The published pages of a kind, in the order of their sections' own."""
    every = shelf(session).pages.values()
    wanted = [page for page in every if page.kind == kind and section in {"", page.section}]
    return sorted(wanted, key=lambda page: page.order)


def page(session: Session, kind: str, slug: str) -> Page:
    """The published page. Raises NotFound."""
    found = shelf(session).pages.get((kind, slug))
    if found is None:
        raise NotFound(NOT_FOUND)
    return found


def file(session: Session, kind: str, slug: str, name: str, *, drafts: bool = False) -> Path:
    """Where a file of a page lies on this machine. Raises NotFound. `drafts`: for who may see what isn't out yet."""
    if not drafts:
        page(session, kind, slug)
    if written := repository.file_of(session, kind, slug, name, drafts=drafts):
        return _unpacked(session, *written)
    # Only names that the folder was listed with: no path leads out of it.
    delivered = folder.found().files.get((kind, slug), {}).get(name)
    if delivered is None or not delivered.is_file():
        raise NotFound(NO_FILE)
    return delivered


def files(session: Session, kind: str, slug: str) -> list[FileRow]:
    """The files of a published page, by their names."""
    page(session, kind, slug)
    delivered = folder.found().files.get((kind, slug), {})
    sizes = {name: path.stat().st_size for name, path in delivered.items() if path.is_file()}
    sizes |= repository.files_of(session, kind, slug)
    return [FileRow(name, f"/content/{kind}/{slug}/{quote(name)}", size) for name, size in sorted(sizes.items())]


def page_of(row: ContentPage) -> Page:
    """A page of the database."""
    return Page(
        kind=row.kind,
        slug=row.slug,
        section=row.section,
        title=row.title,
        summary=row.summary,
        position=row.position,
        body=row.body,
        published_at=row.published_at,
        changed_at=row.changed_at,
        from_folder=False,
    )


def _unpacked(session: Session, file_id: int, sha256: str) -> Path:
    """The file on the disk, where a part of it can be read; the database has it whole only."""
    place = settings().data_dir / "content" / sha256
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        beside = place.with_suffix(f".{os.getpid()}.{threading.get_ident()}")
        try:
            beside.write_bytes(repository.bytes_of(session, file_id))
            beside.replace(place)
        finally:
            with contextlib.suppress(FileNotFoundError):
                beside.unlink()
    return place
