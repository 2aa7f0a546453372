"""`/accounts/{id}/restore`."""

from typing import Any

import reflex as rx

from portal_app.backups.restore_state import EntityTick
from portal_app.backups.restore_state import RestoreState as State
from portal_app.backups.restore_words import RecoveryWords
from portal_app.shell.account_frame import account_page
from portal_app.ui import (
    Column,
    ask_for,
    badge,
    button,
    callout,
    confirm,
    cut,
    empty_state,
    icon_button,
    instant,
    link,
    option,
    radio_group,
    search_input,
    select,
    table,
)
from portal_app.ui.kinds import follows

COLUMNS = (
    Column("What", "short"),
    Column("Task", "name", width="22%"),
    Column("State", "status"),
    Column("Progress", "text", width="26%"),
    Column("Size", "number", on_card=False),
    Column("Started", "date"),
    Column("By", "text", on_card=False, wide_only=True, width="16%"),
    Column("Actions", "action"),
)


@account_page("/restore", "Restore", load=State.load, help_topic="restore")
def restore() -> rx.Component:
    """What is to be brought back, and what was."""
    nothing = empty_state(
        "archive-restore",
        "There is nothing to bring back yet",
        "Backups that the portal made itself can be restored or exported from here, from the first one on. "
        "Those of an outside tool are restored with that tool.",
    )
    form = rx.cond(State.tasks.length() > 0, _form(), nothing)
    return rx.fragment(rx.cond(State.loading, _waiting(), form), _past(), _original())


def _waiting() -> rx.Component:
    bars = [rx.el.span(class_name="skeleton") for _ in range(5)]
    return rx.el.div(rx.el.div(*bars, class_name="card stack"), class_name="form", aria_busy="true")


def _form() -> rx.Component:
    return rx.el.section(
        callout("red", State.error),
        rx.el.div(
            select(
                "Backup task",
                "task",
                State.tasks,
                value=State.task,
                on_change=lambda value: ask_for(State.answer, "task", value, without=["run"]),
            ),
            select(
                "Date",
                "run",
                State.dates,
                value=State.run,
                on_change=lambda value: ask_for(State.answer, "run", value, without=[]),
            ),
            radio_group(
                "What is brought back",
                "which",
                [option("all", "Everything"), option("chosen", "Chosen entities")],
                value=State.which,
                on_change=State.choose_which,
            ),
            rx.cond(State.which == "chosen", _choice()),
            class_name="card stack",
        ),
        rx.el.div(
            rx.cond(
                State.may_restore,
                rx.fragment(
                    button(
                        "Restore",
                        kind="primary",
                        icon="archive-restore",
                        busy=State.busy,
                        on_click=State.restore("copy"),
                    ),
                    button(
                        "Restore to the original place", icon="undo-2", busy=State.busy, on_click=State.ask_original
                    ),
                ),
            ),
            rx.cond(State.may_export, button("Export", icon="download", busy=State.busy, on_click=State.export)),
            class_name="form-actions",
        ),
        rx.el.p(
            "Restore writes a copy into a new folder beside the original. Export makes a file to download.",
            class_name="muted",
        ),
        class_name="form stack",
        aria_label="What to bring back",
    )


def _choice() -> rx.Component:
    return rx.el.div(
        search_input(
            "Search entities",
            value=State.search,
            on_change=State.search_entities,
            on_clear=State.search_entities(""),
            placeholder="Name",
            name="entity-search",
            id="entity-search",
        ),
        rx.el.p(f"{State.chosen.length()} chosen", class_name="count", custom_attrs={"role": "status"}),
        rx.el.ul(rx.foreach(State.entities, _entity), class_name="account-ticks", aria_label="Entities"),
        rx.cond(State.entities.length() == 0, rx.el.p("No entity matches.", class_name="muted")),
        rx.cond(
            State.pages > 1,
            rx.el.div(
                button("Previous", small=True, disabled=State.page <= 1, on_click=State.turn(-1)),
                rx.el.span("Page ", State.page, " of ", State.pages, class_name="num"),
                button("Next", small=True, disabled=State.page >= State.pages, on_click=State.turn(1)),
                class_name="pager-steps",
            ),
        ),
        class_name="stack",
    )


def _entity(one: rx.Var[EntityTick]) -> rx.Component:
    ident = "entity-" + one["id"].to_string()
    ticked = State.chosen.contains(one["id"])
    return rx.el.li(
        rx.el.div(
            rx.el.input(
                type="checkbox",
                id=ident,
                class_name="tick",
                default_checked=ticked,
                on_change=lambda on: State.tick(one["id"], on),
                custom_attrs=follows("checked", ticked),
            ),
            rx.el.label(one["name"], " ", rx.el.span(one["kind"], class_name="muted"), html_for=ident),
            class_name="choice",
        )
    )


def _past() -> rx.Component:
    return rx.el.section(
        rx.el.h3("Restores and exports"),
        table(
            "Restores and exports",
            COLUMNS,
            State.rows,
            _cells,
            row_key=lambda row: row["id"],
            loading=State.loading,
            reserve=3,
            empty=empty_state("history", "None yet", "What is restored or exported is listed here, with its progress."),
        ),
        class_name="stack",
        aria_label="Restores and exports",
    )


def _cells(row: rx.Var[RecoveryWords]) -> list[Any]:
    label = row["what"].to(str) + " of " + row["task"].to(str)
    bar = rx.el.div(
        rx.el.span(row["words"], " · ", row["percent"], " %", class_name="cut"),
        rx.el.progress(value=row["percent"], max=100, aria_label="Progress: " + label),
        class_name="progress job-progress",
    )
    download = link("Download", href=row["href"], download=True, title=row["file"], aria_label="Download " + label)
    stop = icon_button("Cancel the " + label.lower(), "circle-stop", on_click=State.stop(row["id"]))
    return [
        row["what"],
        cut(row["task"]),
        badge(row["state_kind"], row["state"]),
        rx.cond(row["open"], bar, rx.cond(row["words"] != "", cut(row["words"]))),
        row["size"],
        instant(row["started"]),
        cut(row["by"]),
        rx.cond(row["open"], stop, rx.cond((row["href"] != "") & State.may_export, download)),
    ]


def _original() -> rx.Component:
    return confirm(
        State.asking,
        "Restore to the original place?",
        "What is there now is written over with what the backup holds. Files that came later stay.",
        id="original-dialog",
        act="Restore over it",
        on_confirm=State.restore("original"),
        on_close=State.close,
        busy=State.busy,
        danger=True,
    )
