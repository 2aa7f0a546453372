"""The Security page's section about passkeys, and its dialogs."""

from typing import Any

import reflex as rx

from portal_app.security.passkeys_state import PasskeyLine
from portal_app.security.passkeys_state import PasskeyState as State
from portal_app.ui import (
    Column,
    autofocus_attrs,
    button,
    confirm,
    dialog,
    empty_state,
    icon_button,
    instant,
    passkey_form,
    table,
    text_input,
)

COLUMNS = (
    Column("Name", "name"),
    Column("Added", "date"),
    Column("Last use", "date"),
    Column("Change", "action"),
)


def passkeys_section() -> rx.Component:
    """The list, and adding one."""
    return rx.el.section(
        rx.el.div(
            rx.el.h2("Passkeys"),
            button("Add a passkey", kind="primary", icon="plus", small=True, on_click=State.begin),
            class_name="card-head",
        ),
        rx.el.p(
            "Sign in with the screen lock of a device, or with a security key: no password to learn or to give away, "
            "and no code to type."
        ),
        table(
            "Passkeys",
            COLUMNS,
            State.lines,
            _cells,
            row_key=lambda line: line["id"].to(str),
            loading=~State.ready,
            reserve=1,
            empty=empty_state("key-round", "No passkeys", "Add one for each device that you sign in from."),
        ),
        _adding(),
        _naming(),
        confirm(
            State.dialog == "remove",
            "Remove this passkey?",
            f"“{State.name}” no longer signs you in. Remove it in the device or its password manager too.",
            id="passkey-remove",
            act="Remove passkey",
            on_confirm=State.remove,
            on_close=State.close,
            danger=True,
        ),
        on_mount=State.load,
        class_name="card stack",
        aria_label="Passkeys",
    )


def _cells(line: rx.Var[PasskeyLine]) -> list[Any]:
    return [
        rx.el.span(line["name"], title=line["name"], class_name="cut"),
        instant(line["added"]),
        instant(line["used"]),
        rx.el.div(
            icon_button("Rename this passkey", "pencil", on_click=State.ask_name(line["id"])),
            icon_button("Remove this passkey", "bin", danger=True, on_click=State.ask_remove(line["id"])),
            class_name="row-buttons",
        ),
    ]


def _adding() -> rx.Component:
    return dialog(
        State.dialog == "add",
        "Add a passkey",
        rx.el.p("Give it a name, such as the device that keeps it. Then the browser asks for your screen lock."),
        _name_form("passkey-add-form", State.ask),
        passkey_form(State.options, "create", id="passkey-make", on_answer=State.add),
        id="passkey-add",
        actions=_actions("Continue", "passkey-add-form"),
        on_close=State.close,
    )


def _naming() -> rx.Component:
    return dialog(
        State.dialog == "name",
        "Rename this passkey",
        _name_form("passkey-name-form", State.rename),
        id="passkey-name",
        actions=_actions("Save", "passkey-name-form"),
        on_close=State.close,
    )


def _name_form(ident: str, on_submit: Any) -> rx.Component:
    return rx.el.form(
        text_input(
            "Name",
            "name",
            id=f"{ident}-name",
            default_value=State.name,
            error=State.error,
            auto_complete="off",
            max_length=120,
            custom_attrs=autofocus_attrs(),
        ),
        id=ident,
        on_submit=on_submit,
        method="post",
        no_validate=True,
    )


def _actions(act: str, form: str) -> rx.Component:
    return rx.fragment(
        button("Cancel", on_click=State.close),
        button(act, kind="primary", type="submit", busy=State.busy, custom_attrs={"form": form}),
    )
