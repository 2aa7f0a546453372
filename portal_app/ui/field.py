"""Form fields: label above, hint below, error in its place. Values travel by form submit or by debounced events."""

import re
from collections.abc import Callable
from typing import Any

import reflex as rx
from reflex.experimental.client_state import ClientStateVar
from reflex.vars import FunctionStringVar

from portal_app.ui.base import icon, icon_button, kbd, visually_hidden
from portal_app.ui.kinds import Event, Flag, Text, classes, plain_id

TYPING_PAUSE_MS = 250
Wiring = dict[str, Any]


def field(
    label: Text,
    control: Callable[[Wiring], rx.Component],
    *,
    name: str,
    id: str = "",
    error: Text = "",
    hint: Text = "",
    required: bool = False,
) -> rx.Component:
    """Label, control, hint and error, wired. `control` gets id, name and aria attributes to pass on."""
    ident = control_id(name, id)
    return rx.el.div(
        rx.el.label(label, html_for=ident),
        control(wire(name, id=id, error=error, required=required)),
        hint_line(ident, hint),
        error_line(ident, error),
        class_name="field",
    )


def wire(name: str, *, id: str = "", error: Text = "", required: bool = False) -> Wiring:
    """The attributes that tie a control to its hint and its error."""
    ident = control_id(name, id)
    wiring: Wiring = {
        "id": plain_id(ident),
        "name": name,
        "aria_describedby": f"{ident}-hint {ident}-error",
        "aria_invalid": rx.cond(error, "true", "false") if isinstance(error, rx.Var) else str(bool(error)).lower(),
    }
    return wiring | ({"aria_required": "true"} if required else {})


def control_id(name: str, given: str = "") -> str:
    """The id of a field's control: `given`, or made of its name."""
    return given or f"field-{name}".replace("_", "-")


def hint_line(ident: str, hint: Text) -> rx.Component:
    """The hint below a control; hidden while there is none."""
    return rx.el.p(hint, id=plain_id(f"{ident}-hint"), class_name="field-hint", hidden=hint == "")


def error_line(ident: str, error: Text) -> rx.Component:
    """The error below a control; there from the start, so that it is announced when it comes."""
    return rx.el.p(error, id=plain_id(f"{ident}-error"), class_name="field-error", aria_live="polite")


def fault_in(errors: rx.Var[dict[str, str]], name: Text) -> rx.Var[str]:
    """What stands beside a field, out of a form's faults by field; empty when it has none."""
    return rx.cond(errors.contains(name), errors[name], "")


def _entry(**props: Any) -> rx.Component:
    """An input; with value and on_change it is debounced, so that typing never waits for the server."""
    control = rx.el.input(class_name=classes("control", props.pop("class_name", "")), **props)
    if "value" in props and "on_change" in props:
        return rx.debounce_input(control, debounce_timeout=TYPING_PAUSE_MS)
    return control


def text_input(
    label: Text,
    name: str,
    *,
    error: Text = "",
    hint: Text = "",
    required: bool = False,
    id: str = "",
    several_lines: bool = False,
    **props: Any,
) -> rx.Component:
    """A one-line field. Pass `default_value` (read on submit), or `value` and `on_change`; also type, placeholder…"""
    if not several_lines:
        props.setdefault("type", "text")

    def control(wiring: Wiring) -> rx.Component:
        if several_lines:
            return rx.el.textarea(class_name="control", **wiring, **props)
        return _entry(**wiring, **props)

    return field(label, control, name=name, id=id, error=error, hint=hint, required=required)


def text_area(label: Text, name: str, **props: Any) -> rx.Component:
    """A field of several lines, read on submit; takes what `text_input` takes."""
    return text_input(label, name, several_lines=True, **props)


def password_input(
    label: Text,
    name: str,
    *,
    error: Text = "",
    hint: Text = "",
    auto_complete: str = "current-password",
    required: bool = False,
    id: str = "",
    after: rx.Component | None = None,
    **props: Any,
) -> rx.Component:
    """A password with a Show/Hide button (in the browser only). `after` stands below it: the strength meter."""
    attrs = props.pop("custom_attrs", {})
    shown = ClientStateVar.create("shown_" + re.sub(r"\W", "_", id or name), default=False)

    def control(wiring: Wiring) -> rx.Component:
        entry = _entry(
            **wiring,
            **props,
            auto_complete=auto_complete,
            spell_check=False,
            auto_capitalize="none",
            custom_attrs=attrs | {"type": rx.cond(shown.value, "text", "password")},
        )
        toggle = rx.el.button(
            rx.cond(shown.value, "Hide", "Show"),
            visually_hidden(" password"),
            type="button",
            on_click=shown.set_value(~shown.value),
            aria_controls=wiring["id"],
            class_name="inline-button",
        )
        box = rx.el.div(shown, entry, toggle, class_name="with-button")
        return rx.fragment(box, after) if after is not None else box

    return field(label, control, name=name, id=id, error=error, hint=hint, required=required)


def strength_meter(score: int | rx.Var[int], words: Text) -> rx.Component:
    """Four bars and the verdict in words; the words are announced, the bars are not."""
    return rx.el.div(
        rx.el.span(*(rx.el.i() for _ in range(4)), class_name="strength-bars", aria_hidden="true"),
        rx.el.span(words, custom_attrs={"role": "status"}),
        class_name="strength",
        data_score=score,
    )


def search_input(
    label: Text,
    *,
    value: Text,
    on_change: Event,
    on_clear: Event,
    placeholder: Text = "",
    name: str = "search",
    id: str = "search",
    shortcut: str = "",
    **props: Any,
) -> rx.Component:
    """Search that waits for a pause in typing. `on_change` gets the text; `on_clear` is called by the clear button."""
    entry = rx.el.input(
        type="search",
        id=id,
        name=name,
        value=value,
        on_change=on_change,
        placeholder=placeholder,
        auto_complete="off",
        spell_check=False,
        class_name="control",
        **props,
    )
    return rx.el.div(
        rx.el.label(label, html_for=id, class_name="hidden-text"),
        icon("search"),
        rx.debounce_input(entry, debounce_timeout=TYPING_PAUSE_MS, force_notify_by_enter=True),
        rx.cond(
            value,
            icon_button("Clear", "x", on_click=on_clear),
            kbd(shortcut) if shortcut else rx.fragment(),
        ),
        class_name="search",
    )


def short_field(
    label: Text,
    name: str,
    *,
    value: Text,
    on_change: Event,
    type: str = "text",
    placeholder: str = "",
    choices: rx.Var[list[str]] | None = None,
) -> rx.Component:
    """A field of a toolbar: label before it, told of after a pause in typing; `choices` are offered while typing."""
    ident = f"filter-{name}"
    props: dict[str, Any] = {"list": f"{ident}-choices"} if choices is not None else {}
    return rx.el.div(
        rx.el.label(label, html_for=ident),
        _entry(
            id=ident,
            name=name,
            type=type,
            value=value,
            on_change=on_change,
            placeholder=placeholder,
            auto_complete="off",
            **props,
        ),
        rx.el.datalist(rx.foreach(choices, lambda one: rx.el.option(value=one)), id=f"{ident}-choices")
        if choices is not None
        else rx.fragment(),
        class_name="short-field",
    )


def focus_first_fault(shown: Flag) -> rx.Component:
    """When `shown` becomes true the first faulty field gets the focus, wherever on the page the button was."""
    move = FunctionStringVar.create("(() => document.querySelector('[aria-invalid=true]')?.focus())")
    return rx.cond(shown, rx.el.span(hidden=True, on_mount=move))
