"""`/operator/cycles`: the runs of the daily work."""

from typing import Any

import reflex as rx

from portal_app.operator.runs_state import PATH, RunLine
from portal_app.operator.runs_state import CycleRunsState as State
from portal_app.shell.layout import operator_page
from portal_app.ui import Column, badge, button, empty_state, instant, table

COLUMNS = (
    Column("Day", "short"),
    Column("Outcome", "status"),
    Column("Started", "date", on_card=False),
    Column("Finished", "date"),
    Column("What it did", "text"),
)


@operator_page(PATH, "Cycle Runs", load=State.load, help_topic="cycle-runs")
def cycle_runs() -> rx.Component:
    """What the daily work did, day by day."""
    return rx.fragment(
        rx.el.div(
            rx.el.p("What is done is never done twice: running again only does what is missing.", class_name="muted"),
            button("Run again", kind="primary", icon="play", busy=State.busy, on_click=State.run),
            class_name="row row-between",
        ),
        table(
            "Cycle Runs",
            COLUMNS,
            State.lines,
            _cells,
            row_key=lambda line: line["day"],
            loading=State.loading,
            reserve=10,
            empty=empty_state("calendar-clock", "No run yet", "The daily work runs by itself while the portal runs."),
        ),
    )


def _cells(line: rx.Var[RunLine]) -> list[Any]:
    return [
        line["day"],
        badge(line["kind"], line["outcome"]),
        instant(line["started"]),
        instant(line["finished"]),
        line["did"],
    ]
