"""The parts of User Management's list."""

from typing import Any

import reflex as rx

from portal_app.ui import Column, Filter, MenuItem, badge, confirm, cut, instant, link, link_button, listing, menu
from portal_app.ui.base import icon, visually_hidden
from portal_app.users.query import PATH
from portal_app.users.rows import ROLES, STATES, TYPES
from portal_app.users.state import Line
from portal_app.users.state import UsersState as State

FILTERS = (
    Filter("Type", "type", State.type, TYPES),
    Filter("Role", "role", State.role, ROLES),
    Filter("State", "state", State.state, {key: words for key, (words, _) in STATES.items()}),
)
COLUMNS = (
    Column("Email", "name", sort="email"),
    Column("Type", "short", sort="type", on_card=False),
    Column("2FA Authentication", "short", sort="two_factor"),
    Column("Role", "short", sort="role"),
    Column("Last sign-in", "date", sort="last", on_card=False),
    Column("State", "status", sort="state"),
    Column("Actions", "action"),
)


def users_table() -> rx.Component:
    """The partner's users."""
    return listing(
        State,
        "Users",
        COLUMNS,
        _cells,
        loading=State.loading,
        path=PATH,
        placeholder="Name or email",
        filters=FILTERS,
        no_match=("No user matches", "Nobody has all that the search and the filters ask for.", "Show all users"),
        tools=[link_button("+ Add new user", href=f"{PATH}/new", kind="primary")],
        reserve=5,
    )


def act_dialog() -> rx.Component:
    """Asks before a user is disabled, enabled or deleted."""
    return rx.fragment(
        _dialog("disable", "Disable this user?", "Disable", " is signed out at once and can't sign in any more.", True),
        _dialog("enable", "Enable this user?", "Enable", " can sign in again, with the same rights as before.", False),
        _dialog("delete", "Delete this user?", "Delete", " loses all access at once. The audit keeps the name.", True),
    )


def _dialog(act: str, title: str, label: str, what: str, danger: bool) -> rx.Component:
    return confirm(
        State.asking == act,
        title,
        State.asked_email + what,
        rx.el.p(State.ask_error, class_name="field-error", custom_attrs={"role": "alert"}),
        id=f"{act}-dialog",
        act=label,
        on_confirm=State.act,
        on_close=State.close,
        busy=State.busy,
        danger=danger,
    )


def _cells(line: rx.Var[Line]) -> list[Any]:
    return [
        rx.el.div(
            cut(line["email"]),
            rx.el.span(line["name"], class_name="cut muted", title=line["name"]),
            class_name="two-lines",
        ),
        line["type"],
        badge(line["two_factor_kind"], line["two_factor"]),
        line["role"],
        instant(line["last"]),
        badge(line["state_kind"], line["state"]),
        rx.el.div(_pencil(line), rx.cond(line["own"], rx.fragment(), _menu(line)), class_name="row-buttons"),
    ]


def _pencil(line: rx.Var[Line]) -> rx.Component:
    label = "Edit " + line["email"].to(str)
    return link(
        icon("pencil"),
        visually_hidden(label),
        href=f"{PATH}/" + line["id"].to_string(),
        title=label,
        class_name="icon-button",
    )


def _menu(line: rx.Var[Line]) -> rx.Component:
    """What can be done with the user; what can't is not there."""
    number, ident = line["id"], "user-menu-" + line["id"].to_string()
    return menu(
        "More actions for " + line["email"].to(str),
        MenuItem("Resend Email Confirmation", on_click=State.resend(number), icon="mail", shown=line["invited"]),
        MenuItem("Disable", on_click=State.ask("disable", number), icon="user-x", shown=line["active"]),
        MenuItem("Enable", on_click=State.ask("enable", number), icon="user-check", shown=line["disabled"]),
        MenuItem("Delete", on_click=State.ask("delete", number), icon="trash-2", danger=True),
        id=ident,
        at_end=True,
        icon_only="ellipsis-vertical",
    )
