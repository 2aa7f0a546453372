"""A task and its entities in words, ready for the task's page."""

from typing import TypedDict

from portal_app.backups.engine.sources import LABELS
from portal_app.backups.entities.rows import STANDINGS, STATES, EntityRow
from portal_app.backups.rows import Service
from portal_app.backups.task_forms import DISCOVERY, ENGINES, EVERY, KEPT
from portal_app.backups.task_words import OUTSIDE, PAUSED
from portal_app.facts import Fact
from portal_app.models import BackupTask, Discovery, Every, SourceKind, Standing, TaskEngine
from portal_app.sizes import size_text
from portal_app.times import Moment, moment

_LICENSED = {True: "Licensed", False: "Unlicensed", None: "\u2013"}
# What the state alone doesn't say.
_NOTES = {
    Standing.WAITING: "Waits for a decision",
    Standing.IGNORED: "Ignored",
    Standing.INACTIVE: "No longer in the source",
}
_SERVICES = {service.value: service for service in Service}


class EntityWords(TypedDict):
    """A line of the entities."""

    id: int
    name: str
    kind: str
    licensed: str
    size: str
    last: Moment
    attempt: Moment
    state: str
    state_kind: str
    note: str
    error: str
    waiting: bool
    ignored: bool
    may_archive: bool
    archived: bool


def entity_words(row: EntityRow, time_zone: str) -> EntityWords:
    """The words of one entity."""
    words, kind = STATES[row.state]
    return EntityWords(
        id=row.id,
        name=row.name,
        kind=row.kind or "\u2013",
        licensed=_LICENSED[row.licensed],
        size=size_text(row.size_bytes),
        last=moment(row.last_backup_at, time_zone),
        attempt=moment(row.last_attempt_at, time_zone),
        state=words,
        state_kind="accent" if kind == "blue" else kind,
        note=_NOTES.get(row.standing, ""),
        error=row.error,
        waiting=row.standing == Standing.WAITING,
        ignored=row.standing == Standing.IGNORED,
        may_archive=row.standing in (Standing.ACTIVE, Standing.INACTIVE),
        archived=row.standing == Standing.ARCHIVED,
    )


def task_facts(task: BackupTask, time_zone: str) -> list[Fact]:
    """What stands in the task's head. Both numbers of entities stand side by side."""
    last = moment(task.last_finished_at, time_zone)
    lines = [
        Fact(label="Entities", text=f"{task.entities:,}", exact=""),
        Fact(label="Billed entities", text=f"{task.billed_entities:,}", exact="Active ones that have a licence"),
        Fact(label="Size", text=size_text(task.size_bytes), exact=f"{task.size_bytes:,} bytes"),
        Fact(label="Service", text=_SERVICES.get(task.service, Service.GENERIC).label, exact=""),
        Fact(label="Last backup", text=last["text"], exact=last["exact"]),
    ]
    return lines + (_reported(task) if task.engine == TaskEngine.REPORTED else _built_in(task, time_zone))


def _reported(task: BackupTask) -> list[Fact]:
    coming = OUTSIDE if task.active else PAUSED
    return [
        Fact(label="Next backup", text=coming["text"], exact=coming["exact"]),
        Fact(label="Engine", text=ENGINES[TaskEngine.REPORTED], exact=""),
        Fact(label="Reported as", text=task.key, exact=""),
        Fact(label="New entities", text=DISCOVERY[Discovery(task.discovery)], exact=""),
    ]


def _built_in(task: BackupTask, time_zone: str) -> list[Fact]:
    coming = moment(task.next_run_at, time_zone) if task.active else PAUSED
    kind = LABELS[SourceKind(task.source_kind)] if task.source_kind else "\u2013"
    keep = "For ever" if task.keep_days is None else KEPT.get(task.keep_days, f"{task.keep_days:,} days")
    return [
        Fact(label="Next backup", text=coming["text"], exact=coming["exact"]),
        Fact(label="Schedule", text=f"{EVERY[Every(task.every)]}, {task.hour:02}:00 UTC", exact=""),
        Fact(label="Retention", text=keep, exact=""),
        Fact(label="Source", text=f"{kind}: {task.source_place}" if task.source_place else kind, exact=""),
        Fact(label="Engine", text=ENGINES[TaskEngine.BUILT_IN], exact=""),
        Fact(label="New entities", text=DISCOVERY[Discovery(task.discovery)], exact=""),
    ]


STANDING_WORDS = {key.value: words for key, (words, _) in STANDINGS.items()}
STATE_WORDS = {key.value: words for key, (words, _) in STATES.items()}
