"""`/learning`."""

import reflex as rx

from portal_app.learning.components import go_on, progress_of
from portal_app.learning.query import COMPLETED, STARTED
from portal_app.learning.state import LearningState as State
from portal_app.learning.state import Section
from portal_app.learning.words import PATH, CourseCard, LessonLine
from portal_app.shell.layout import portal_page
from portal_app.ui import ask_for, empty_state, filter_chip, link, link_button, search_input


@portal_page(PATH, "Learning Hub", load=State.load, help_topic="learning")
def learning_hub() -> rx.Component:
    """The person's progress, and the courses in their sections."""
    return rx.fragment(
        rx.el.div(rx.el.h1("Learning Hub"), class_name="page-head"),
        rx.el.div(_progress(), rx.foreach(State.current, _current), class_name="learning-top"),
        _courses(),
        rx.window_event_listener(on_popstate=State.answer),
    )


def _progress() -> rx.Component:
    figures = (
        _filtering("Courses in progress", 0, STARTED),
        _filtering("Completed courses", 1, COMPLETED),
        _figure("Training time", 2),
        _figure("Certificates", 3),
    )
    return rx.el.section(
        rx.el.h2("Progress"),
        rx.el.ul(*(rx.el.li(figure) for figure in figures), class_name="figures figures-amounts"),
        class_name="card widget learning-figures",
        aria_label="Progress",
    )


def _filtering(label: str, at: int, state: str) -> rx.Component:
    return link(
        *_parts(label, at),
        href=f"{PATH}?state={state}",
        load=State.answer,
        class_name="figure",
        aria_current=rx.cond(State.state == state, "true", "false"),
    )


def _figure(label: str, at: int) -> rx.Component:
    return rx.el.div(*_parts(label, at), class_name="figure figure-still")


def _parts(label: str, at: int) -> tuple[rx.Component, rx.Component]:
    shown = rx.cond(State.loading, "\u2013", State.figures[at])
    return rx.el.span(shown, class_name="figure-number"), rx.el.span(label, class_name="figure-label")


def _current(card: rx.Var[CourseCard]) -> rx.Component:
    return rx.el.section(
        rx.el.h2("Go on where you stopped"),
        rx.el.p(card["title"], class_name="strong"),
        progress_of(card),
        rx.el.div(go_on(card, "primary"), class_name="row"),
        class_name="card stack-s",
        aria_label="Go on where you stopped",
    )


def _courses() -> rx.Component:
    nothing = empty_state(
        "search-x",
        rx.cond((State.search == "") & (State.state == ""), "No courses yet", "No course matches"),
        "Try another word, or look through all courses.",
        link_button("Show all courses", href=PATH, load=State.answer),
    )
    return rx.el.div(
        rx.el.div(
            search_input(
                "Search courses",
                value=State.search,
                on_change=lambda words: ask_for(State.answer, "search", words, path=PATH),
                on_clear=ask_for(State.answer, "search", path=PATH),
                placeholder="Search courses and lessons",
            ),
            rx.match(
                State.state,
                (STARTED, _chip("In progress")),
                (COMPLETED, _chip("Completed")),
                rx.fragment(),
            ),
            class_name="row",
        ),
        rx.cond(
            State.loading,
            rx.el.div(*(rx.el.div(class_name="card skeleton course") for _ in range(3)), class_name="courses"),
            rx.cond(State.sections.length() > 0, rx.foreach(State.sections, _section), nothing),
        ),
        class_name="stack-l",
        aria_busy=rx.cond(State.loading, "true", "false"),
    )


def _chip(words: str) -> rx.Component:
    return filter_chip(words, ask_for(State.answer, "state", path=PATH))


def _section(section: rx.Var[Section]) -> rx.Component:
    return rx.el.section(
        rx.el.h2(section["title"]),
        rx.el.ul(rx.foreach(section["courses"].to(list[CourseCard]), _course), class_name="courses"),
        class_name="stack",
        aria_label=section["title"],
    )


def _course(card: rx.Var[CourseCard]) -> rx.Component:
    return rx.el.li(
        rx.el.h3(link(card["title"], href=card["href"])),
        rx.el.p(card["summary"], class_name="muted"),
        rx.el.ul(rx.foreach(card["found"].to(list[LessonLine]), _found), class_name="small"),
        rx.el.div(progress_of(card), go_on(card), class_name="course-foot"),
        class_name="card course",
    )


def _found(line: rx.Var[LessonLine]) -> rx.Component:
    return rx.el.li(link(line["title"], href=line["href"]))
