"""`/operator/tickets`: what partners ask."""

from typing import Any

import reflex as rx

from portal_app.shell.layout import operator_page
from portal_app.tickets.lines import QueueLine
from portal_app.tickets.query import QUEUE
from portal_app.tickets.queue_state import OperatorTicketsState as State
from portal_app.tickets.words import STATES, TOPICS, URGENCIES
from portal_app.ui import (
    Column,
    Filter,
    ask_for,
    badge,
    cut,
    empty_state,
    instant,
    link_button,
    listing,
    row_link,
    short_field,
)

FILTERS = (
    Filter("State", "state", State.state, {key: words for key, (words, _) in STATES.items()}),
    Filter("Topic", "topic", State.topic, TOPICS),
    Filter("Urgency", "urgency", State.urgency, {key: words for key, (words, _) in URGENCIES.items()}),
    Filter("Assigned", "assigned", State.assigned, {"me": "To me", "nobody": "To nobody"}),
)
COLUMNS = (
    Column("Subject", "name", sort="subject"),
    Column("Partner", "short"),
    Column("Account", "text", on_card=False, wide_only=True, width="16%"),
    Column("Topic", "short", on_card=False, wide_only=True),
    Column("Urgency", "status", sort="queue"),
    Column("Assigned to", "text", on_card=False, width="13%"),
    Column("Last change", "date", sort="changed", on_card=False),
    Column("State", "status"),
)


@operator_page(QUEUE, "Tickets", load=State.load, help_topic="operator-tickets")
def tickets() -> rx.Component:
    """The queue: what waits for an answer first, by urgency and age."""
    return listing(
        State,
        "Tickets",
        COLUMNS,
        _cells,
        loading=State.loading,
        path=QUEUE,
        placeholder="Subject, account, opener or number",
        filters=FILTERS,
        no_match=(
            "No ticket matches",
            "No ticket has all that the search and the filters ask for.",
            "Show all tickets",
        ),
        empty=empty_state(
            "life-buoy",
            "No tickets yet",
            "What partners ask stands here.",
            link_button("Show all partners", href="/operator"),
        ),
        tools=[
            short_field(
                "Partner ID",
                "partner",
                value=State.partner,
                on_change=lambda code: ask_for(State.answer, "partner", code),
            )
        ],
        linked=True,
        reserve=8,
    )


def _cells(line: rx.Var[QueueLine]) -> list[Any]:
    return [
        rx.el.div(
            row_link(line["title"], line["href"]),
            rx.cond(line["notes"] != "", rx.el.span(line["notes"], class_name="cut muted")),
            class_name="two-lines",
        ),
        line["partner"],
        rx.cond(line["account"] != "", cut(line["account"]), rx.el.span(class_name="nothing")),
        line["topic"],
        badge(line["urgency_kind"], line["urgency"]),
        rx.cond(line["assigned"] != "", cut(line["assigned"]), rx.el.span(class_name="nothing")),
        instant(line["changed"]),
        badge(line["state_kind"], line["state"]),
    ]
