"""`/settings/security`."""

from typing import Any

import reflex as rx

from portal_app.security.components import two_factor_section
from portal_app.security.passkeys_components import passkeys_section
from portal_app.security.state import SecurityState as State
from portal_app.security.state import SessionLine
from portal_app.shell.layout import settings_page
from portal_app.ui import (
    Column,
    badge,
    button,
    checkbox,
    empty_state,
    icon_button,
    instant,
    password_input,
    table,
    text_input,
)

COLUMNS = (
    Column("Browser", "name"),
    Column("Address", "short"),
    Column("Signed in", "date"),
    Column("Last use", "date"),
    Column("End", "action"),
)


@settings_page("/settings/security", "Security", load=State.load, help_topic="security")
def security() -> rx.Component:
    """One's own password, second factor and sessions; the rules for all users for who may set them."""
    return rx.el.div(
        rx.cond(State.has_password, _password()),
        two_factor_section(),
        rx.cond(State.has_password, passkeys_section()),
        _sessions(),
        rx.cond(State.may_rule, _policy()),
        class_name="stack-l settings-wide",
    )


def _password() -> rx.Component:
    return rx.el.section(
        rx.el.h2("Change Password"),
        # Another key: the browser's own fields are made anew, and empty, once the password was changed.
        rx.el.form(
            password_input("Current password", "current", error=_fault("current")),
            password_input(
                "New password",
                "password",
                id="new-password",
                error=_fault("password"),
                hint="12 to 128 characters of any kind.",
                auto_complete="new-password",
            ),
            password_input("Confirm password", "again", error=_fault("again"), auto_complete="new-password"),
            rx.el.div(
                button("Change password", kind="primary", type="submit", busy=State.busy), class_name="form-actions"
            ),
            rx.el.p("Set on ", instant(State.password_set), class_name="muted"),
            key=State.changes.to(str),
            on_submit=State.change_password,
            method="post",
            no_validate=True,
            class_name="form",
        ),
        class_name="card stack",
        aria_label="Change Password",
    )


def _sessions() -> rx.Component:
    return rx.el.section(
        rx.el.div(
            rx.el.h2("Sessions"),
            rx.cond(
                State.sessions.length() > 1,
                button("End all other sessions", kind="danger", small=True, on_click=State.revoke_others),
            ),
            class_name="card-head",
        ),
        rx.el.p("The browsers in which you are signed in. End whatever you don't know, and change your password."),
        table(
            "Sessions",
            COLUMNS,
            State.sessions,
            _cells,
            row_key=lambda line: line["key"],
            loading=~State.ready,
            reserve=2,
            empty=empty_state("monitor", "No sessions", "Sign in to see the browsers that you use."),
        ),
        class_name="card stack",
        aria_label="Sessions",
    )


def _cells(line: rx.Var[SessionLine]) -> list[Any]:
    return [
        rx.el.span(line["browser"], title=line["browser"]),
        line["address"],
        instant(line["began"]),
        instant(line["used"]),
        rx.cond(
            line["is_this"],
            badge("green", "This one"),
            icon_button("End this session", "log-out", danger=True, on_click=State.revoke(line["key"])),
        ),
    ]


def _policy() -> rx.Component:
    return rx.el.section(
        rx.el.h2("Policy for all users"),
        rx.el.form(
            checkbox(
                "Password expiration for all users", "expires", checked=State.expires, on_change=State.choose_expires
            ),
            rx.cond(
                State.expires,
                text_input(
                    "Days until a password expires",
                    "days",
                    default_value=State.days,
                    error=_fault("days"),
                    input_mode="numeric",
                    auto_complete="off",
                    max_length=4,
                ),
            ),
            checkbox(
                "Require 2FA for all users",
                "require_two_factor",
                checked=State.require_two_factor,
                on_change=State.choose_required,
            ),
            rx.el.p(
                "Others who have none yet are signed out, and set it up at their next sign-in. "
                "Sign-ins with a passkey have both factors.",
                class_name="muted",
            ),
            rx.el.div(button("Save", kind="primary", type="submit"), class_name="form-actions"),
            on_submit=State.save_policy,
            method="post",
            no_validate=True,
            class_name="form",
        ),
        class_name="card stack",
        aria_label="Policy for all users",
    )


def _fault(name: str) -> rx.Var[str]:
    return State.errors.get(name, "").to(str)
