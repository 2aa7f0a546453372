"""`/operator`: the provider's view of its partners."""

from typing import Any

import reflex as rx

from portal_app.operator.query import PARTNER, PARTNERS
from portal_app.operator.state import OperatorState as State
from portal_app.operator.state import PartnerLine
from portal_app.operator.words import PARTNER_STATES
from portal_app.shell.layout import operator_page
from portal_app.ui import Column, Filter, badge, cut, empty_state, instant, link_button, listing, row_link

FILTERS = (Filter("State", "state", State.state, {key: words for key, (words, _) in PARTNER_STATES.items()}),)
COLUMNS = (
    Column("Partner ID", "short", sort="code"),
    Column("Name", "name", sort="name"),
    Column("State", "status", sort="state"),
    Column("Currency", "short", sort="currency", on_card=False),
    Column("Accounts", "number", sort="accounts"),
    Column("Users", "number", sort="users"),
    Column("Since", "date", sort="since", on_card=False, wide_only=True),
)


@operator_page(PARTNERS, "Partners", load=State.load, help_topic="partners")
def partners() -> rx.Component:
    """All partners of this deployment."""
    return listing(
        State,
        "Partners",
        COLUMNS,
        _cells,
        loading=State.loading,
        path=PARTNERS,
        placeholder="ID, name or email",
        filters=FILTERS,
        no_match=("No partner matches", "None has all that the search and the filter ask for.", "Show all partners"),
        tools=[_add()],
        empty=empty_state(
            "building-2",
            "No partners yet",
            "A partner sells backup to its customers: it has its own people, accounts and bills.",
            _add(),
        ),
        linked=True,
        reserve=5,
    )


def _add() -> rx.Component:
    return link_button("+ Add partner", href=f"{PARTNER}/new", kind="primary")


def _cells(line: rx.Var[PartnerLine]) -> list[Any]:
    return [
        row_link(line["code"], f"{PARTNER}/" + line["code"]),
        cut(line["name"]),
        badge(line["state_kind"], line["state"]),
        line["currency"],
        line["accounts"],
        line["users"],
        instant(line["created"]),
    ]
