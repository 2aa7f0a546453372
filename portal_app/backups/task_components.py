"""The parts of a task's page."""

from typing import Any

import reflex as rx

from portal_app.backups.account_rows import RunLine
from portal_app.backups.task_facts import STANDING_WORDS, STATE_WORDS, EntityWords
from portal_app.backups.task_state import TaskState as State
from portal_app.backups.task_words import JobWords
from portal_app.ui import (
    Bulk,
    Column,
    Filter,
    Ticks,
    badge,
    button,
    callout,
    cut,
    dialog,
    empty_state,
    facts,
    icon,
    instant,
    link,
    link_button,
    listing,
    progress,
    table,
    visually_hidden,
)

FACTS = 10
COLUMNS = (
    Column("Name", "name", sort="name", width="24%"),
    Column("Kind", "short", sort="kind", on_card=False, wide_only=True),
    Column("License", "short", sort="licensed", on_card=False, wide_only=True),
    Column("Size", "number", sort="size"),
    Column("Last backup", "date", sort="backup"),
    Column("Last attempt", "date", sort="attempt", on_card=False, wide_only=True),
    Column("State", "status", sort="state"),
    Column("Error", "text", width="22%"),
    Column("Actions", "action"),
)
RUNS = (
    Column("Outcome", "status"),
    Column("Started", "date"),
    Column("Took", "number", on_card=False),
    Column("Added", "number"),
    Column("Entities", "number", on_card=False),
    Column("Message", "text", width="45%"),
    Column("Log", "action"),
)


def head() -> rx.Component:
    """Name, acts, facts, and how far a running backup is."""
    return rx.el.section(
        rx.el.nav(link(icon("arrow-left"), "Backups", href=_place("backups")), class_name="crumbs", aria_label="Task"),
        rx.el.div(
            rx.el.h2(rx.cond(State.loading, "Backup task", State.name), class_name="cut", title=State.name),
            rx.el.div(
                rx.cond(State.may_run & State.built_in & (State.jobs.length() == 0), _back_up()),
                rx.cond(
                    State.may_recover & State.built_in,
                    link_button(
                        "Restore or export",
                        href=_place("restore?task=") + State.task_id.to_string(),
                        icon="archive-restore",
                    ),
                ),
                rx.cond(
                    State.may_manage,
                    link_button("Edit", href=_place("tasks/") + State.task_id.to_string() + "/edit", icon="pencil"),
                ),
                class_name="page-actions",
            ),
            class_name="page-head",
        ),
        rx.cond(
            ~State.loading & ~State.built_in,
            callout("grey", "A tool outside the portal makes these backups and reports how they went.", live=False),
        ),
        rx.foreach(State.jobs, _job),
        rx.el.dl(facts(State.facts, loading=State.loading, waiting=FACTS), class_name="facts card"),
        class_name="stack",
        aria_label="Task",
    )


def entities() -> rx.Component:
    """What the task holds; who may decide about it has ticks."""
    ticks = Ticks(
        ticked=lambda line: State.ticked.contains(line["id"]),
        on_tick=lambda line: State.tick(line["id"]),
        label=lambda line: "Select " + line["name"].to(str),
        all_ticked=(State.ticked.length() > 0) & (State.ticked.length() >= State.lines.length()),
        on_all=State.tick_page,
        some_ticked=State.ticked.length() > 0,
    )
    return rx.fragment(
        callout(
            "orange",
            rx.cond(State.waiting > 0, State.waiting.to_string() + " new in the source: add or ignore below.", ""),
            live=False,
        ),
        rx.cond(State.may_manage, _listing(ticks), _listing(None)),
    )


def runs() -> rx.Component:
    """The task's runs, each with its log."""
    return rx.el.section(
        rx.el.h3("Runs"),
        table(
            "Runs",
            RUNS,
            State.runs,
            _run,
            row_key=lambda run: run["id"],
            loading=State.loading,
            reserve=5,
            empty=empty_state("history", "No runs yet", "Each run is listed here with its outcome and its log."),
        ),
        rx.cond(State.more_runs, rx.el.div(button("Show older runs", on_click=State.show_older), class_name="row")),
        class_name="stack",
        aria_label="Runs",
    )


def log_dialog() -> rx.Component:
    """What a run said."""
    return dialog(
        State.log_of != "",
        State.log_of,
        rx.cond(State.log_message != "", rx.el.p(State.log_message)),
        rx.cond(
            State.log != "",
            rx.el.pre(State.log, class_name="log", tab_index=0, aria_label="Log", role="region"),
            rx.el.p("The engine left no log of this run.", class_name="muted"),
        ),
        id="run-log",
        actions=button("Close", on_click=State.close_log),
        on_close=State.close_log,
        wide=True,
    )


def _place(rest: str) -> rx.Var[str]:
    return "/accounts/" + State.account_id.to_string() + f"/{rest}"


def _back_up() -> rx.Component:
    return button("Back up now", kind="primary", icon="database-backup", on_click=State.back_up)


def _job(job: rx.Var[JobWords]) -> rx.Component:
    return rx.el.div(
        progress(job["words"], job["percent"], id="backup-progress"),
        rx.cond(
            State.may_run,
            button(
                "Cancel backup",
                icon="circle-stop",
                small=True,
                disabled=job["stopping"].to(bool),
                on_click=State.stop(job["id"]),
            ),
        ),
        class_name="card stack",
    )


def _listing(ticks: Ticks | None) -> rx.Component:
    return listing(
        State,
        "Entities",
        COLUMNS,
        _cells,
        loading=State.loading,
        path=_place("tasks/") + State.task_id.to_string(),
        placeholder="Name",
        filters=[
            Filter("State", "state", State.state, STATE_WORDS),
            Filter("Standing", "standing", State.standing, STANDING_WORDS),
        ],
        no_match=("No entity matches", "None has all that the search and the filters ask for.", "Show all entities"),
        empty=empty_state(
            "database",
            "No entities yet",
            rx.cond(
                State.built_in,
                "The folders, mailboxes or drives that this task backs up appear here with its first run.",
                "The tool that makes these backups has not said what they hold, one by one.",
            ),
        ),
        reserve=5,
        ticks=ticks,
        bulk=_bulk() if ticks else None,
    )


def _bulk() -> Bulk:
    acts = (("add", "Add", "plus"), ("ignore", "Ignore", "eye-off"), ("archive", "Archive", "archive"))
    acts = (*acts, ("reactivate", "Reactivate", "archive-restore"))
    actions = [button(words, icon=sign, small=True, on_click=State.decide(act, 0)) for act, words, sign in acts]
    return Bulk(State.ticked.length() > 0, f"{State.ticked.length()} selected", actions, State.untick)


def _cells(line: rx.Var[EntityWords]) -> list[Any]:
    state = rx.el.div(
        badge(line["state_kind"], line["state"]),
        rx.cond(line["note"] != "", rx.el.span(line["note"], class_name="muted")),
        class_name="two-lines",
    )
    return [
        cut(line["name"]),
        line["kind"],
        line["licensed"],
        line["size"],
        instant(line["last"]),
        instant(line["attempt"]),
        state,
        rx.cond(line["error"] != "", cut(line["error"])),
        rx.cond(State.may_manage, _acts(line)),
    ]


def _acts(line: rx.Var[EntityWords]) -> rx.Component:
    def act(words: str, decision: str) -> rx.Component:
        label = rx.fragment(words, visually_hidden(" ", line["name"]))
        return button(label, small=True, on_click=State.decide(decision, line["id"]))

    return rx.el.div(
        rx.cond(line["waiting"], rx.fragment(act("Add", "add"), act("Ignore", "ignore"))),
        rx.cond(line["ignored"], act("Add", "add")),
        rx.cond(line["may_archive"], act("Archive", "archive")),
        rx.cond(line["archived"], act("Reactivate", "reactivate")),
        class_name="row-buttons",
    )


def _run(run: rx.Var[RunLine]) -> list[Any]:
    label = rx.fragment("Log", visually_hidden(" of ", run["started"]["text"]))
    return [
        badge(run["outcome_kind"], run["outcome"]),
        instant(run["started"]),
        run["took"],
        run["added"],
        run["entities"],
        rx.cond(run["message"] != "", cut(run["message"])),
        button(label, small=True, on_click=State.show_log(run["id"])),
    ]
