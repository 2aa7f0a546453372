"""What the pages of the Learning Hub have in common."""

from typing import Any

import reflex as rx

from portal_app.learning.words import PATH, CourseCard, LessonLine
from portal_app.ui import badge, icon, link, link_button, visually_hidden


def crumbs(*steps: rx.Component) -> rx.Component:
    """The way back to the hub, and what lies between."""
    hub = link(icon("arrow-left"), "Learning Hub", href=PATH)
    return rx.el.nav(hub, *steps, class_name="crumbs row", aria_label="Learning Hub")


def progress_of(card: rx.Var[CourseCard]) -> rx.Component:
    """How much of a course is completed, as a bar and in words."""
    return rx.el.div(
        rx.el.progress(value=card["done"], max=card["lessons"], aria_label="Progress of " + card["title"].to(str)),
        rx.el.span(card["progress"], class_name="muted small"),
        class_name="progress",
    )


def go_on(card: rx.Var[CourseCard], kind: Any = "secondary") -> rx.Component:
    """Start, Resume or Review: leads to the lesson where the person stopped."""
    return link_button(rx.fragment(card["act"], visually_hidden(" ", card["title"])), href=card["act_href"], kind=kind)


def certificate_link(number: rx.Var[str]) -> rx.Component:
    """The certificate as a file."""
    return link_button(
        "Download certificate",
        href=f"{PATH}/certificates/{number}.pdf",
        icon="file-down",
        download=True,
    )


def lesson_list(lessons: rx.Var[list[LessonLine]], *, with_summary: bool = True) -> rx.Component:
    """The lessons of a course with their states; the one that is open is marked."""

    def one(line: rx.Var[LessonLine]) -> rx.Component:
        path = rx.State.router.url.path
        here = (path == line["href"]) | (path == line["href"].to(str) + "/")
        return rx.el.li(
            rx.el.div(
                link(line["title"], href=line["href"], aria_current=rx.cond(here, "page", "false")),
                *([rx.el.p(line["summary"], class_name="muted small")] if with_summary else []),
                class_name="grow",
            ),
            badge(line["kind"], line["state"]),
        )

    return rx.el.ol(rx.foreach(lessons, one), class_name="lessons")
