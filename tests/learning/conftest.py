"""Two courses of the tests' own, and people to learn."""

from datetime import UTC, datetime, timedelta

import pytest

from portal_app import clock, db
from portal_app.auth.actor import Actor
from tests.cast import Cast, cast, make_cast
from tests.content.conftest import Write, page, root, write

__all__ = ["cast", "office", "root", "write"]
CAPTIONS = "WEBVTT\n\n1\n00:00.000 --> 00:02.000\nHello\nthere.\n\nNOTE not said\n\n00:02.000 --> 00:03.000\nBye.\n"


@pytest.fixture
def courses(write: Write) -> Write:
    """`tea` with the lessons `water` (a video) and `leaves`, `salt` with `sea`."""
    write("courses/tea/course.md", page("Tea", summary="Hot.").replace("summary", "section: Drinks\nsummary"))
    write("courses/tea/01-water.md", page("Water", "![Boiling](boil.webm)\n\nBoil it well."))
    write("courses/tea/02-leaves.md", page("Leaves", "Take fresh ones."))
    write("courses/tea/boil.webm", b"moving pictures")
    write("courses/tea/boil.vtt", CAPTIONS)
    write("courses/salt/course.md", page("Salt"))
    write("courses/salt/01-sea.md", page("Sea", "It is **salty**."))
    return write


@pytest.fixture
def alice(cast: Cast, courses: Write) -> Actor:
    return cast.actor("alice")


@pytest.fixture
def office(store: dict[str, str], courses: Write) -> Cast:
    """The cast on each database that is supported."""
    return db.write(make_cast)


class Time:
    """The portal's clock; it stands still unless it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 2, 9, tzinfo=UTC)

    def passes(self, **given: float) -> None:
        self.now += timedelta(**given)


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    moved = Time()
    monkeypatch.setattr(clock, "now", lambda: moved.now)
    return moved
