"""`/learning/{course}/{lesson}`."""

import reflex as rx
from reflex_components_core.el.elements.media import Video

from portal_app.learning.components import certificate_link, crumbs, lesson_list
from portal_app.learning.lesson_state import LessonPageState as State
from portal_app.learning.words import PATH
from portal_app.shell.layout import portal_page
from portal_app.ui import badge, button, callout, empty_state, link, link_button
from portal_app.ui.kinds import inline

# A playing video tells where it is that often; pause and end tell at once.
TELLS_EVERY_MS = 5_000


def _position(event: rx.vars.ObjectVar) -> tuple[rx.Var[float]]:
    return (event["target"].to(dict)["currentTime"].to(float),)


def _beginning() -> tuple[rx.Var[float]]:
    """Who has seen all begins anew the next time."""
    return (rx.Var.create(0.0),)


class LessonVideo(Video):
    """`<video>` with the events that tell where it is."""

    on_ended: rx.EventHandler[_beginning]
    on_pause: rx.EventHandler[_position]
    on_time_update: rx.EventHandler[_position]


@portal_page(f"{PATH}/[course_slug]/[lesson_slug]", "Lesson", load=State.load, help_topic="learning")
def lesson() -> rx.Component:
    """A lesson: video and text, the lessons around it, and the button that completes it."""
    gone = empty_state(
        "search-x",
        "There is no such lesson",
        "It may have been taken back or renamed. What you have completed stays completed.",
        link_button("Show all courses", href=PATH),
    )
    return rx.cond(State.missing, gone, _lesson())


def _lesson() -> rx.Component:
    return rx.el.div(
        crumbs(rx.el.span("/", aria_hidden="true"), link(State.course, href=State.course_href)),
        rx.el.div(
            rx.el.h1(rx.cond(State.loading, "Lesson", State.title)),
            rx.cond(State.completed, badge("green", "Completed", pill=True)),
            class_name="page-head page-head-title",
        ),
        rx.el.div(
            rx.el.article(
                rx.cond(State.video != "", _video()),
                rx.cond(
                    State.loading,
                    rx.el.div(class_name="skeleton form-skeleton", aria_hidden="true"),
                    rx.html(State.html, class_name="prose"),
                ),
                _foot(),
                class_name="card reading-text lesson",
            ),
            rx.el.aside(
                rx.el.h2("Lessons of this course"),
                lesson_list(State.lessons, with_summary=False),
                class_name="card stack",
                aria_label="Lessons of this course",
            ),
            class_name="lesson-grid",
        ),
        on_unmount=State.leave,
        class_name="stack",
    )


def _video() -> rx.Component:
    """The platform's own player. It is another element for another video: captions don't follow a changed address."""
    return rx.el.figure(
        LessonVideo.create(
            rx.cond(
                State.captions != "",
                rx.el.track(kind="captions", src=State.captions, src_lang="en", label="English", default=True),
            ),
            src=State.video,
            controls=True,
            plays_inline=True,
            preload="metadata",
            key=State.video,
            aria_label=State.video_title,
            custom_attrs=inline(aspectRatio="16 / 10"),
            on_ended=State.watched,
            on_pause=State.watched,
            on_time_update=State.watched.throttle(TELLS_EVERY_MS),
        ),
        rx.el.figcaption(
            State.video_title,
            rx.cond(State.goes_on_at != "", rx.fragment(" · goes on at ", State.goes_on_at), rx.fragment()),
            class_name="muted small",
        ),
        rx.cond(
            State.transcript.length() > 0,
            rx.el.details(
                rx.el.summary("Transcript"),
                rx.foreach(State.transcript, rx.el.p),
                class_name="small transcript",
            ),
        ),
        class_name="stack-s lesson-video",
    )


def _foot() -> rx.Component:
    return rx.el.div(
        callout(
            "green",
            rx.cond(State.certificate != "", "You have completed this course.", ""),
            certificate_link(State.certificate),
            live=False,
        ),
        rx.el.nav(
            rx.cond(State.before_href != "", _step("Previous", State.before_href)),
            rx.el.div(
                rx.cond(
                    ~State.loading & ~State.completed,
                    button("Mark as completed", kind="primary", icon="check", on_click=State.complete),
                ),
                rx.cond(
                    State.after_href != "",
                    rx.cond(
                        State.completed,
                        _step("Next", State.after_href, primary=True),
                        _step("Next", State.after_href),
                    ),
                ),
                class_name="row lesson-on",
            ),
            class_name="row row-between",
            aria_label="Lesson",
        ),
        class_name="stack lesson-foot",
    )


def _step(words: str, href: rx.Var[str], *, primary: bool = False) -> rx.Component:
    # To another lesson the page stays: nothing else would tell that this one is left.
    return link_button(words, href=href, kind="primary" if primary else "secondary", on_click=State.leave)
