"""The courses that the portal ships: whole, small, and true in their links."""

import re
from pathlib import Path

import pytest

from portal_app.build import ROOT
from portal_app.content import folder
from portal_app.models import ContentKind

COURSES = ROOT / "content" / "courses"
LESSONS = sorted(COURSES.glob("*/[0-9]*.md"))
MOST_BYTES = 10 * 1024 * 1024
_FILE = re.compile(r"!\[([^\]]*)\]\(([^)]+)\)")


def test_there_are_six_courses_of_three_to_five_lessons() -> None:
    found = folder.found()
    assert not [fault for fault in found.faults if fault.startswith("courses")]
    courses = [page for (kind, _), page in found.pages.items() if kind == ContentKind.COURSE]
    assert len(courses) == 6
    assert len({page.position for page in courses}) == 6
    for course in courses:
        assert 3 <= len(list((COURSES / course.slug).glob("[0-9]*.md"))) <= 5
        assert course.section
        assert course.summary


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_lesson_has_a_title_a_summary_and_what_it_shows(lesson: Path) -> None:
    front, body = folder.parts_of(lesson.read_text(encoding="utf-8"))
    assert front["title"]
    assert front["summary"]
    for words, name in _FILE.findall(body):
        assert words, f"{name} is not described"
        assert (lesson.parent / name).is_file(), name
        if name.endswith(".webm"):
            assert (lesson.parent / name).with_suffix(".vtt").read_text().startswith("WEBVTT"), name


def test_nothing_lies_there_that_no_lesson_shows_and_all_is_small() -> None:
    files = [path for path in COURSES.rglob("*") if path.is_file() and path.suffix != ".md"]
    shown = {lesson.parent / name for lesson in LESSONS for _, name in _FILE.findall(lesson.read_text("utf-8"))}
    assert {path.with_suffix(".webm") if path.suffix == ".vtt" else path for path in files} == shown
    assert sum(path.stat().st_size for path in files) <= MOST_BYTES
