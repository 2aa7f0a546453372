"""A text to read: its way back, its head, the text, and what stands beside it."""

from collections.abc import Callable
from typing import Any

import reflex as rx

from portal_app.ui.base import icon, link
from portal_app.ui.kinds import Flag, Node, Text

Lines = rx.Var[list[Any]]


def back_link(words: Text, href: Text) -> rx.Component:
    """The way back to the list."""
    return rx.el.nav(link(icon("arrow-left"), words, href=href), class_name="crumbs", aria_label="Back")


def reading(title: Text, html: rx.Var[str], *, head: Node = "", aside: Node | None = None) -> rx.Component:
    """The text; `html` must come from `content.markdown`. `head` stands below its title, `aside` at its right."""
    article = rx.el.article(
        rx.el.header(rx.el.h1(title), head, class_name="stack-s"),
        rx.html(html, class_name="prose"),
        class_name="reading-text",
    )
    return rx.el.div(
        article, *([] if aside is None else [rx.el.div(aside, class_name="reading-aside")]), class_name="reading"
    )


def side_list(title: str, lines: Lines, entry: Callable[[Any], rx.Component], *, shown: Flag) -> rx.Component:
    """A list beside a text, such as its table of contents."""
    return rx.cond(
        shown,
        rx.el.nav(rx.el.h2(title), rx.el.ul(rx.foreach(lines, lambda one: rx.el.li(entry(one)))), aria_label=title),
    )


def reading_bones() -> rx.Component:
    """What stands there until the text comes."""
    bars = [rx.el.span(class_name="skeleton") for _ in range(6)]
    return rx.el.div(rx.el.div(*bars, class_name="stack reading-text"), class_name="reading", aria_busy="true")
