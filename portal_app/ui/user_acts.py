"""What lists of users show and offer for a row, and what they ask before it is done.

`state` is the list's: it has `ask`, `act`, `close` and `resend`.
"""

from typing import Any

import reflex as rx

from portal_app.ui import MenuItem, confirm, cut, menu, tip


def act_dialog(state: Any) -> rx.Component:
    """Asks before a user is disabled, enabled or deleted."""
    return rx.fragment(
        _dialog(state, "disable", "Disable this user?", "is signed out at once and can't sign in any more.", True),
        _dialog(state, "enable", "Enable this user?", "can sign in again, with the same rights as before.", False),
        _dialog(state, "delete", "Delete this user?", "loses all access at once. The audit keeps the name.", True),
    )


def who(line: Any) -> rx.Component:
    """The email over the name."""
    name = line["name"]
    return rx.el.div(cut(line["email"]), tip(name, name, class_name="cut muted"), class_name="two-lines")


def act_menu(state: Any, line: Any) -> rx.Component:
    """What can be done with the user; what can't is not there."""
    number = line["id"]
    return menu(
        "More actions for " + line["email"].to(str),
        MenuItem("Resend Email Confirmation", on_click=state.resend(number), icon="mail", shown=line["invited"]),
        MenuItem("Disable", on_click=state.ask("disable", number), icon="user-x", shown=line["active"]),
        MenuItem("Enable", on_click=state.ask("enable", number), icon="user-check", shown=line["disabled"]),
        MenuItem("Delete", on_click=state.ask("delete", number), icon="bin", danger=True),
        id="user-menu-" + number.to_string(),
        at_end=True,
        icon_only="ellipsis-vertical",
    )


def _dialog(state: Any, act: str, title: str, what: str, danger: bool) -> rx.Component:
    return confirm(
        state.asking == act,
        title,
        f"{state.asked_email} {what}",
        rx.el.p(state.ask_error, class_name="field-error", custom_attrs={"role": "alert"}),
        id=f"{act}-dialog",
        act=act.capitalize(),
        on_confirm=state.act,
        on_close=state.close,
        busy=state.busy,
        danger=danger,
    )
