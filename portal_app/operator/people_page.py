"""`/operator/operators`: the provider's own people."""

from typing import Any

import reflex as rx

from portal_app.operator.people_state import OperatorLine
from portal_app.operator.people_state import OperatorsState as State
from portal_app.operator.query import OPERATORS
from portal_app.shell.layout import operator_page
from portal_app.ui import (
    Column,
    Filter,
    autofocus_attrs,
    badge,
    button,
    dialog,
    fault_in,
    instant,
    listing,
    text_input,
)
from portal_app.ui.user_acts import act_dialog, act_menu, who
from portal_app.users.rows import STATES

FILTERS = (Filter("State", "state", State.state, {key: words for key, (words, _) in STATES.items()}),)
COLUMNS = (
    Column("Email", "name", sort="email"),
    Column("2FA Authentication", "short", sort="two_factor"),
    Column("Last sign-in", "date", sort="last", on_card=False),
    Column("State", "status", sort="state"),
    Column("Actions", "action"),
)


@operator_page(OPERATORS, "Operators", load=State.load, help_topic="operators")
def operators() -> rx.Component:
    """Who of the provider signs in."""
    return rx.fragment(
        listing(
            State,
            "Operators",
            COLUMNS,
            _cells,
            loading=State.loading,
            path=OPERATORS,
            placeholder="Name or email",
            filters=FILTERS,
            no_match=("No operator matches", "Nobody has all that the search and the filter ask for.", "Show all"),
            tools=[button("+ Add operator", kind="primary", on_click=State.ask_invite)],
            reserve=5,
        ),
        act_dialog(State),
        _invite_dialog(),
    )


def _cells(line: rx.Var[OperatorLine]) -> list[Any]:
    return [
        who(line),
        badge(line["two_factor_kind"], line["two_factor"]),
        instant(line["last"]),
        badge(line["state_kind"], line["state"]),
        rx.cond(line["own"], rx.el.span("You", class_name="muted"), act_menu(State, line)),
    ]


def _invite_dialog() -> rx.Component:
    return dialog(
        State.asking == "invite",
        "Add operator",
        rx.el.form(
            rx.el.p("An operator sees every partner. The person is invited by mail and chooses a password."),
            text_input(
                "Email",
                "email",
                type="email",
                error=fault_in(State.errors, "email"),
                auto_complete="off",
                custom_attrs=autofocus_attrs(),
            ),
            text_input("Name", "name", error=fault_in(State.errors, "name"), auto_complete="off"),
            rx.el.p(State.ask_error, class_name="field-error", custom_attrs={"role": "alert"}),
            id="invite-form",
            on_submit=State.invite,
            method="post",
            no_validate=True,
            class_name="stack",
        ),
        id="invite-dialog",
        actions=rx.fragment(
            button("Cancel", on_click=State.close),
            button(
                "Send invitation",
                kind="primary",
                type="submit",
                busy=State.busy,
                custom_attrs={"form": "invite-form"},
            ),
        ),
        on_close=State.close,
    )
