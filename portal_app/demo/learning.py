"""What the demo's people have learned so far."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, SQLModel

from portal_app.learning import catalogue
from portal_app.models import Certificate, LessonProgress, User

# A lesson takes that long.
MINUTES = 6


@dataclass(frozen=True, slots=True)
class Learned:
    """How many lessons of a course somebody has completed, the last one `days` ago; whether they began the next."""

    email: str
    course: str
    lessons: int
    days: int
    goes_on: bool = False


LEARNED = (
    Learned("admin@demo.example", "first-steps", 99, 40),
    Learned("admin@demo.example", "adding-customers", 99, 33),
    Learned("admin@demo.example", "users-and-security", 1, 12),
    Learned("admin@demo.example", "backups-and-restore", 2, 2, goes_on=True),
    Learned("billing@demo.example", "billing-and-payments", 3, 5, goes_on=True),
    Learned("limited@demo.example", "first-steps", 1, 1),
    Learned("admin@other.example", "first-steps", 99, 20),
)


def add_progress(session: Session, users: Sequence[User], now: datetime) -> None:
    """Add what they have done in those of the courses that there are."""
    people = {user.email: user for user in users}
    courses = {one.course.slug: one for one in catalogue.outlines(session)}
    for learned in LEARNED:
        if learned.course in courses:
            session.add_all(_rows(people[learned.email], learned, courses[learned.course], now))


def _rows(user: User, learned: Learned, found: catalogue.Outline, now: datetime) -> Iterator[SQLModel]:
    done = min(learned.lessons, len(found.lessons))
    begun = found.lessons[: done + learned.goes_on]
    for number, lesson in enumerate(begun):
        at = now - timedelta(days=learned.days, minutes=MINUTES * (len(begun) - number))
        ended = at + timedelta(minutes=MINUTES)
        yield LessonProgress(
            user_id=user.id or 0,
            course=learned.course,
            lesson=catalogue.name_of(lesson),
            spent_seconds=MINUTES * 60,
            started_at=at,
            changed_at=ended,
            completed_at=ended if number < done else None,
        )
    if done == len(found.lessons):
        yield Certificate(
            user_id=user.id or 0,
            course=learned.course,
            number=_number(learned, now),
            title=found.course.title,
            name=user.name,
            issued_at=now - timedelta(days=learned.days),
        )


def _number(learned: Learned, now: datetime) -> str:
    made_of = f"{learned.email} {learned.course}"
    return f"LH-{now:%Y}-{hashlib.sha256(made_of.encode()).hexdigest()[:10].upper()}"
