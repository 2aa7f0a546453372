"""`/learning/{course}`."""

import reflex as rx

from portal_app.learning.components import certificate_link, crumbs, go_on, lesson_list, progress_of
from portal_app.learning.course_state import CourseState as State
from portal_app.learning.words import PATH
from portal_app.shell.layout import portal_page
from portal_app.ui import button, empty_state, link_button


@portal_page(f"{PATH}/[course_slug]", "Course", load=State.load, help_topic="learning")
def course() -> rx.Component:
    """A course: its lessons with their states, the way to go on, the certificate at the end."""
    gone = empty_state(
        "search-x",
        "There is no such course",
        "It may have been taken back. The Learning Hub shows those that are there.",
        link_button("Show all courses", href=PATH),
    )
    return rx.cond(State.missing, gone, _course())


def _course() -> rx.Component:
    learned = State.card["done"] == State.card["lessons"]
    return rx.el.div(
        crumbs(),
        rx.el.div(
            rx.el.h1(rx.cond(State.loading, "Course", State.card["title"])),
            rx.el.div(
                rx.cond(State.loading, rx.fragment(), go_on(State.card, "primary")),
                rx.cond(
                    State.certificate != "",
                    certificate_link(State.certificate),
                    rx.cond(learned, button("Get certificate", on_click=State.claim)),
                ),
                class_name="page-actions",
            ),
            class_name="page-head",
        ),
        rx.el.p(State.card["summary"]),
        rx.cond(State.html != "", rx.html(State.html, class_name="prose")),
        rx.el.div(progress_of(State.card), class_name="course-progress"),
        rx.el.section(rx.el.h2("Lessons"), lesson_list(State.lessons), class_name="card stack", aria_label="Lessons"),
        class_name="stack learning-course",
    )
