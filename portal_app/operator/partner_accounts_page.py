"""`/operator/partners/[code]/accounts`: a partner's accounts, and who may open each."""

from typing import Any

import reflex as rx

from portal_app.operator.partner_accounts_state import AccessLine
from portal_app.operator.partner_accounts_state import PartnerAccountsState as State
from portal_app.operator.partner_components import partner_page
from portal_app.operator.query import ACCESS
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
    listing,
    text_input,
)

FILTERS = (Filter("Who may open it", "access", State.access, ACCESS),)
COLUMNS = (
    Column("Account Name", "name", sort="name"),
    Column("Email", "text", sort="email", on_card=False, wide_only=True),
    Column("Account Status", "status", sort="status", on_card=False),
    Column("Who may open it", "status", sort="access"),
    Column("Customer users", "number", on_card=False),
    Column("Change", "action", width="170px"),
)


@partner_page("/accounts", load=State.load, help_topic="operator-partner-accounts")
def partner_accounts() -> rx.Component:
    """The accounts of one partner."""
    return rx.fragment(
        listing(
            State,
            "Accounts",
            COLUMNS,
            _cells,
            loading=State.loading,
            path=State.path,
            placeholder="Name or email",
            filters=FILTERS,
            no_match=("No account matches", "None has all that the search and the filter ask for.", "Show all"),
            empty=empty_state("database", "No accounts yet", "The partner adds them on its dashboard."),
            reserve=5,
        ),
        _dialog(
            "take",
            "Take the partner's access away?",
            "Take access away",
            rx.el.p(
                "From now on nobody of the partner opens ",
                rx.el.strong(State.asked_name),
                ", and none of its programs. Only the customer's own users do. It stays on the partner's dashboard, "
                "and its bills stay the partner's.",
            ),
            callout(
                "orange",
                rx.cond(
                    State.asked_users == 0,
                    "This customer has no users of its own: nobody could open it.",
                    "Who can still open it: "
                    + State.asked_users.to_string()
                    + " of the customer's own. Make sure that none of them is somebody of the partner.",
                ),
                live=False,
            ),
            danger=True,
        ),
        _dialog(
            "give",
            "Give the partner its access back?",
            "Give access back",
            rx.el.p(rx.el.strong(State.asked_name), " can be opened by the partner's people again, as before."),
        ),
    )


def _cells(line: rx.Var[AccessLine]) -> list[Any]:
    act = rx.cond(line["open"], "Take access away", "Give access back")
    return [
        cut(line["name"]),
        cut(line["email"]),
        badge(line["status_kind"], line["status"]),
        rx.cond(line["open"], badge("green", ACCESS["open"]), badge("orange", ACCESS["taken"])),
        line["own_users"],
        button(
            act,
            small=True,
            on_click=State.ask(line["id"]),
            custom_attrs={"aria-label": act.to(str) + ": " + line["name"].to(str)},
        ),
    ]


def _dialog(act: str, title: str, label: str, *parts: rx.Component, danger: bool = False) -> rx.Component:
    return dialog(
        State.asking == act,
        title,
        rx.el.form(
            *parts,
            text_input(
                "Reason",
                "reason",
                error=fault_in(State.errors, "reason"),
                hint="Stands in both audits and in the mail to the partner.",
                auto_complete="off",
                custom_attrs=autofocus_attrs(),
            ),
            id=f"{act}-form",
            on_submit=State.act,
            method="post",
            no_validate=True,
            class_name="stack",
        ),
        id=f"{act}-dialog",
        actions=rx.fragment(
            button("Cancel", on_click=State.close),
            button(
                label,
                kind="danger" if danger else "primary",
                type="submit",
                busy=State.busy,
                custom_attrs={"form": f"{act}-form"},
            ),
        ),
        on_close=State.close,
    )
