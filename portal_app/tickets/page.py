"""`/support/tickets`."""

from typing import Any

import reflex as rx

from portal_app.shell.layout import portal_page
from portal_app.tickets.lines import TicketLine
from portal_app.tickets.query import PATH
from portal_app.tickets.state import TicketsState as State
from portal_app.tickets.words import STATES, TOPICS
from portal_app.ui import Column, Filter, badge, cut, empty_state, instant, link_button, listing, row_link

FILTERS = (
    Filter("State", "state", State.state, {key: words for key, (words, _) in STATES.items()}),
    Filter("Topic", "topic", State.topic, TOPICS),
)
COLUMNS = (
    Column("Subject", "name", sort="subject"),
    Column("Account", "text", on_card=False, width="20%"),
    Column("Topic", "short", on_card=False, wide_only=True),
    Column("Opened by", "text", sort="opened_by", on_card=False, wide_only=True, width="16%"),
    Column("Last change", "date", sort="changed"),
    Column("State", "status"),
)


@portal_page(PATH, "My Tickets", load=State.load, help_topic="tickets")
def tickets() -> rx.Component:
    """The tickets that the user opened; an administrator's are those of all colleagues."""
    new = link_button("Open a Ticket", href=f"{PATH}/new", kind="primary")
    first = link_button("Open a Ticket", href=f"{PATH}/new", kind="primary")
    return rx.fragment(
        rx.el.div(rx.el.h1("My Tickets"), rx.el.div(new, class_name="page-actions"), class_name="page-head"),
        listing(
            State,
            "Tickets",
            COLUMNS,
            _cells,
            loading=State.loading,
            path=PATH,
            placeholder="Subject, account or number",
            filters=FILTERS,
            no_match=(
                "No ticket matches",
                "No ticket has all that the search and the filters ask for.",
                "Show all tickets",
            ),
            empty=empty_state(
                "life-buoy", "No tickets yet", "Ask us anything about this portal and your backups.", first
            ),
            linked=True,
            reserve=5,
        ),
    )


def _cells(line: rx.Var[TicketLine]) -> list[Any]:
    return [
        row_link(line["title"], line["href"]),
        rx.cond(line["account"] != "", cut(line["account"]), rx.el.span(class_name="nothing")),
        line["topic"],
        cut(line["opened_by"]),
        instant(line["changed"]),
        badge(line["state_kind"], line["state"]),
    ]
