"""Posts, newest first; each person has their own marks."""

from datetime import UTC, datetime

from sqlmodel import Session

from portal_app import clock
from portal_app.auth.actor import READERS, Actor
from portal_app.content import library
from portal_app.content.rows import Page
from portal_app.models import ContentKind
from portal_app.news import repository
from portal_app.news.rows import Post

_ALWAYS = datetime.min.replace(tzinfo=UTC)


def posts(session: Session, actor: Actor) -> list[Post]:
    """All posts, newest first."""
    actor.require_reader()
    read = repository.read_by(session, actor.user_id)
    return [Post(page, page.slug not in read) for page in _newest_first(session)]


def post(session: Session, actor: Actor, slug: str) -> Page:
    """One post. Raises NotFound."""
    actor.require_reader()
    return library.page(session, ContentKind.NEWS, slug)


def unread(session: Session, actor: Actor) -> int:
    """How many posts the person has not read; none for who can't."""
    if actor.kind not in READERS:
        return 0
    return len(
        {page.slug for page in library.pages(session, ContentKind.NEWS)} - repository.read_by(session, actor.user_id)
    )


def note_read(session: Session, actor: Actor, slug: str) -> None:
    """Note that the person has opened the post. Raises NotFound."""
    repository.note(session, actor.user_id, [post(session, actor, slug).slug], clock.now())


def note_all_read(session: Session, actor: Actor) -> None:
    """Note that the person has seen all that there is."""
    repository.note(session, actor.user_id, [one.page.slug for one in posts(session, actor) if one.unread], clock.now())


def _newest_first(session: Session) -> list[Page]:
    found = library.pages(session, ContentKind.NEWS)
    return sorted(found, key=lambda page: page.published_at or _ALWAYS, reverse=True)
