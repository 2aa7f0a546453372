"""Dialogs on `<dialog>`: modal, focus kept inside and given back, Esc closes. The server decides `open`."""

from typing import Any

import reflex as rx
from reflex.vars import FunctionStringVar
from reflex_components_core.el.elements.other import Dialog

from portal_app.ui.base import button, icon_button
from portal_app.ui.field import text_input
from portal_app.ui.kinds import Event, Flag, Node, Text, classes


class ModalDialog(Dialog):
    """`<dialog>` with its cancel event: Esc, or a click beside it."""

    on_cancel: rx.EventHandler[rx.event.no_args_event_spec]


def dialog(
    open: Flag,
    title: Text,
    *children: Node,
    id: str,
    actions: Node | None = None,
    on_close: Event,
    wide: bool = False,
    alert: bool = False,
) -> rx.Component:
    """A modal that is open while `open` is true. Esc, the X and `on_close` are the same road out.

    The content exists only while open; the element with `autofocus_attrs()` gets the focus, else the first control.
    """
    content = rx.fragment(
        rx.el.div(
            rx.el.h2(title, id=f"{id}-title"),
            icon_button("Close", "x", on_click=on_close),
            class_name="dialog-head",
        ),
        rx.el.div(*children, class_name="dialog-body"),
        rx.el.div(actions, class_name="dialog-actions") if actions is not None else rx.fragment(),
        # Last, so that the content stands when the dialog looks for what to focus.
        rx.el.span(hidden=True, on_mount=_call(id, "showModal"), on_unmount=_call(id, "close")),
    )
    return ModalDialog.create(
        rx.cond(open, content),
        id=id,
        on_cancel=on_close,
        class_name=classes("dialog", "dialog-wide" if wide else ""),
        aria_labelledby=f"{id}-title",
        custom_attrs={"closedby": "closerequest"} | ({"role": "alertdialog"} if alert else {}),
    )


def _call(ident: str, method: str) -> Any:
    """Runs a method of the dialog element in the browser; compiled into the page, so the CSP needs no eval."""
    return FunctionStringVar.create(f"(() => document.getElementById({ident!r})?.{method}())")


def autofocus_attrs() -> dict[str, str]:
    """`custom_attrs` for the control that a dialog focuses first (React would swallow its own autoFocus here)."""
    return {"autofocus": "true"}


def confirm(
    open: Flag,
    title: Text,
    text: Text,
    *children: Node,
    id: str,
    act: str,
    on_confirm: Event,
    on_close: Event,
    busy: Flag = False,
    danger: bool = False,
) -> rx.Component:
    """A question with one act, named on its button, and Cancel."""
    return dialog(
        open,
        title,
        rx.el.p(text),
        *children,
        id=id,
        actions=rx.fragment(
            button("Cancel", on_click=on_close),
            button(act, kind="danger" if danger else "primary", busy=busy, on_click=on_confirm),
        ),
        on_close=on_close,
    )


def confirm_by_name(
    open: Flag,
    title: Text,
    text: Text,
    *,
    id: str,
    name: Text,
    typed: Text,
    on_type: Event,
    matches: Flag,
    act: str,
    on_confirm: Event,
    on_close: Event,
    busy: Flag = False,
    error: Text = "",
    label: str = "Account name",
) -> rx.Component:
    """For what can't be undone: the red button wakes when `matches` says that the typed name is the name."""
    awake = matches if isinstance(matches, rx.Var) else rx.Var.create(matches)
    return dialog(
        open,
        title,
        rx.el.p(text),
        text_input(
            label,
            "confirm_name",
            id=f"{id}-name",
            value=typed,
            on_change=on_type,
            error=error,
            hint=rx.fragment("Type ", rx.el.strong(name), " to confirm"),
            auto_complete="off",
            spell_check=False,
            custom_attrs=autofocus_attrs(),
        ),
        id=id,
        actions=rx.fragment(
            button("Cancel", on_click=on_close),
            button(act, kind="danger", busy=busy, disabled=~awake, on_click=on_confirm),
        ),
        on_close=on_close,
        alert=True,
    )
