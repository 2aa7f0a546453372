"""`/support/articles/[article]`."""

import reflex as rx

from portal_app.shell.layout import portal_page
from portal_app.support.article_state import ArticleState as State
from portal_app.support.service import ARTICLES
from portal_app.support.state import PATH
from portal_app.ui import empty_state, link, link_button
from portal_app.ui.reading import back_link, reading, reading_bones, side_list


@portal_page(f"{ARTICLES}/[article]", "Article", load=State.load, help_topic="support")
def article() -> rx.Component:
    """An article of help."""
    gone = empty_state(
        "search-x",
        "There is no such article",
        "It may have been taken back or renamed. The search finds what there is.",
        link_button("Search in Support", href=PATH),
    )
    return rx.fragment(rx.match(State.phase, ("missing", gone), ("shown", _article()), reading_bones()))


def _article() -> rx.Component:
    aside = rx.fragment(
        side_list(
            "On this page",
            State.parts,
            lambda part: link(part["text"], href=part["href"], external=True),
            shown=State.parts.length() > 0,
        ),
        side_list(
            "More of this topic",
            State.others,
            lambda line: link(line["title"], href=line["href"]),
            shown=State.others.length() > 0,
        ),
    )
    head = rx.cond(State.summary, rx.el.p(State.summary, class_name="lead"))
    return rx.fragment(
        back_link(State.topic["title"], State.topic["href"]),
        reading(State.title, State.body, head=head, aside=aside),
    )
