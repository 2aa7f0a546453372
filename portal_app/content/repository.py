"""What operators have written, out of the database."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import defer
from sqlmodel import Session, col, func, select

from portal_app.db import is_reading
from portal_app.models import ContentFile, ContentPage, ContentState


def stamp(session: Session) -> tuple[Any, ...]:
    """Differs whenever a published page has changed."""
    page = ContentPage
    wanted = select(func.count(), func.max(page.id), func.sum(page.version), func.max(page.changed_at))
    return tuple(session.exec(wanted.where(page.state == ContentState.PUBLISHED)).one())


def published(session: Session) -> Sequence[ContentPage]:
    """All pages that are no drafts, whenever they come out."""
    return session.exec(select(ContentPage).where(ContentPage.state == ContentState.PUBLISHED)).all()


def file_of(session: Session, kind: str, slug: str, name: str, *, drafts: bool) -> tuple[int, str] | None:
    """The id and the hash of a file of a page's."""
    wanted = select(ContentFile.id, ContentFile.sha256).join(ContentPage, col(ContentPage.id) == ContentFile.page_id)
    mine = (ContentPage.kind == kind, ContentPage.slug == slug, ContentFile.name == name)
    states = [ContentState.PUBLISHED, *([ContentState.DRAFT] if drafts else [])]
    found = session.exec(wanted.where(*mine, col(ContentPage.state).in_(states))).first()
    return (found[0] or 0, found[1]) if found else None


def bytes_of(session: Session, file_id: int) -> bytes:
    """What the file holds."""
    return session.exec(select(ContentFile.data).where(ContentFile.id == file_id)).one()


def files_of(session: Session, kind: str, slug: str) -> dict[str, int]:
    """The names and sizes of a page's files."""
    wanted = select(ContentFile.name, ContentFile.size_bytes)
    mine = (ContentPage.kind == kind, ContentPage.slug == slug)
    return dict(session.exec(wanted.join(ContentPage, col(ContentPage.id) == ContentFile.page_id).where(*mine)).all())


def written(session: Session) -> Sequence[ContentPage]:
    """All pages of operators, drafts too."""
    return session.exec(select(ContentPage)).all()


def written_page(session: Session, page_id: int) -> ContentPage | None:
    """One of them; no other transaction changes it before this one ends."""
    wanted = select(ContentPage).where(ContentPage.id == page_id)
    return session.exec(wanted if is_reading(session) else wanted.with_for_update()).first()


def written_as(session: Session, kind: str, slug: str) -> bool:
    """Whether operators have a page of this name."""
    wanted = select(ContentPage.id).where(ContentPage.kind == kind, ContentPage.slug == slug)
    return session.exec(wanted).first() is not None


def given_files(session: Session, page_id: int) -> Sequence[ContentFile]:
    """The files of a page; what they hold is read only when it is asked for."""
    wanted = select(ContentFile).where(ContentFile.page_id == page_id).order_by(col(ContentFile.name))
    return session.exec(wanted.options(defer(ContentFile.data))).all()  # type: ignore[arg-type]
