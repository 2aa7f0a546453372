"""`/settings/notifications`."""

from typing import Any

import reflex as rx

from portal_app.notifications.rows import KINDS
from portal_app.notifications.state import NotificationsState as State
from portal_app.notifications.state import RecipientLine
from portal_app.shell.layout import settings_page
from portal_app.ui import (
    Column,
    autofocus_attrs,
    button,
    callout,
    checkbox,
    confirm,
    cut,
    dialog,
    empty_state,
    fault_in,
    focus_first_fault,
    icon_button,
    option,
    radio_group,
    table,
    text_input,
)

COLUMNS = [
    Column("Display Name", "name"),
    Column("Email", "text"),
    Column("Notifications", "text"),
    Column("Actions", "action", width="96px"),
]
HINTS = {
    "summary": "How all backups went, as often as you choose below.",
    "recovery": "A restore or an export has ended.",
    "exceptions": "A backup failed or was partial, and when it is successful again.",
    "discovery": "A backup came upon new mailboxes, sites or drives.",
    "trials": "A trial ends soon, has ended, or will be deleted. Without a recipient your administrators are told.",
}


@settings_page("/settings/notifications", "Notifications", load=State.load, help_topic="notifications")
def notifications() -> rx.Component:
    """Who hears of what by mail, how often, and in which form."""
    return rx.fragment(
        rx.el.div(
            rx.el.h2("Recipients"),
            button("+ Add new recipient", kind="primary", on_click=State.open_add, disabled=State.loading),
            class_name="row row-between",
        ),
        _table(),
        # The fields take what is saved when they are made: not before it is there.
        rx.cond(State.loading, rx.el.div(class_name="skeleton form-skeleton", aria_hidden="true"), _general()),
        _recipient_dialog(),
        _delete_dialog(),
    )


def _table() -> rx.Component:
    return table(
        "Recipients",
        COLUMNS,
        State.recipients,
        _cells,
        row_key=lambda line: line["id"],
        loading=State.loading,
        reserve=3,
        empty=empty_state(
            "mail",
            "No recipients yet",
            "Add who is to hear of failed backups, restores, new mailboxes and trials by mail.",
        ),
    )


def _cells(line: rx.Var[RecipientLine]) -> list[Any]:
    name = line["name"].to(str)
    return [
        cut(line["name"]),
        cut(line["email"]),
        cut(line["words"]),
        rx.el.span(
            icon_button("Edit " + name, "pencil", on_click=State.open_edit(line["id"])),
            icon_button("Delete " + name, "bin", danger=True, on_click=State.open_delete(line["id"])),
            class_name="row-buttons",
        ),
    ]


def _general() -> rx.Component:
    return rx.el.form(
        callout("red", rx.cond(State.dialog == "", State.error, "")),
        rx.el.section(
            rx.el.h2("General"),
            _choice("How often", "frequency", ("daily", "Daily"), ("weekly", "Weekly"), ("monthly", "Monthly")),
            rx.el.p(State.when, class_name="field-hint"),
            _choice("Report type", "content", ("full", "Full report"), ("exceptions", "Exceptions only")),
            _choice("CSV detail", "detail", ("attachment", "Attachment"), ("link", "Link (7 days, asks for sign-in)")),
            rx.cond(State.radar_enabled, _radar()),
            rx.el.div(
                button("Save", kind="primary", type="submit"),
                button("Send a test", on_click=State.send_test),
                class_name="form-actions",
            ),
            class_name="card stack",
            aria_label="General",
        ),
        # A dialog over it takes its place for screen readers, too.
        aria_hidden=rx.cond(State.dialog == "", "false", "true"),
        on_submit=State.save_general,
        method="post",
        no_validate=True,
        class_name="form",
    )


def _choice(label: str, name: str, *choices: tuple[str, str]) -> rx.Component:
    return radio_group(
        label, name, [option(*choice) for choice in choices], default_value=State.general[name], error=_fault(name)
    )


def _radar() -> rx.Component:
    return rx.fragment(
        rx.el.h3("Backup Radar"),
        text_input(
            "Backup Radar address",
            "radar_address",
            type="email",
            default_value=State.general["radar_address"],
            error=_fault("radar_address"),
            hint="The results of all tasks go to it every hour. Leave it empty to send nothing.",
            auto_complete="off",
        ),
        _choice("Form", "radar_form", ("csv", "CSV"), ("zip", "Zip")),
    )


def _recipient_dialog() -> rx.Component:
    return dialog(
        (State.dialog == "add") | (State.dialog == "edit"),
        rx.cond(State.dialog == "edit", "Edit recipient", "Add new recipient"),
        rx.el.form(
            callout("red", State.error),
            focus_first_fault(State.errors.length() > 0),
            rx.el.input(
                type="hidden",
                name="recipient",
                value=rx.cond(State.dialog == "edit", State.chosen["id"].to_string(), ""),
            ),
            text_input(
                "Email",
                "email",
                type="email",
                default_value=State.chosen["email"],
                error=_fault("email"),
                auto_complete="off",
                required=True,
                custom_attrs=autofocus_attrs(),
            ),
            text_input(
                "Display name",
                "name",
                default_value=State.chosen["name"],
                error=_fault("name"),
                hint="Mails call the recipient by it.",
                auto_complete="off",
                required=True,
            ),
            rx.el.fieldset(
                rx.el.legend("Notifications"),
                *(
                    checkbox(label, kind, hint=HINTS[kind], default_checked=State.chosen["kinds"].contains(kind))
                    for kind, label in KINDS.items()
                ),
                rx.el.p(_fault("kinds"), class_name="field-error", aria_live="polite"),
                class_name="choices",
            ),
            id="recipient-form",
            on_submit=State.save,
            method="post",
            no_validate=True,
            class_name="stack",
        ),
        id="recipient-dialog",
        actions=rx.fragment(
            button("Cancel", on_click=State.close),
            button("Save", kind="primary", type="submit", form="recipient-form"),
        ),
        on_close=State.close,
    )


def _fault(name: str) -> rx.Var[str]:
    return fault_in(State.errors, name)


def _delete_dialog() -> rx.Component:
    return confirm(
        State.dialog == "delete",
        "Delete this recipient?",
        f"{State.chosen['name']} ({State.chosen['email']}) will get no more notifications.",
        callout("red", State.error),
        id="delete-recipient-dialog",
        act="Delete",
        danger=True,
        on_confirm=State.delete(State.chosen["id"]),
        on_close=State.close,
    )
