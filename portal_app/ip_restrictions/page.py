"""`/settings/ip-restrictions`."""

from typing import Any

import reflex as rx

from portal_app.ip_restrictions.state import EntryLine
from portal_app.ip_restrictions.state import IpRestrictionsState as State
from portal_app.shell.layout import settings_page
from portal_app.ui import (
    Column,
    autofocus_attrs,
    button,
    callout,
    confirm,
    cut,
    dialog,
    empty_state,
    fault_in,
    focus_first_fault,
    icon_button,
    switch,
    table,
    text_area,
    text_input,
)

COLUMNS = [Column("IP Description", "name"), Column("IP Address", "text"), Column("Actions", "action", width="96px")]


@settings_page("/settings/ip-restrictions", "IP Restrictions", load=State.load, help_topic="ip-restrictions")
def ip_restrictions() -> rx.Component:
    """From where people of the partner may come."""
    return rx.fragment(
        _switch(),
        _caution(),
        rx.el.div(
            rx.el.h2("Trusted addresses"),
            button("+ Add IP Address", kind="primary", on_click=State.open_add, disabled=State.loading),
            class_name="row row-between",
        ),
        _table(),
        _entry_dialog(),
        _delete_dialog(),
    )


def _own_address() -> rx.Component:
    return rx.el.p("Your IP Address: ", rx.el.strong(State.own_address))


def _switch() -> rx.Component:
    return rx.el.div(
        _own_address(),
        switch(
            "Trusted IP Addresses",
            State.is_on,
            id="trusted-ip-addresses",
            on_click=State.switch(~State.is_on),
            disabled=State.loading,
            hint=rx.cond(
                State.is_on,
                "On: people of your company who come from another address are refused, in open sessions too.",
                "Off: people of your company can come from any address.",
            ),
        ),
        class_name="card stack",
    )


def _caution() -> rx.Component:
    """Before it is on: what has to be there first."""
    return rx.cond(
        ~State.loading & ~State.is_on & ~State.is_own_trusted,
        callout(
            "orange",
            "Add your own IP address first: without it the restrictions can't be turned on. "
            "Use addresses that stay the same, or you and your colleagues may be locked out.",
            live=False,
        ),
    )


def _table() -> rx.Component:
    return table(
        "Trusted IP Addresses",
        COLUMNS,
        State.entries,
        _cells,
        row_key=lambda line: line["id"],
        loading=State.loading,
        reserve=3,
        empty=empty_state(
            "network",
            "No trusted addresses yet",
            "List the addresses of your offices and your VPN. Then nobody of your company comes in from elsewhere.",
        ),
    )


def _cells(line: rx.Var[EntryLine]) -> list[Any]:
    name = line["name"].to(str)
    return [
        rx.cond(line["description"], cut(line["description"]), rx.el.span("No description", class_name="muted")),
        cut(line["addresses"]),
        rx.el.span(
            icon_button("Edit " + name, "pencil", on_click=State.open_edit(line["id"])),
            icon_button("Delete " + name, "bin", danger=True, on_click=State.open_delete(line["id"])),
            class_name="row-buttons",
        ),
    ]


def _entry_dialog() -> rx.Component:
    return dialog(
        (State.dialog == "add") | (State.dialog == "edit"),
        rx.cond(State.dialog == "edit", "Edit IP Address", "Add New IP Address"),
        _own_address(),
        rx.el.form(
            callout("red", State.error),
            focus_first_fault(State.errors.length() > 0),
            rx.el.input(
                type="hidden", name="entry", value=rx.cond(State.dialog == "edit", State.chosen["id"].to_string(), "")
            ),
            text_input(
                "Description",
                "description",
                default_value=State.form["description"],
                error=_fault("description"),
                hint="Optional, such as Main Office.",
                auto_complete="off",
                custom_attrs=autofocus_attrs(),
            ),
            text_area(
                "Trusted IP Address(es)",
                "addresses",
                default_value=State.form["addresses"],
                error=_fault("addresses"),
                hint="Separate several with commas, such as 192.0.2.5, 198.51.100.0/24, 2001:db8::5.",
                spell_check=False,
            ),
            rx.el.fieldset(
                rx.el.legend("Trusted IP Address Range", class_name="field-label"),
                _end("From", "first", "Such as 192.0.2.0"),
                _end("To", "last", "Such as 192.0.2.255"),
                class_name="range-fields",
            ),
            id="ip-address-form",
            on_submit=State.save,
            method="post",
            no_validate=True,
            class_name="stack",
        ),
        id="ip-address-dialog",
        actions=rx.fragment(
            button("Cancel", on_click=State.close),
            button("Save", kind="primary", type="submit", form="ip-address-form"),
        ),
        on_close=State.close,
    )


def _end(label: str, name: str, hint: str) -> rx.Component:
    return text_input(
        label,
        name,
        default_value=State.form[name],
        error=_fault(name),
        hint=hint,
        auto_complete="off",
        spell_check=False,
    )


def _fault(name: str) -> rx.Var[str]:
    return fault_in(State.errors, name)


def _delete_dialog() -> rx.Component:
    return confirm(
        State.dialog == "delete",
        "Delete this IP address?",
        f"{State.chosen['addresses']} will no longer be trusted.",
        callout("red", State.error),
        id="delete-ip-dialog",
        act="Delete",
        danger=True,
        on_confirm=State.delete(State.chosen["id"]),
        on_close=State.close,
    )
