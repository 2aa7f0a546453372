"""The parts of User Management's list."""

from typing import Any

import reflex as rx

from portal_app.ui import Column, Filter, badge, instant, link, link_button, listing
from portal_app.ui.base import icon, visually_hidden
from portal_app.ui.user_acts import act_menu, who
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


def _cells(line: rx.Var[Line]) -> list[Any]:
    return [
        who(line),
        line["type"],
        badge(line["two_factor_kind"], line["two_factor"]),
        line["role"],
        instant(line["last"]),
        badge(line["state_kind"], line["state"]),
        rx.el.div(_pencil(line), rx.cond(line["own"], rx.fragment(), act_menu(State, line)), class_name="row-buttons"),
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
