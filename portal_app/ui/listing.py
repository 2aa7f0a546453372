"""What stands round a table: filter chips, the bar for bulk actions, the pager."""

from collections.abc import Sequence

import reflex as rx

from portal_app.ui.base import as_one, button, icon_button, link_button
from portal_app.ui.kinds import Event, Flag, Node, Number, Text, follows

PAGE_SIZES = (25, 50, 100)


def filter_chip(label: Text, on_remove: Event) -> rx.Component:
    """A filter that is on, with the button that takes it off."""
    return rx.el.span(
        rx.el.span(label, class_name="cut", title=label),
        icon_button(f"Remove filter {label}", "x", on_click=on_remove),
        class_name="chip",
    )


def bulk_bar(shown: Flag, text: Text, *actions: Node, on_clear: Event) -> rx.Component:
    """Slides in when rows are ticked; `text` says how many ("3 selected")."""
    return rx.el.div(
        rx.el.div(
            rx.el.div(
                rx.el.span(text, class_name="strong num", custom_attrs={"role": "status"}),
                button("Clear selection", kind="ghost", small=True, on_click=on_clear),
                rx.el.div(*actions, class_name="bulk-actions"),
                class_name="bulk",
            ),
            class_name="bulk-clip",
        ),
        class_name="bulk-slot",
        data_open=rx.cond(shown, "true", "false"),
    )


def pager(
    page: Number,
    pages: Number,
    size: Number,
    *,
    on_size: Event,
    previous: Text | Event,
    next: Text | Event,
    by_link: bool = False,
    load: Event = None,
    sizes: Sequence[int] = PAGE_SIZES,
    name: str = "page-size",
) -> rx.Component:
    """Page size, Previous, "Page 3 of 40", Next. `previous` and `next` are events, or addresses with `by_link`."""
    whole = rx.el.nav(
        _sizes(size, on_size, sizes, name),
        rx.el.div(
            _step("Previous", previous, _number(page) <= 1, by_link, load),
            rx.el.span("Page ", page, " of ", pages, class_name="num"),
            _step("Next", next, _number(page) >= _number(pages), by_link, load),
            class_name="pager-steps",
        ),
        class_name="pager",
        aria_label="Pages",
    )
    return as_one(whole)


def steps(
    size: Number,
    *,
    on_size: Event,
    previous: rx.Var[str],
    next: rx.Var[str],
    load: Event,
    name: str = "page-size",
) -> rx.Component:
    """A pager of a list whose pages are not numbered. `previous` and `next` are addresses; empty at the end."""
    return rx.el.nav(
        _sizes(size, on_size, PAGE_SIZES, name),
        rx.el.div(
            _step("Previous", previous, previous == "", True, load),
            _step("Next", next, next == "", True, load),
            class_name="pager-steps",
        ),
        class_name="pager",
        aria_label="Pages",
    )


def _sizes(size: Number, on_size: Event, sizes: Sequence[int], name: str) -> rx.Component:
    return rx.el.div(
        rx.el.label("Rows per page", html_for=name),
        rx.el.select(
            *(rx.el.option(str(n), value=str(n)) for n in sizes),
            id=name,
            name=name,
            default_value=f"{size}",
            on_change=on_size,
            class_name="control",
            custom_attrs=follows("value", f"{size}"),
        ),
        class_name="pager-size",
    )


def _number(value: Number) -> rx.vars.NumberVar:
    return rx.Var.create(value).to(int)


def _step(label: str, target: Text | Event, at_end: rx.Var[bool], by_link: bool, load: Event) -> rx.Component:
    if not by_link:
        return button(label, small=True, on_click=target, disabled=at_end)
    live = link_button(label, href=target, load=load, small=True)
    dead = rx.el.span(label, class_name="button button-secondary button-small", aria_disabled="true", role="link")
    return rx.cond(at_end, dead, live)
