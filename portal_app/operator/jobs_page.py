"""`/operator/jobs` and `/operator/jobs/[job]`: what workers do, did, and failed at."""

from typing import Any

import reflex as rx

from portal_app.operator.job_rows import KINDS, PATH
from portal_app.operator.jobs_state import STATES, JobLine
from portal_app.operator.jobs_state import JobPageState as Job
from portal_app.operator.jobs_state import JobsState as State
from portal_app.shell.layout import operator_page
from portal_app.ui import (
    Column,
    Filter,
    badge,
    button,
    callout,
    confirm,
    cut,
    empty_state,
    icon,
    instant,
    link,
    link_button,
    listing,
    progress,
    row_link,
)

COLUMNS = (
    Column("Job", "short", sort="id", width="84px"),
    Column("Kind", "text", sort="kind"),
    Column("State", "status", sort="state"),
    Column("Partner", "short"),
    Column("Account", "text"),
    Column("What", "text", on_card=False, wide_only=True),
    Column("Queued", "date", on_card=False),
    Column("Finished", "date", sort="finished", on_card=False),
)


@operator_page(PATH, "Jobs", load=State.load, help_topic="jobs")
def jobs() -> rx.Component:
    """All jobs of all partners."""
    return listing(
        State,
        "Jobs",
        COLUMNS,
        _cells,
        loading=State.loading,
        path=PATH,
        placeholder="Number or account",
        no_match=("No job matches", "Another filter, or all of them.", "Show all jobs"),
        filters=(
            Filter("Kind", "kind", State.kind, KINDS),
            Filter("State", "state", State.state, {str(state): words for state, (words, _) in STATES.items()}),
            Filter("Partner", "partner", State.partner, State.partners),
        ),
        empty=empty_state("list-checks", "No job yet", "Backups, restores, exports and reports stand here."),
        linked=True,
        reserve=10,
    )


def _cells(line: rx.Var[JobLine]) -> list[Any]:
    return [
        row_link(line["id"].to_string(), line["href"]),
        line["kind"],
        badge(line["state_kind"], line["state"]),
        line["partner"],
        cut(line["account"]),
        cut(rx.cond(line["fault"] != "", line["fault"], rx.cond(line["words"] != "", line["words"], line["task"]))),
        instant(line["created"]),
        instant(line["finished"]),
    ]


@operator_page(f"{PATH}/[job]", "Job", load=Job.load, help_topic="jobs")
def job() -> rx.Component:
    """One job."""
    gone = empty_state(
        "search-x", "There is no such job", "The list has all of them.", link_button("Show all", href=PATH)
    )
    bars = (rx.el.span(class_name="skeleton") for _ in range(5))
    waiting = rx.el.div(*bars, class_name="card stack", aria_busy="true")
    return rx.fragment(
        rx.el.nav(link(icon("arrow-left"), "All jobs", href=PATH), class_name="crumbs", aria_label="Back"),
        rx.cond(Job.missing, gone, rx.cond(Job.ready, _job(), waiting)),
    )


def _job() -> rx.Component:
    line = Job.job
    return rx.el.div(
        rx.el.section(
            rx.el.div(
                rx.el.h2(line["kind"] + " " + line["id"].to_string()),
                badge(line["state_kind"], line["state"], pill=True),
                class_name="row row-between",
            ),
            callout("red", line["fault"], live=False),
            rx.cond(
                line["running"],
                progress(rx.cond(line["words"] != "", line["words"], "Running"), line["percent"], id="job-progress"),
            ),
            _facts(line),
            _acts(line),
            class_name="card stack",
            aria_label="Job",
        ),
        rx.cond(
            Job.log != "",
            rx.el.section(
                rx.el.h2("Log"),
                rx.el.pre(Job.log, class_name="log", tab_index=0, aria_label="Log", role="region"),
                class_name="stack",
            ),
        ),
        confirm(
            Job.asking,
            "Cancel this job?",
            "What it has done so far stays; whoever asked for it may ask again.",
            id="stop-job",
            act="Cancel job",
            danger=True,
            on_confirm=Job.stop,
            on_close=Job.close,
            busy=Job.busy,
        ),
        class_name="stack-l",
    )


def _facts(line: rx.Var[JobLine]) -> rx.Component:
    texts = (
        ("Partner", line["partner"]),
        ("Account", line["account"]),
        ("Backup task", line["task"]),
        ("Asked by", line["made_by"]),
        ("Attempts", line["attempts"].to_string()),
        ("Outcome", rx.cond(line["running"], "", line["words"])),
    )
    times = (
        ("Queued", line["created"]),
        ("Next attempt", line["next"]),
        ("First started", line["started"]),
        ("Finished", line["finished"]),
    )
    return rx.el.dl(
        *(rx.cond(text != "", rx.el.div(rx.el.dt(label), rx.el.dd(text))) for label, text in texts),
        *(rx.cond(at["exact"] != "", rx.el.div(rx.el.dt(label), rx.el.dd(instant(at)))) for label, at in times),
        class_name="facts",
    )


def _acts(line: rx.Var[JobLine]) -> rx.Component:
    return rx.el.div(
        rx.cond(
            line["may_repeat"], button("Retry", kind="primary", icon="rotate-cw", busy=Job.busy, on_click=Job.repeat)
        ),
        rx.cond(line["may_stop"], button("Cancel", kind="danger", on_click=Job.ask)),
        rx.cond(line["has_log"] & (Job.log == ""), button("Show log", icon="scroll-text", on_click=Job.show_log)),
        class_name="form-actions",
    )
