"""`/accounts/{id}/activity`."""

from typing import Any

import reflex as rx

from portal_app.backups.activity_query import Kind
from portal_app.backups.activity_state import ActivityState as State
from portal_app.backups.activity_state import Line
from portal_app.shell.account_frame import account_page
from portal_app.ui import (
    Column,
    ask_for,
    badge,
    bare_select,
    cut,
    empty_state,
    instant,
    option,
    steps,
    table,
)

COLUMNS = (
    Column("Date", "date"),
    Column("What", "name", width="18%"),
    Column("Task", "text", width="20%"),
    Column("State", "status"),
    Column("Description", "text", width="38%"),
    Column("By", "text", width="24%", on_card=False),
)
KINDS = {Kind.BACKUP: "Backups", Kind.RESTORE: "Restores", Kind.EXPORT: "Exports", Kind.CHANGE: "Changes and visits"}


@account_page("/activity", "Activity", load=State.load, help_topic="account-activity")
def activity() -> rx.Component:
    """What happened in the account, the newest first."""
    kinds = [option("", "Kind: all"), *(option(key.value, words) for key, words in KINDS.items())]
    return rx.el.section(
        rx.el.div(
            bare_select("Kind", "kind", kinds, value=State.kind, on_change=lambda kind: _ask("kind", kind)),
            class_name="tools",
        ),
        table(
            "Activity",
            COLUMNS,
            State.lines,
            _cells,
            row_key=lambda line: line["key"],
            loading=State.loading,
            reserve=8,
            empty=empty_state(
                "history", "Nothing happened yet", "Backups, restores, exports and changes are listed here."
            ),
            foot=steps(
                State.size,
                on_size=lambda size: _ask("size", size),
                previous=State.newest,
                next=State.older,
                load=State.answer,
                back="Newest",
            ),
        ),
        rx.window_event_listener(on_popstate=State.answer),
        class_name="stack",
        aria_label="Activity",
    )


def _ask(name: str, value: Any) -> list[Any]:
    """From the newest row on."""
    return ask_for(State.answer, name, value, without=["before"])


def _cells(line: rx.Var[Line]) -> list[Any]:
    return [
        instant(line["at"]),
        cut(line["what"]),
        rx.cond(line["about"] != "", cut(line["about"])),
        rx.cond(line["state"] != "", badge(line["state_kind"], line["state"])),
        rx.cond(line["words"] != "", cut(line["words"])),
        cut(line["by"]),
    ]
