"""Status widgets: big figures that filter, and their shares as a bar."""

from collections.abc import Sequence
from dataclasses import dataclass

import reflex as rx

from portal_app.ui.base import as_one, dot, link
from portal_app.ui.kinds import Event, Flag, Kind, Text, inline


@dataclass(frozen=True)
class Figure:
    """One figure. `count` weighs the share bar, `shown` is its text ("1,204"); `amount` stands below, if any."""

    label: str
    kind: Kind
    count: int | rx.Var[int]
    href: Text
    shown: Text | None = None
    amount: Text = ""
    load: Event = None
    active: Flag = False


def widget(title: str, figures: Sequence[Figure], *, loading: Flag = False, amounts: bool = False) -> rx.Component:
    """A card with a heading, figures as links and the share bar; its skeleton has the very same height.

    `amounts`: the figures are amounts of money, which may need a second line on a phone.
    """
    look = "figures figures-amounts" if amounts else "figures"
    ready = rx.fragment(
        as_one(rx.el.ul(*(rx.el.li(_figure(figure)) for figure in figures), class_name=look)),
        as_one(rx.el.div(*(_share(figure) for figure in figures), class_name="share", aria_hidden="true")),
    )
    shown = ready if loading is False else rx.cond(loading, _skeleton(len(figures)), ready)
    return rx.el.section(rx.el.h2(title), shown, class_name="card widget", aria_label=title)


def _figure(figure: Figure) -> rx.Component:
    return link(
        rx.el.span(figure.count if figure.shown is None else figure.shown, class_name="figure-number"),
        rx.el.span(dot(figure.kind), figure.label, class_name="figure-label"),
        rx.el.span(figure.amount, class_name="figure-amount"),
        href=figure.href,
        load=figure.load,
        class_name="figure",
        aria_current=rx.cond(figure.active, "true", "false"),
    )


def _share(figure: Figure) -> rx.Component:
    return rx.el.i(
        class_name=f"is-{figure.kind}",
        custom_attrs=inline(flexGrow=figure.count),
        data_some=rx.cond(rx.Var.create(figure.count).to(int) > 0, "true", "false"),
    )


def _skeleton(count: int) -> rx.Component:
    bars = (
        rx.el.span(class_name="skeleton", custom_attrs=inline(height="24px", width="48px", margin="4px 0")),
        rx.el.span(class_name="skeleton", custom_attrs=inline(width="72px", marginTop="4px")),
    )
    return rx.fragment(
        rx.el.ul(*(rx.el.li(rx.el.div(*bars, class_name="figure")) for _ in range(count)), class_name="figures"),
        rx.el.div(class_name="share"),
    )
