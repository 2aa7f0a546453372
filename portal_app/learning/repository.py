"""What is stored of a person's learning."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func
from sqlmodel import Session, col, select

from portal_app.models import Certificate, LessonProgress


def progress(session: Session, user_id: int) -> Sequence[LessonProgress]:
    """All lessons that the person has opened, those that are no more included."""
    return session.exec(select(LessonProgress).where(LessonProgress.user_id == user_id)).all()


def last_seen(session: Session, user_id: int) -> datetime | None:
    """When the person last did something in any lesson."""
    return session.exec(select(func.max(LessonProgress.changed_at)).where(LessonProgress.user_id == user_id)).one()


def certificates(session: Session, user_id: int) -> Sequence[Certificate]:
    """The person's own."""
    return session.exec(select(Certificate).where(Certificate.user_id == user_id)).all()


def certificate(session: Session, user_id: int, number: str) -> Certificate | None:
    """The person's own with this number."""
    found = select(Certificate).where(Certificate.user_id == user_id, col(Certificate.number) == number)
    return session.exec(found).first()
