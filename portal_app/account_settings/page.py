"""`/accounts/{id}/settings`."""

import reflex as rx

from portal_app.account_settings.removal_state import RemovalState as Removal
from portal_app.account_settings.state import AccountSettingsState as State
from portal_app.shell.account_frame import account_page
from portal_app.ui import (
    button,
    callout,
    checkbox,
    confirm_by_name,
    fault_in,
    focus_first_fault,
    select,
    text_input,
)


@account_page("/settings", "Settings", load=State.load, help_topic="customer-settings")
def settings() -> rx.Component:
    """What the account is called, where it writes to, where its data lies; and its end."""
    # The fields take what is saved when they are made: not before it is there.
    whole = rx.fragment(_form(), rx.cond(State.may_remove, rx.fragment(_end(), _dialog())))
    return rx.cond(State.ready, whole, _waiting())


def _waiting() -> rx.Component:
    return rx.el.div(class_name="skeleton form-skeleton", aria_hidden="true")


def _form() -> rx.Component:
    return rx.el.form(
        callout("red", State.error, rx.cond(State.stale, _load_again())),
        focus_first_fault(State.errors.length() > 0),
        rx.el.section(
            rx.el.h3("Account"),
            _field("Name", "name", State.name, auto_complete="off", required=True),
            _field(
                "Email",
                "email",
                State.email,
                type="email",
                auto_complete="off",
                required=True,
                hint="The account's own address. Users keep the addresses with which they sign in.",
            ),
            rx.cond(State.places.length() > 0, _place(), _fixed_place()),
            text_input("Partner ID", "partner_id", value=State.code, read_only=True, tab_index=-1),
            class_name="card stack",
            aria_label="Account",
        ),
        rx.cond(
            State.may_change,
            rx.el.div(button("Save", kind="primary", type="submit", busy=State.busy), class_name="form-actions"),
        ),
        on_submit=State.save,
        method="post",
        no_validate=True,
        class_name="form",
    )


def _load_again() -> rx.Component:
    return button("Load again, without my changes", small=True, on_click=State.load)


def _field(label: str, name: str, value: rx.Var[str], **props) -> rx.Component:
    error = fault_in(State.errors, name)
    return text_input(label, name, default_value=value, error=error, read_only=~State.may_change, **props)


def _place() -> rx.Component:
    return select(
        "Data Center Location",
        "place",
        State.places,
        default_value=State.place_id,
        disabled=~State.may_change,
        error=fault_in(State.errors, "place"),
        hint="It can be changed until something is stored.",
    )


def _fixed_place() -> rx.Component:
    return text_input(
        "Data Center Location",
        "fixed_place",
        value=State.place,
        read_only=True,
        error=fault_in(State.errors, "place"),
        hint="What is stored stays where it is.",
    )


def _end() -> rx.Component:
    return rx.el.section(
        rx.el.h3("Remove Account"),
        rx.el.p(
            "The subscription ends with a last bill for the days until today, the account's users are signed out, and "
            "all its backups are deleted at once, in the storage too. This can't be undone."
        ),
        checkbox(
            "I approve the removal of my data",
            "approve",
            checked=Removal.approved,
            on_change=Removal.approve,
        ),
        rx.el.div(
            button("Remove Account", kind="danger", disabled=~Removal.approved, on_click=Removal.open_dialog),
        ),
        class_name="card stack form",
        aria_label="Remove Account",
    )


def _dialog() -> rx.Component:
    return confirm_by_name(
        Removal.asking,
        "Remove this account for good?",
        "Its backups are deleted at once and for good; nobody can bring them back.",
        id="remove-dialog",
        name=State.name,
        typed=Removal.typed_name,
        on_type=Removal.type_name,
        matches=Removal.typed_name == State.name,
        act="Remove for good",
        on_confirm=Removal.remove,
        on_close=Removal.close,
        busy=Removal.removing,
        error=Removal.remove_error,
    )
