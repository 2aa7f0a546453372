"""The parts of an account's Backups."""

from typing import Any

import reflex as rx

from portal_app.backups.backups_state import BackupsState as State
from portal_app.backups.task_query import View
from portal_app.backups.task_words import JobWords, TaskWords
from portal_app.shell.account_state import AccountFrameState as Frame
from portal_app.ui import (
    Bulk,
    Column,
    Filter,
    Ticks,
    badge,
    button,
    confirm_by_name,
    cut,
    empty_state,
    icon,
    icon_button,
    instant,
    link,
    link_button,
    listing,
    row_link,
    tip,
    visually_hidden,
)

VIEWS = {
    View.ACTIVE: "Active",
    View.PAUSED: "Paused",
    View.RUNNING: "Running",
    View.SUCCESSFUL: "Successful",
    View.PARTIAL: "Partially failed",
    View.FAILED: "Failed",
    View.NEVER: "Never backed up",
}
COLUMNS = (
    Column("Service", "text", sort="service", width="16%", on_card=False, wide_only=True),
    Column("Name", "name", sort="name", width="26%"),
    Column("Entities", "number", sort="entities"),
    Column("Billed entities", "number", sort="billed", on_card=False),
    Column("Next backup", "date", sort="next", on_card=False, wide_only=True),
    Column("Last backup", "status", sort="last"),
    Column("Size", "number", sort="size", on_card=False, wide_only=True),
    Column("On/off", "status", sort="active"),
    Column("Actions", "action"),
)


def tasks_table() -> rx.Component:
    """The account's tasks; who may change them has ticks."""
    ticks = Ticks(
        ticked=lambda line: State.ticked.contains(line["id"]),
        on_tick=lambda line: State.tick(line["id"]),
        label=lambda line: "Select " + line["name"].to(str),
        all_ticked=(State.ticked.length() > 0) & (State.ticked.length() >= State.lines.length()),
        on_all=State.tick_page,
        some_ticked=State.ticked.length() > 0,
    )
    return rx.cond(State.may_manage, _listing(ticks), _listing(None))


def _bulk() -> Bulk:
    """What can be done with the ticked tasks."""
    actions = (
        button("Activate", icon="play", small=True, on_click=State.set_ticked(True)),
        button("Pause", icon="pause", small=True, on_click=State.set_ticked(False)),
    )
    return Bulk(State.ticked.length() > 0, f"{State.ticked.length()} selected", actions, State.untick)


def delete_dialog() -> rx.Component:
    """Asks for the name before a task goes."""
    return confirm_by_name(
        State.asked_name != "",
        "Delete this backup task?",
        "The task goes with all its runs, and its backups are deleted from the storage, too. Nothing can be restored "
        "from them any more. What the customer has at the source stays untouched.",
        id="delete-task",
        name=State.asked_name,
        typed=State.typed,
        on_type=State.type_name,
        matches=State.typed.strip() == State.asked_name,
        act="Delete task and data",
        on_confirm=State.delete,
        on_close=State.close,
        busy=State.busy,
        error=State.ask_error,
        label="Task name",
    )


def add_button() -> rx.Component:
    """Leads to the form of a new task."""
    href = "/accounts/" + Frame.account_id.to_string() + "/tasks/new"
    return rx.cond(State.may_manage, link_button("+ Add Backup Task", href=href, kind="primary"))


def job_progress(job: rx.Var[JobWords]) -> rx.Component:
    """How far a running backup is, within a cell."""
    known, label = job["known"].to(bool), "Progress: " + job["words"].to(str)
    bars = (
        rx.el.progress(value=job["percent"], max=100, aria_label=label),
        rx.el.progress(max=100, aria_label=label),
    )
    words = rx.cond(known, job["words"].to(str) + " · " + job["percent"].to_string() + " %", job["words"].to(str))
    return rx.el.div(rx.el.span(words, class_name="cut"), rx.cond(known, *bars), class_name="progress job-progress")


def _listing(ticks: Ticks | None) -> rx.Component:
    return listing(
        State,
        "Backup tasks",
        COLUMNS,
        _cells,
        loading=State.loading,
        path="/accounts/" + Frame.account_id.to_string() + "/backups",
        placeholder="Name",
        filters=[Filter("View", "view", State.view, {key.value: words for key, words in VIEWS.items()})],
        no_match=("No task matches", "No task has all that the search and the view ask for.", "Show all tasks"),
        empty=_empty(),
        tools=[add_button()],
        reserve=5,
        linked=True,
        ticks=ticks,
        bulk=_bulk() if ticks else None,
    )


def _empty() -> rx.Component:
    return empty_state(
        "database-backup",
        "Nothing is backed up yet",
        "A backup task says what of the customer is backed up, how often, and how long it is kept. "
        "A task that an outside tool reports appears here with its first run.",
        add_button(),
    )


def _cells(line: rx.Var[TaskWords]) -> list[Any]:
    running = State.jobs.contains(line["key"])
    job = State.jobs[line["key"]]
    last = rx.el.div(
        badge(line["outcome_kind"], line["outcome"]),
        tip(line["last"]["text"], line["last"]["exact"], class_name="muted num"),
        class_name="two-lines",
    )
    return [
        cut(line["service"]),
        row_link(line["name"], line["href"]),
        line["entities"],
        line["billed"],
        instant(line["next"]),
        rx.cond(running, job_progress(job), last),
        line["size"],
        _switch(line),
        rx.el.div(_run(line, running, job), _edit(line), _delete(line), class_name="row-buttons"),
    ]


def _switch(line: rx.Var[TaskWords]) -> rx.Component:
    control = rx.el.button(
        visually_hidden("Back up ", line["name"]),
        type="button",
        role="switch",
        aria_checked=rx.cond(line["active"], "true", "false"),
        title=rx.cond(line["active"], "On", "Paused"),
        on_click=State.switch(line["id"], ~line["active"].to(bool)),
        class_name="switch",
    )
    words = rx.cond(line["active"], badge("green", "On"), badge("grey", "Paused"))
    return rx.cond(State.may_manage, control, words)


def _run(line: rx.Var[TaskWords], running: rx.Var[bool], job: rx.Var[JobWords]) -> rx.Component:
    name = line["name"].to(str)
    start = icon_button("Back up now " + name, "database-backup", on_click=State.back_up(line["id"]))
    stop = icon_button(
        "Cancel the backup of " + name, "circle-stop", disabled=job["stopping"].to(bool), on_click=State.stop(job["id"])
    )
    return rx.cond(State.may_run & line["built_in"].to(bool), rx.cond(running, stop, start))


def _edit(line: rx.Var[TaskWords]) -> rx.Component:
    label = "Edit " + line["name"].to(str)
    place = line["href"].to(str) + "/edit"
    pencil = link(icon("pencil"), visually_hidden(label), href=place, title=label, class_name="icon-button")
    return rx.cond(State.may_manage, pencil)


def _delete(line: rx.Var[TaskWords]) -> rx.Component:
    label = "Delete " + line["name"].to(str)
    return rx.cond(State.may_delete, icon_button(label, "bin", danger=True, on_click=State.ask_delete(line["id"])))
