"""`/news` and `/news/[post]`."""

import reflex as rx

from portal_app.news.state import PATH, Line, NewsState, PostState
from portal_app.shell.layout import portal_page
from portal_app.shell.state import ShellState
from portal_app.ui import badge, button, empty_state, instant, link, link_button
from portal_app.ui.reading import back_link, reading, reading_bones


@portal_page(PATH, "News", load=NewsState.load, help_topic="news")
def news() -> rx.Component:
    """All posts, newest first."""
    none = empty_state("mail", "No news yet", "What changes in the portal and around it is told here.")
    posts = rx.el.ul(rx.foreach(NewsState.lines, _line), class_name="card reading-list")
    return rx.fragment(
        rx.el.div(
            rx.el.h1("News"),
            rx.cond(ShellState.unread > 0, button("Mark all as read", icon="check", on_click=NewsState.read_all)),
            class_name="page-head",
        ),
        rx.cond(NewsState.loading, reading_bones(), rx.cond(NewsState.lines.length() > 0, posts, none)),
    )


def _line(line: rx.Var[Line]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            link(line["title"], href=line["href"]),
            rx.cond(line["unread"], badge("orange", "Unread")),
            rx.el.span(instant(line["date"]), class_name="muted end"),
            class_name="row",
        ),
        rx.el.p(line["summary"]),
    )


@portal_page(f"{PATH}/[post]", "Post", load=PostState.load, help_topic="news")
def post() -> rx.Component:
    """One post."""
    gone = empty_state(
        "search-x", "There is no such post", "It may have been taken back.", link_button("Show all news", href=PATH)
    )
    shown = reading(PostState.title, PostState.body, head=rx.el.p(instant(PostState.date), class_name="muted"))
    return rx.fragment(
        back_link("News", PATH), rx.match(PostState.phase, ("missing", gone), ("shown", shown), reading_bones())
    )
