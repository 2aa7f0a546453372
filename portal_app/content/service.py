"""Operators write content: drafts, publishing, files; over a delivered page, and back to it."""

import hashlib
from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from portal_app import clock
from portal_app.audit.service import record
from portal_app.audit.tags import Activity
from portal_app.auth.actor import Actor
from portal_app.content import folder, library, repository, uploads
from portal_app.content.forms import Checked, Wanted, check, check_name
from portal_app.content.query import KINDS, ContentQuery
from portal_app.content.rows import Page
from portal_app.errors import Conflict, Invalid, NotFound
from portal_app.models import ContentFile, ContentKind, ContentPage, ContentState
from portal_app.text import fold

NOT_FOUND = "There is no such page. It may have been deleted."
TAKEN = "There is a page of this kind and name already. Open it in the list."
MOST_FILES = 50


@dataclass(frozen=True, slots=True)
class Row:
    """A page in the list; `page_id` is 0 for a delivered one. `over`: it replaces a delivered one."""

    page: Page
    page_id: int
    standing: str
    over: bool


@dataclass(frozen=True, slots=True)
class Rows:
    """A page of the list."""

    rows: list[Row]
    matching: int
    total: int


@dataclass(frozen=True, slots=True)
class Editing:
    """A page to edit; `page_id` is 0 while it is not saved."""

    page: Page
    page_id: int
    version: int
    state: str
    changed_by: str
    over: bool


def list_page(session: Session, actor: Actor, query: ContentQuery) -> Rows:
    """The pages that the query asks for: those of operators, and delivered ones that are not replaced."""
    actor.require_provider()
    rows = _all(session)
    words = fold(query.search).strip()
    found = [
        row
        for row in rows
        if query.kind in {"", row.page.kind}
        and query.standing in {"", row.standing}
        and words in fold(f"{row.page.title} {row.page.slug}")
    ]
    found.sort(key=lambda row: _key(row, query.sort), reverse=query.descending)
    start = (query.page - 1) * query.size
    return Rows(found[start : start + query.size], len(found), len(rows))


def _all(session: Session) -> list[Row]:
    delivered = folder.found().pages
    written = [
        Row(library.page_of(row), row.id or 0, standing_of(row), (row.kind, row.slug) in delivered)
        for row in repository.written(session)
    ]
    replaced = {(row.page.kind, row.page.slug) for row in written}
    return written + [Row(page, 0, "delivered", False) for key, page in delivered.items() if key not in replaced]


def _key(row: Row, sort: str) -> Any:
    keys = {
        "title": fold(row.page.title),
        "kind": KINDS[ContentKind(row.page.kind)],
        "section": fold(row.page.section),
        "standing": row.standing,
        "changed": row.page.changed_at,
    }
    return keys[sort]


def standing_of(row: ContentPage) -> str:
    """Draft, published, or scheduled for later."""
    if row.state == ContentState.DRAFT:
        return "draft"
    return "published" if row.published_at is None or row.published_at <= clock.now() else "scheduled"


def editing(session: Session, actor: Actor, page_id: int) -> Editing:
    """A page that an operator wrote. Raises NotFound."""
    actor.require_provider()
    row = _row(session, page_id)
    over = (row.kind, row.slug) in folder.found().pages
    return Editing(library.page_of(row), page_id, row.version, row.state, row.changed_by, over)


def over(session: Session, actor: Actor, kind: str, slug: str) -> Editing:
    """A delivered page, to be written over. Raises NotFound; Conflict when somebody has done so already."""
    actor.require_provider()
    page = folder.found().pages.get((kind, slug))
    if page is None:
        raise NotFound(NOT_FOUND)
    if repository.written_as(session, kind, slug):
        raise Conflict(TAKEN)
    return Editing(page, 0, 0, ContentState.PUBLISHED, "", True)


def add(session: Session, actor: Actor, wanted: Wanted) -> int:
    """Save a new page; its id. Raises Invalid and Conflict."""
    actor.require_provider()
    checked = check(wanted)
    check_name(wanted)
    _has_course(session, wanted)
    if repository.written_as(session, wanted.kind, wanted.full_slug):
        raise Conflict(TAKEN, slug=TAKEN)
    now = clock.now()
    row = ContentPage(kind=wanted.kind, slug=wanted.full_slug, title=checked.title, created_at=now, changed_at=now)
    _fill(row, actor, checked)
    session.add(row)
    try:
        session.flush()
    except IntegrityError:
        raise Conflict(TAKEN, slug=TAKEN) from None
    _note(session, actor, row, f"added as {standing_of(row)}")
    return row.id or 0


def change(session: Session, actor: Actor, page_id: int, version: int, wanted: Wanted) -> None:
    """Save a page. Raises Invalid, NotFound, and Conflict when it is not the version that was read."""
    actor.require_provider()
    row = _row(session, page_id, version)
    checked = check(wanted)
    _has_course(session, wanted)
    before = standing_of(row)
    row.version += 1
    _fill(row, actor, checked)
    session.flush()
    after = standing_of(row)
    _note(session, actor, row, "changed" if before == after else f"{before} before, now {after}")


def remove(session: Session, actor: Actor, page_id: int, version: int) -> str:
    """Delete a page with its files: where it replaced a delivered one, that shows again. Its title."""
    actor.require_provider()
    row = _row(session, page_id, version)
    over = (row.kind, row.slug) in folder.found().pages
    _note(session, actor, row, "taken back, the delivered one shows again" if over else "deleted")
    session.delete(row)
    session.flush()
    return row.title


def files(session: Session, actor: Actor, page_id: int) -> list[ContentFile]:
    """The files that operators gave the page, without what they hold."""
    actor.require_provider()
    return list(repository.given_files(session, page_id))


def put_file(session: Session, actor: Actor, page_id: int, name: str, data: bytes) -> str:
    """Keep a file of the page; one of the same name is replaced. The name it has now. Raises Invalid and NotFound."""
    actor.require_provider()
    row = _row(session, page_id)
    name = uploads.checked_name(name)
    media = uploads.checked(name, data)
    given = {one.name: one for one in repository.given_files(session, page_id)}
    if name not in given and len(given) >= MOST_FILES:
        raise Invalid(f"A page has at most {MOST_FILES} files.")
    if name in given:
        session.delete(given[name])
        session.flush()
    session.add(
        ContentFile(
            page_id=page_id,
            name=name,
            media_type=media,
            size_bytes=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
            data=data,
            made_at=clock.now(),
        )
    )
    _note(session, actor, row, f"file {name} added")
    return name


def remove_file(session: Session, actor: Actor, page_id: int, name: str) -> None:
    """Delete a file of the page. Raises NotFound."""
    actor.require_provider()
    row = _row(session, page_id)
    file = next((one for one in repository.given_files(session, page_id) if one.name == name), None)
    if file is None:
        raise NotFound(library.NO_FILE)
    session.delete(file)
    _note(session, actor, row, f"file {name} deleted")


def _row(session: Session, page_id: int, version: int | None = None) -> ContentPage:
    row = repository.written_page(session, page_id)
    if row is None:
        raise NotFound(NOT_FOUND)
    if version is not None and row.version != version:
        who = row.changed_by or "Somebody else"
        raise Conflict(f"{who} has saved this page meanwhile. Copy your text, then load the page again.")
    return row


def _has_course(session: Session, wanted: Wanted) -> None:
    known = wanted.kind != ContentKind.LESSON or any(
        row.page.kind == ContentKind.COURSE and row.page.slug == wanted.section for row in _all(session)
    )
    if not known:
        raise Invalid(section="There is no such course.")


def _fill(row: ContentPage, actor: Actor, checked: Checked) -> None:
    row.section, row.title, row.summary = checked.section, checked.title, checked.summary
    row.position, row.body, row.state = checked.position, checked.body, checked.state
    row.published_at = checked.published_at
    row.changed_at, row.changed_by = clock.now(), actor.email
    if row.state == ContentState.PUBLISHED and row.published_at is None:
        row.published_at = row.changed_at


def _note(session: Session, actor: Actor, row: ContentPage, what: str) -> None:
    record(session, actor, Activity.CONTENT, f"{KINDS[ContentKind(row.kind)]} {row.title} ({row.slug}): {what}")
