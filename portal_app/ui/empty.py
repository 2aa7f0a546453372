"""What stands where nothing is: an empty list, a failure to load."""

import reflex as rx

from portal_app.ui.base import icon as draw_icon
from portal_app.ui.kinds import Node, Text


def empty_state(icon: str, title: Text, text: Text, *actions: Node) -> rx.Component:
    """Says what the list is for and offers the first step."""
    return _state(icon, title, text, actions, "empty")


def error_state(title: Text, text: Text, *actions: Node) -> rx.Component:
    """Says what did not load and what to do; announced."""
    return _state("circle-alert", title, text, actions, "empty is-red", role="alert")


def _state(icon: str, title: Text, text: Text, actions: tuple[Node, ...], look: str, **props) -> rx.Component:
    return rx.el.div(
        rx.el.span(draw_icon(icon, 20), class_name="empty-icon"),
        rx.el.h2(title),
        rx.el.p(text),
        *([rx.el.div(*actions, class_name="row")] if actions else []),
        class_name=look,
        **props,
    )
