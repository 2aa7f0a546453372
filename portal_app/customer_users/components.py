"""The parts of the page of a customer's users."""

from typing import Any

import reflex as rx

from portal_app.customer_users.state import CustomerUsersState as State
from portal_app.customer_users.state import Grant, Line
from portal_app.ui import (
    Column,
    Filter,
    autofocus_attrs,
    badge,
    button,
    callout,
    cut,
    dialog,
    empty_state,
    fault_in,
    focus_first_fault,
    icon_button,
    instant,
    listing,
    text_input,
)
from portal_app.ui.user_acts import act_menu
from portal_app.users.rows import STATES

COLUMNS = (
    Column("Email", "name", sort="email"),
    Column("Name", sort="name"),
    Column("Permissions", width="30%"),
    Column("2FA Authentication", "short", sort="two_factor", wide_only=True),
    Column("Last sign-in", "date", sort="last", on_card=False),
    Column("State", "status", sort="state"),
    Column("Actions", "action"),
)


def users_table() -> rx.Component:
    """The account's users."""
    add = button("+ Add new user", kind="primary", on_click=State.open_new)
    return listing(
        State,
        "Users",
        COLUMNS,
        _cells,
        loading=State.loading,
        path=State.path,
        placeholder="Name or email",
        filters=(Filter("State", "state", State.state, {key: words for key, (words, _) in STATES.items()}),),
        no_match=("No user matches", "Nobody has all that the search and the filters ask for.", "Show all users"),
        empty=empty_state(
            "users",
            "Nobody at the customer has access",
            "Add the people who help with this account's backups. None of them ever sees a price.",
        ),
        tools=[add],
        reserve=3,
    )


def editor() -> rx.Component:
    """The form of a new user, or of one who is there."""
    return dialog(
        State.editing,
        rx.cond(State.is_new, "Add new user", "Edit user"),
        rx.el.form(
            callout("red", State.error),
            focus_first_fault(State.errors.length() > 0),
            _email(),
            text_input("Name", "name", default_value=State.user_name, error=_fault("name"), auto_complete="off"),
            rx.el.fieldset(
                rx.el.legend("Permissions"),
                rx.cond(State.own, rx.el.p("You can't change your own permissions.", class_name="field-hint")),
                rx.el.div(rx.foreach(State.grants, _tick), class_name="choice-columns"),
                class_name="choices",
            ),
            id="customer-user-form",
            on_submit=State.save,
            method="post",
            no_validate=True,
            auto_complete="off",
            class_name="stack",
        ),
        id="customer-user-dialog",
        actions=rx.fragment(
            button("Cancel", on_click=State.close),
            button("Save", kind="primary", type="submit", busy=State.busy, custom_attrs={"form": "customer-user-form"}),
        ),
        on_close=State.close,
        wide=True,
    )


def _email() -> rx.Component:
    return rx.cond(
        State.is_new,
        text_input(
            "Email",
            "email",
            type="email",
            error=_fault("email"),
            hint="The invitation goes to this address.",
            auto_complete="off",
            custom_attrs=autofocus_attrs(),
        ),
        text_input("Email", "fixed_email", value=State.user_email, read_only=True),
    )


def _tick(one: rx.Var[Grant]) -> rx.Component:
    ident = "may-" + one["key"].to(str)
    return rx.el.div(
        rx.el.input(
            type="checkbox",
            id=ident,
            name=ident,
            class_name="tick",
            default_checked=one["ticked"],
            disabled=one["fixed"],
        ),
        rx.el.label(one["label"], html_for=ident),
        class_name="choice",
    )


def _cells(line: rx.Var[Line]) -> list[Any]:
    number = line["id"]
    pencil = icon_button("Edit " + line["email"].to(str), "pencil", on_click=State.open_user(number))
    return [
        cut(line["email"]),
        cut(line["name"]),
        cut(line["permissions"]),
        badge(line["two_factor_kind"], line["two_factor"]),
        instant(line["last"]),
        badge(line["state_kind"], line["state"]),
        rx.el.div(pencil, rx.cond(line["own"], rx.fragment(), act_menu(State, line)), class_name="row-buttons"),
    ]


def _fault(name: str) -> rx.Var[str]:
    return fault_in(State.errors, name)
