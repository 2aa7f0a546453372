"""The handlers behind the pages, through the guard."""

from typing import Any

import pytest

from portal_app import db
from portal_app.learning import service
from portal_app.learning.words import names_in, place_of, position_text, time_text
from tests.cast import Cast, cookie_of
from tests.content.conftest import Write
from tests.security.pipeline import Pipeline, Tab, name_of, play


async def opened(made: Pipeline, cast: Cast, path: str, page: str) -> tuple[Tab, Any]:
    tab = made.tab(cookie_of(cast.alice), path=path)
    return tab, await tab.send(name_of(f"{page}_state.load"))


def test_the_hub_shows_what_its_address_asks_for(cast: Cast, courses: Write) -> None:
    db.write(service.complete, cast.actor("alice"), "salt", "sea")
    db.write(service.begin, cast.actor("alice"), "tea", "leaves")

    async def scene(made: Pipeline) -> None:
        _, answer = await opened(made, cast, "/learning", "learning")
        assert answer.var("figures") == ["1", "1", "0 min", "1"]
        assert [section["title"] for section in answer.var("sections")] == ["Courses", "Drinks"]
        (current,) = answer.var("current")
        assert (current["act"], current["act_href"]) == ("Resume", "/learning/tea/leaves")
        _, answer = await opened(made, cast, "/learning?state=completed", "learning")
        ((card,),) = [section["courses"] for section in answer.var("sections")]
        assert (card["title"], card["act"], card["progress"]) == ("Salt", "Review", "1 of 1 lesson completed")
        _, answer = await opened(made, cast, "/learning?search=fresh&state=nonsense", "learning")
        ((card,),) = [section["courses"] for section in answer.var("sections")]
        assert [found["href"] for found in card["found"]] == ["/learning/tea/leaves"]

    play(scene)


def test_a_lesson_is_opened_watched_completed_and_opened_again(cast: Cast, courses: Write) -> None:
    async def scene(made: Pipeline) -> None:
        tab, answer = await opened(made, cast, "/learning/tea/water/", "lesson_page")
        assert (answer.var("video"), answer.var("after_href")) == (
            "/content/lesson/tea--water/boil.webm",
            "/learning/tea/leaves",
        )
        assert await tab.send(name_of("lesson_page_state.watched"), {"position": 7.4})
        answer = await tab.send(name_of("lesson_page_state.complete"))
        assert answer.var("completed") is True
        assert answer.var("video") is None
        _, answer = await opened(made, cast, "/learning/tea/water", "lesson_page")
        assert (answer.var("video"), answer.var("goes_on_at")) == ("/content/lesson/tea--water/boil.webm#t=7", "0:07")
        tab, answer = await opened(made, cast, "/learning/tea/leaves", "lesson_page")
        answer = await tab.send(name_of("lesson_page_state.complete"))
        assert answer.var("certificate").startswith("LH-")
        assert "certificate is ready" in answer.var("text")

    play(scene)


@pytest.mark.parametrize("path", ["/learning/no/no", "/learning/tea/no", "/learning/tea/tea--water", "/learning/%00/x"])
def test_what_is_not_there_is_said(cast: Cast, courses: Write, path: str) -> None:
    async def scene(made: Pipeline) -> None:
        tab, answer = await opened(made, cast, path, "lesson_page")
        assert (answer.var("missing"), answer.errors) == (True, [])
        for handler in ("complete", "leave", "begin"):
            assert not (await tab.send(name_of(f"lesson_page_state.{handler}"))).errors

    play(scene)


@pytest.mark.parametrize("position", ["x", None, {"a": 1}, [1], True])
def test_a_place_that_is_no_number_is_refused(cast: Cast, courses: Write, position: Any) -> None:
    async def scene(made: Pipeline) -> None:
        tab, _ = await opened(made, cast, "/learning/tea/water", "lesson_page")
        await tab.send(name_of("lesson_page_state.watched"), {"position": position})

    play(scene)
    assert db.read(service.lesson, cast.actor("alice"), "tea", "water").lesson.position <= 1


def test_the_certificate_of_a_course_that_lost_its_last_lesson(cast: Cast, courses: Write) -> None:
    async def scene(made: Pipeline) -> None:
        tab, answer = await opened(made, cast, "/learning/tea", "course")
        assert [line["state"] for line in answer.var("lessons")] == ["Not started", "Not started"]
        refused = await tab.send(name_of("course_state.claim"))
        assert [str(fault) for fault in refused.errors] == ["Complete all lessons of the course first."]
        for lesson in ("water", "leaves"):
            db.write(service.complete, cast.actor("alice"), "tea", lesson)
        assert (await tab.send(name_of("course_state.claim"))).var("certificate").startswith("LH-")

    play(scene)


def test_words() -> None:
    assert [time_text(seconds) for seconds in (0, 59, 60, 3599, 5100)] == [
        "0 min", "0 min", "1 min", "59 min", "1 h 25 min",
    ]  # fmt: skip
    assert [position_text(seconds) for seconds in (0, 7, 65)] == ["", "0:07", "1:05"]
    for course, lesson in (("tea", "water"), ("tea", "")):
        assert names_in(place_of(course, lesson)) == [course, lesson]
    assert names_in("/learning/tea/water/") == ["tea", "water"]
