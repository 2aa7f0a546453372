"""`/accounts/{id}`, the overview of a customer's account."""

from typing import Any

import reflex as rx

from portal_app.backups.account_rows import RunLine, TaskLine
from portal_app.backups.state import AccountState as State
from portal_app.shell.account_frame import account_page
from portal_app.shell.account_state import AccountFrameState as Frame
from portal_app.ui import Column, badge, button, cut, empty_state, facts, instant, link, table

FACTS = 5


@account_page("", "Account", load=State.load, help_topic="account", heading=False)
def account() -> rx.Component:
    """Facts, backup tasks and last runs."""
    head = rx.el.dl(facts(State.facts, loading=State.loading, waiting=FACTS), class_name="facts card")
    return rx.fragment(head, _tasks(), _runs())


def _tasks() -> rx.Component:
    columns = [
        Column("Backup task", "name"),
        Column("Service", "short", on_card=False, wide_only=True),
        Column("Last outcome", "status"),
        Column("Last backup", "date"),
        Column("Entities", "number", on_card=False),
        Column("Size", "number"),
    ]
    return rx.el.section(
        rx.el.h2(
            rx.cond(
                State.loading,
                "Backup tasks",
                rx.cond(State.tasks.length() == 1, "1 Backup task", f"{State.tasks.length()} Backup tasks"),
            )
        ),
        table(
            "Backup tasks",
            columns,
            State.tasks,
            _task,
            row_key=lambda task: task["id"],
            loading=State.loading,
            reserve=4,
            empty=empty_state(
                "database-backup",
                "No backup has reported yet",
                "Add a backup task under Backups. One that an outside tool reports appears here with its first run.",
            ),
        ),
        class_name="stack",
        aria_label="Backup tasks",
    )


def _task(task: rx.Var[TaskLine]) -> list[Any]:
    return [
        link(
            task["name"],
            href="/accounts/" + Frame.account_id.to_string() + "/tasks/" + task["id"].to_string(),
            class_name="cut",
            title=task["name"],
        ),
        task["service"],
        badge(task["outcome_kind"], task["outcome"]),
        instant(task["last"]),
        task["entities"],
        task["size"],
    ]


def _runs() -> rx.Component:
    columns = [
        Column("Task", "name"),
        Column("Outcome", "status"),
        Column("Started", "date"),
        Column("Took", "number", on_card=False, wide_only=True),
        Column("Added", "number"),
        Column("Entities", "number", on_card=False, wide_only=True),
        Column("Message", width="50%"),
    ]
    return rx.el.section(
        rx.el.h2("Last runs"),
        table(
            "Last runs",
            columns,
            State.runs,
            _run,
            row_key=lambda run: run["id"],
            loading=State.loading,
            reserve=8,
            empty=empty_state("history", "No runs yet", "Each run of a backup task is listed here with its outcome."),
        ),
        rx.cond(State.more, rx.el.div(button("Show older runs", on_click=State.show_older), class_name="row")),
        class_name="stack",
        aria_label="Last runs",
    )


def _run(run: rx.Var[RunLine]) -> list[Any]:
    return [
        cut(run["task"]),
        badge(run["outcome_kind"], run["outcome"]),
        instant(run["started"]),
        run["took"],
        run["added"],
        run["entities"],
        rx.cond(run["message"] != "", cut(run["message"])),
    ]
