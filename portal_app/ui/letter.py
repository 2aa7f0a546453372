"""A mail in both of its forms."""

from typing import Any

import reflex as rx

from portal_app.ui.base import link


def both_forms(text: rx.Var[Any], html: rx.Var[str]) -> rx.Component:
    """The mail as text (lines with `text` and `href`), and as HTML in a frame without scripts, forms and an origin."""
    return rx.el.div(
        rx.el.section(
            rx.el.h2("Text"),
            rx.el.div(rx.foreach(text, _text_line), class_name="card mail-text"),
            class_name="stack",
            aria_label="Text",
        ),
        rx.el.section(
            rx.el.h2("HTML"),
            # Its links open in a new tab.
            rx.el.iframe(
                src_doc=html,
                title="The mail as HTML",
                sandbox="allow-popups allow-popups-to-escape-sandbox",
                class_name="mail-html",
            ),
            class_name="stack",
            aria_label="HTML",
        ),
        class_name="mail-forms",
    )


def _text_line(line: rx.Var[Any]) -> rx.Component:
    # The server's own pages are asked for anew: a link in a mail may lead to any of them.
    return rx.cond(
        line.href != "",
        rx.el.p(link(line.text, href=line.href, external=True), dir="auto"),
        rx.el.p(line.text, dir="auto"),
    )
