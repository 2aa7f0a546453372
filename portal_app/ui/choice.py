"""Choosing: select, tick box, radio buttons. They show the choice at once and follow what the server says."""

from collections.abc import Callable, Sequence
from typing import Any, TypedDict

import reflex as rx

from portal_app.ui.field import Wiring, control_id, error_line, field, hint_line, wire
from portal_app.ui.kinds import Event, Flag, Text, follows, plain_id


class Option(TypedDict):
    """One choice of a select or a radio group; `hint` is a line below a radio, or empty."""

    value: str
    label: str
    hint: str


def option(value: str, label: str = "", hint: str = "") -> Option:
    """An Option; the label is the value unless given."""
    return Option(value=value, label=label or value, hint=hint)


Options = Sequence[Option] | rx.Var[list[Option]]


def _each(options: Options, render: Callable[[Any], rx.Component]) -> list[rx.Component]:
    if isinstance(options, rx.Var):
        return [rx.foreach(options, render)]
    return [render(choice) for choice in options]


def select(
    label: Text,
    name: str,
    options: Options,
    *,
    error: Text = "",
    hint: Text = "",
    required: bool = False,
    id: str = "",
    **props: Any,
) -> rx.Component:
    """The platform's select. `options` are Options; `default_value`, or `value` and `on_change`."""

    def control(wiring: Wiring) -> rx.Component:
        return rx.el.select(*_each(options, _select_option), class_name="control", **wiring, **_live(props, "value"))

    return field(label, control, name=name, id=id, error=error, hint=hint, required=required)


def bare_select(label: Text, name: str, options: Options, **props: Any) -> rx.Component:
    """A select for toolbars: its label is there for screen readers only."""
    ident = control_id(name, props.pop("id", ""))
    return rx.fragment(
        rx.el.label(label, html_for=ident, class_name="hidden-text"),
        rx.el.select(
            *_each(options, _select_option),
            id=plain_id(ident),
            name=name,
            class_name="control",
            **_live(props, "value"),
        ),
    )


def _live(props: dict[str, Any], prop: str) -> dict[str, Any]:
    """`value` or `checked` of a native control as one that follows the server (see `follows`)."""
    if prop not in props:
        return props
    value = props.pop(prop)
    return props | {f"default_{prop}": value, "custom_attrs": props.get("custom_attrs", {}) | follows(prop, value)}


def _select_option(choice: Any) -> rx.Component:
    return rx.el.option(choice["label"], value=choice["value"])


def checkbox(
    label: Text,
    name: str,
    *,
    hint: Text = "",
    error: Text = "",
    id: str = "",
    **props: Any,
) -> rx.Component:
    """A tick box with its label at the right. `default_checked`, or `checked` and `on_change`."""
    ident = control_id(name, id)
    return rx.el.div(
        rx.el.input(type="checkbox", class_name="tick", **wire(name, id=id, error=error), **_live(props, "checked")),
        rx.el.label(label, html_for=ident),
        hint_line(ident, hint),
        error_line(ident, error),
        class_name="choice",
    )


def switch(label: Text, on: Flag, *, id: str, on_click: Event, hint: Text = "", disabled: Flag = False) -> rx.Component:
    """Something that is on or off at once, without a form. The server decides: it shows only what holds."""
    return rx.el.div(
        rx.el.button(
            type="button",
            id=plain_id(id),
            role="switch",
            aria_checked=rx.cond(on, "true", "false"),
            aria_labelledby=f"{id}-label",
            aria_describedby=f"{id}-hint",
            disabled=disabled,
            on_click=on_click,
            class_name="switch",
        ),
        rx.el.label(label, id=plain_id(f"{id}-label"), html_for=id, class_name="strong"),
        hint_line(id, hint),
        class_name="switch-line",
    )


def radio_group(
    legend: Text,
    name: str,
    options: Sequence[Option],
    *,
    value: Text | None = None,
    on_change: Event = None,
    default_value: Text = "",
    error: Text = "",
    disabled: Flag = False,
) -> rx.Component:
    """One of a few, all in sight. Controlled by `value` and `on_change`, else read on submit."""

    def chosen(choice: Option) -> dict[str, Any]:
        if value is not None:
            return _live({"checked": value == choice["value"], "on_change": on_change}, "checked")
        return {"default_checked": default_value == choice["value"]} | ({"on_change": on_change} if on_change else {})

    def line(choice: Option) -> rx.Component:
        ident = control_id(f"{name}-{choice['value']}")
        return rx.el.div(
            rx.el.input(
                type="radio",
                id=plain_id(ident),
                name=name,
                value=choice["value"],
                class_name="radio",
                disabled=disabled,
                aria_describedby=f"{ident}-hint",
                **chosen(choice),
            ),
            rx.el.label(choice["label"], html_for=ident),
            hint_line(ident, choice["hint"]),
            class_name="choice",
        )

    return rx.el.fieldset(
        rx.el.legend(legend),
        *(line(choice) for choice in options),
        error_line(control_id(name), error),
        class_name="choices",
        aria_describedby=f"{control_id(name)}-error",
    )
