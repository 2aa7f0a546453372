"""`/operator`: the provider's view of its partners."""

from typing import Any

import reflex as rx

from portal_app.operator.state import OperatorState as State
from portal_app.operator.state import PartnerLine
from portal_app.shell.layout import operator_page
from portal_app.ui import Column, badge, cut, empty_state, instant, row_link, table

COLUMNS = (
    Column("Partner ID", "short"),
    Column("Name", "name"),
    Column("State", "status"),
    Column("Currency", "short", on_card=False),
    Column("Accounts", "number"),
    Column("Users", "number"),
    Column("Since", "date", on_card=False, wide_only=True),
)


@operator_page("/operator", "Partners", load=State.load, help_topic="partners")
def partners() -> rx.Component:
    """All partners of this deployment."""
    return rx.fragment(
        table(
            "Partners",
            COLUMNS,
            State.partners,
            _cells,
            linked=True,
            row_key=lambda line: line["code"],
            loading=State.loading,
            reserve=4,
            empty=empty_state(
                "building-2",
                "No partners yet",
                "The command `python -m portal_app create-partner` makes the first one.",
            ),
        ),
    )


def _cells(line: rx.Var[PartnerLine]) -> list[Any]:
    return [
        row_link(line["code"], "/operator/partners/" + line["code"]),
        cut(line["name"]),
        badge(line["state_kind"], line["state"]),
        line["currency"],
        line["accounts"],
        line["users"],
        instant(line["created"]),
    ]
