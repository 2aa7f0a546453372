"""What operators publish in the portal, beside the files of the content folder; and who has read which news."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, Index, LargeBinary, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from portal_app.models.base import Instant, one_of


class ContentKind(StrEnum):
    """Where a page of content stands."""

    ARTICLE = "article"
    COURSE = "course"
    LESSON = "lesson"
    NEWS = "news"
    SALES = "sales"


class ContentState(StrEnum):
    DRAFT = "draft"
    PUBLISHED = "published"


class ContentPage(SQLModel, table=True):
    """One page in Markdown; it replaces the content folder's page of the same kind and slug, if there is one.

    `section` is what it is listed under: a topic, a section of courses, a lesson's course.
    """

    __tablename__ = "content_page"
    __table_args__ = (
        one_of("kind", ContentKind),
        one_of("state", ContentState),
        UniqueConstraint("kind", "slug"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True)
    kind: str
    slug: str = Field(max_length=80)
    section: str = Field(default="", max_length=80)
    title: str = Field(max_length=160)
    summary: str = Field(default="", max_length=400)
    body: str = Field(default="", sa_type=Text)
    position: int = 0
    state: str = ContentState.DRAFT
    # Not before this instant, even when it is published.
    published_at: datetime | None = Field(default=None, sa_type=Instant)
    # Grows with each change: who saves over a newer one is told.
    version: int = 1
    created_at: datetime = Field(sa_type=Instant)
    changed_at: datetime = Field(sa_type=Instant)
    changed_by: str = Field(default="", max_length=254)


class ContentFile(SQLModel, table=True):
    """A picture, video or download of a page."""

    __tablename__ = "content_file"
    __table_args__ = (UniqueConstraint("page_id", "name"), {"sqlite_autoincrement": True})

    id: int | None = Field(default=None, primary_key=True)
    page_id: int = Field(foreign_key="content_page.id", ondelete="CASCADE")
    name: str = Field(max_length=200)
    media_type: str = Field(max_length=100)
    size_bytes: int = Field(sa_type=BigInteger)
    sha256: str = Field(max_length=64)
    data: bytes = Field(sa_type=LargeBinary)
    made_at: datetime = Field(sa_type=Instant)


class NewsRead(SQLModel, table=True):
    """A post that a person has opened; `post` is its slug."""

    __tablename__ = "news_read"

    user_id: int = Field(primary_key=True, foreign_key="portal_user.id", ondelete="CASCADE")
    post: str = Field(primary_key=True, max_length=80)
    read_at: datetime = Field(sa_type=Instant)


class LessonProgress(SQLModel, table=True):
    """How far a person is in a lesson. Course and lesson are slugs."""

    __tablename__ = "lesson_progress"
    __table_args__ = (Index(None, "user_id", "changed_at"),)

    user_id: int = Field(primary_key=True, foreign_key="portal_user.id", ondelete="CASCADE")
    course: str = Field(primary_key=True, max_length=80)
    lesson: str = Field(primary_key=True, max_length=80)
    # Where its video was left, in seconds.
    position_seconds: int = 0
    # How long the person has spent on it, in seconds.
    spent_seconds: int = 0
    started_at: datetime = Field(sa_type=Instant)
    changed_at: datetime = Field(sa_type=Instant)
    completed_at: datetime | None = Field(default=None, sa_type=Instant)


class Certificate(SQLModel, table=True):
    """That a person completed a course; name and title as they were then."""

    __tablename__ = "certificate"
    __table_args__ = (UniqueConstraint("user_id", "course"), {"sqlite_autoincrement": True})

    id: int | None = Field(default=None, primary_key=True)
    user_id: int = Field(foreign_key="portal_user.id", ondelete="CASCADE")
    course: str = Field(max_length=80)
    number: str = Field(unique=True, max_length=40)
    title: str = Field(max_length=160)
    name: str = Field(max_length=120)
    issued_at: datetime = Field(sa_type=Instant)
