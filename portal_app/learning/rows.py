"""What the pages of the Learning Hub may see."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class LessonState(StrEnum):
    NEW = "new"
    STARTED = "started"
    COMPLETED = "completed"


@dataclass(frozen=True, slots=True)
class Video:
    """The video of a lesson. Addresses of its files, and what is said in it: both empty where there are no captions."""

    src: str
    title: str
    captions: str = ""
    transcript: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Lesson:
    """A lesson and how far the person is in it; `position` is where its video was left, in seconds."""

    slug: str
    title: str
    summary: str
    state: LessonState = LessonState.NEW
    position: int = 0
    touched_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Course:
    """A course with its lessons, of which it has at least one; `certificate` is the number of the person's own.

    `html` is its own text; only its page has it.
    """

    slug: str
    section: str
    title: str
    summary: str
    lessons: tuple[Lesson, ...]
    certificate: str = ""
    html: str = ""

    @property
    def done(self) -> int:
        return sum(lesson.state == LessonState.COMPLETED for lesson in self.lessons)

    @property
    def is_learned(self) -> bool:
        """Whether each lesson that the course has now is completed."""
        return self.done == len(self.lessons)

    @property
    def is_completed(self) -> bool:
        """A certificate stays good when the course gets more lessons."""
        return self.is_learned or bool(self.certificate)

    @property
    def is_started(self) -> bool:
        return self.is_completed or any(lesson.state != LessonState.NEW for lesson in self.lessons)

    @property
    def touched_at(self) -> datetime | None:
        return max((lesson.touched_at for lesson in self.lessons if lesson.touched_at), default=None)

    @property
    def next_lesson(self) -> Lesson:
        """Where to go on: the lesson that was open last, or the first one after it that isn't completed."""
        last = next((n for n, lesson in enumerate(self.lessons) if lesson.touched_at == self.touched_at), 0)
        turned = (*self.lessons[last:], *self.lessons[:last])
        return next((lesson for lesson in turned if lesson.state != LessonState.COMPLETED), self.lessons[0])


@dataclass(frozen=True, slots=True)
class OpenLesson:
    """One lesson with its course: its text as HTML, and the lessons before and after it."""

    course: Course
    lesson: Lesson
    html: str
    video: Video | None
    before: Lesson | None
    after: Lesson | None


@dataclass(frozen=True, slots=True)
class Hub:
    """The courses that were asked for, each with its lessons that a search found; and the progress in all courses."""

    courses: tuple[tuple[Course, tuple[Lesson, ...]], ...]
    in_progress: int
    completed: int
    seconds: int
    certificates: int
    # The course that was open last, if it isn't completed.
    current: Course | None = None
