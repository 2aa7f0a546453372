"""Menus: a list of buttons or links in a popover, opened by a button. Tab walks, Esc closes, focus returns."""

from dataclasses import dataclass
from typing import Any

import reflex as rx
from reflex.vars import FunctionStringVar

from portal_app.ui.base import ButtonKind, button, icon, icon_button, link
from portal_app.ui.kinds import Event, Flag, Node, Text, classes


@dataclass(frozen=True)
class MenuItem:
    """An act (`on_click`) or a place (`href`); `note` stands muted at the right."""

    label: Text
    on_click: Event = None
    href: Text | None = None
    icon: str = ""
    note: Text = ""
    danger: bool = False
    disabled: Flag = False
    external: bool = False
    shown: Flag = True


def menu(
    label: Text,
    *items: MenuItem | rx.Component,
    id: Text,
    kind: ButtonKind = "secondary",
    lead: str | None = None,
    disabled: Flag = False,
    small: bool = False,
    at_end: bool = False,
    icon_only: str = "",
) -> rx.Component:
    """A button and its popover. `at_end` lines up the right edges; `icon_only` shows an icon, the label is its name."""
    hook = {"popovertarget": id}
    opener = (
        icon_button(label, icon_only, disabled=disabled, custom_attrs=hook)
        if icon_only
        else button(
            rx.fragment(label, icon("chevron-down", 14)),
            kind=kind,
            icon=lead,
            disabled=disabled,
            small=small,
            custom_attrs=hook,
        )
    )
    return rx.fragment(opener, popover(*(_item(item, id) for item in items), id=id, label=label, at_end=at_end))


def popover(*children: Node, id: Text, label: Text, at_end: bool = False) -> rx.Component:
    """A floating box opened by any button with `custom_attrs={"popovertarget": id}`."""
    return rx.el.div(
        *children,
        id=id,
        role="group",
        aria_label=label,
        class_name=classes("menu", "menu-end" if at_end else ""),
        custom_attrs={"popover": "auto"},
    )


def menu_rule() -> rx.Component:
    """A hairline between groups of items."""
    return rx.el.hr(class_name="menu-rule")


def _item(item: MenuItem | rx.Component, menu_id: Text) -> rx.Component:
    if isinstance(item, rx.Component):
        return item
    entry = _entry(item, menu_id)
    return entry if item.shown is True else rx.cond(item.shown, entry)


def _entry(item: MenuItem, menu_id: Text) -> rx.Component:
    parts = [
        icon(item.icon) if item.icon else rx.fragment(),
        rx.el.span(item.label),
        rx.el.span(item.note, class_name="menu-note") if item.note is not None and item.note != "" else rx.fragment(),
    ]
    look = classes("menu-item", "menu-item-danger" if item.danger else "")
    if item.href is not None:
        return link(
            *parts, href=item.href, external=item.external, class_name=look, on_click=hide_popover(str(menu_id))
        )
    return rx.el.button(
        *parts,
        type="button",
        class_name=look,
        disabled=item.disabled,
        on_click=item.on_click,
        custom_attrs={"popovertarget": menu_id, "popovertargetaction": "hide"},
    )


def hide_popover(menu_id: str) -> Any:
    """An `on_click` that closes a popover in the browser: for links in it, which navigate without a reload."""
    return FunctionStringVar.create(f"(() => document.getElementById({menu_id!r})?.hidePopover())")
