"""How far a longer work is."""

import reflex as rx

from portal_app.ui.kinds import Number, Text


def progress(label: Text, percent: Number, *, id: str) -> rx.Component:
    """The platform's progress bar with its words above. The words are announced when they change, the bar is not."""
    return rx.el.div(
        rx.el.div(
            rx.el.span(label, id=f"{id}-label", custom_attrs={"role": "status"}),
            rx.el.span(percent, " %", class_name="num", aria_hidden="true"),
            class_name="progress-words",
        ),
        rx.el.progress(value=percent, max=100, aria_labelledby=f"{id}-label"),
        class_name="progress",
    )
