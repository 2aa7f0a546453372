"""Who has read which post."""

from datetime import datetime

from sqlmodel import Session, select

from portal_app import db
from portal_app.models import NewsRead


def read_by(session: Session, user_id: int | None) -> set[str]:
    """The posts that a person has read."""
    return set(session.exec(select(NewsRead.post).where(NewsRead.user_id == user_id)).all())


def note(session: Session, user_id: int | None, posts: list[str], now: datetime) -> None:
    """Note that the person has read them; those that were noted before stay as they are."""
    rows = [{"user_id": user_id, "post": post, "read_at": now} for post in posts]
    if rows:
        session.execute(db.insert(session, NewsRead).values(rows).on_conflict_do_nothing())
