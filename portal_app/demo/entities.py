"""What a demo task holds: entities with names of their kind, which agree with the task's last run."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise, product
from random import Random

from portal_app.backups.entities.shown import is_billed
from portal_app.backups.rows import Service
from portal_app.demo.history import Row
from portal_app.models import BackupTask, Discovery, Outcome, Standing
from portal_app.text import fold

# What an entity of each service is, and what it is called.
KINDS = {
    Service.EXCHANGE: "mailbox",
    Service.GROUPS: "team",
    Service.SHAREPOINT: "site",
    Service.ONEDRIVE: "drive",
    Service.ONENOTE: "notebook",
    Service.GOOGLE_MAIL: "mailbox",
    Service.GOOGLE_DRIVE: "drive",
    Service.GOOGLE_SHARED_DRIVES: "shared drive",
    Service.SALESFORCE: "object",
    Service.BOX: "user",
    Service.DROPBOX: "user",
    Service.IMAP: "mailbox",
    Service.S3: "bucket",
    Service.GENERIC: "folder",
}
_OF_PEOPLE = frozenset({"mailbox", "drive", "user", "notebook"})
_FIRST, _LAST, _TEAMS, _PARTS, _OBJECTS = (
    words.split()
    for words in (
        "Amira Björn Chiara Dmitri Esther Farid Grace Hao Ines Jonas Kenji Leila Mateo Nadia Olu Priya Quentin Rosa"
        " Søren Thandi Uma Viktor Wanda Yara Zoltán",
        "Adeyemi Bauer Castillo Dubois Eriksen Fischer García Haddad Ito Jansen Kowalski Lindqvist Moreau Nguyen"
        " O'Brien Patel Rossi Silva Tanaka Weber",
        "Accounting Board Design Engineering Events Facilities Finance Legal Logistics Marketing Operations People"
        " Procurement Product Quality Research Sales Security Service Training",
        "Archive Contracts Drafts Handover Launch Meetings Plans Projects Reports Templates Wiki",
        "Account Asset Campaign Case Contact Contract Event Invoice Lead Note Opportunity Order Pricebook Product"
        " Quote Report Solution Task User Workorder",
    )
)
_PEOPLE = [(fold(f"{first}.{last}").replace("'", ""), f"{first} {last}") for first, last in product(_FIRST, _LAST)]
_FAILED = (
    "The mailbox is locked by a migration. It is tried again with the next run.",
    "Access was refused: the consent was withdrawn.",
    "It did not answer in time.",
    "Its licence was removed while it was read.",
)
_PARTIAL = "12 items could not be read: they are larger than the service hands out."


@dataclass(frozen=True, slots=True)
class Shape:
    """How many entities of each standing a task has; the unlicensed ones are among the active."""

    active: int
    inactive: int = 0
    archived: int = 0
    unlicensed: int = 0
    waiting: int = 0
    ignored: int = 0

    @property
    def held(self) -> int:
        return self.active + self.inactive + self.archived

    @property
    def billed(self) -> int:
        return self.active - self.unlicensed


def shape(held: int, service: Service, discovery: str, chooser: Random) -> Shape:
    """How a task's entities are spread over the standings."""
    inactive, archived = (int(held * chooser.uniform(0, most)) for most in (0.12, 0.08))
    active = held - inactive - archived
    return Shape(
        active,
        inactive,
        archived,
        unlicensed=int(active * chooser.uniform(0, 0.2)) if service == Service.EXCHANGE else 0,
        waiting=chooser.randint(1, 4) if discovery == Discovery.ASK else 0,
        ignored=chooser.randint(1, 3) if discovery != Discovery.ADD else 0,
    )


def rows(task: BackupTask, form: Shape, runs: Sequence[Row], domain: str, chooser: Random) -> list[Row]:
    """Rows of backup_entity: the active ones as the last run left them, the others as an earlier one did."""
    standings = [
        *([Standing.ACTIVE] * form.active),
        *([Standing.INACTIVE] * form.inactive),
        *([Standing.ARCHIVED] * form.archived),
        *([Standing.WAITING] * form.waiting),
        *([Standing.IGNORED] * form.ignored),
    ]
    sizes = _sizes(runs[-1]["size_bytes"] if runs else 0, form.held, chooser)
    names = _names(KINDS[Service(task.service)], len(standings), domain, chooser)
    fates = _fates(form, runs, chooser)
    made = []
    for number, (standing, (key, name)) in enumerate(zip(standings, names, strict=False)):
        fixed = {"account_id": task.account_id, "task_id": task.id, "key": key, "name": name, "name_key": fold(name)}
        told = {"kind": KINDS[Service(task.service)], "standing": standing, "licensed": _licensed(task, number, form)}
        size = sizes[number] if number < form.held else 0
        found_at = _found_at(task, standing, runs)
        # Of those that wait, recipients are told when the demo starts.
        news = {"size_bytes": size, "found_at": found_at, "told": standing != Standing.WAITING}
        made.append(fixed | told | news | next(fates))
    assert sum(is_billed(row["standing"], row["licensed"]) for row in made) == form.billed  # noqa: S101
    return made


def _licensed(task: BackupTask, number: int, form: Shape) -> bool | None:
    if task.service != Service.EXCHANGE:
        return None
    # Others than those that failed.
    return not form.billed <= number < form.active


def _found_at(task: BackupTask, standing: Standing, runs: Sequence[Row]) -> datetime:
    new = standing in (Standing.WAITING, Standing.IGNORED) and runs
    return runs[-1]["finished_at"] if new else task.created_at


def _sizes(whole: int, number: int, chooser: Random) -> list[int]:
    """The task's bytes, spread over so many entities."""
    cuts = sorted(chooser.randint(0, whole) for _ in range(number - 1))
    return [after - before for before, after in pairwise((0, *cuts, whole))]


def _fates(form: Shape, runs: Sequence[Row], chooser: Random) -> Iterator[Row]:
    """How the last attempt of each ended: as many failed as the last run says."""
    if runs:
        last, good = runs[-1], _last_good(runs)
        failed = min(form.active, last["entities_failed"])
        partial = int(last["outcome"] == Outcome.PARTIAL and failed < form.active)
        for number in range(form.active):
            if number < failed:
                yield _fate(Outcome.FAILED, chooser.choice(_FAILED), last["finished_at"], good)
            elif number < failed + partial:
                yield _fate(Outcome.PARTIAL, _PARTIAL, last["finished_at"], last["finished_at"])
            else:
                yield _fate(Outcome.SUCCESSFUL, "", last["finished_at"], last["finished_at"])
        for _ in range(form.inactive + form.archived):
            at = chooser.choice(runs[: len(runs) // 2 + 1])["finished_at"]
            yield _fate(Outcome.SUCCESSFUL, "", at, at)
    while True:
        yield _fate(None, "", None, None)


def _last_good(runs: Sequence[Row]) -> datetime | None:
    return next((row["finished_at"] for row in reversed(runs[:-1]) if row["outcome"] == Outcome.SUCCESSFUL), None)


def _fate(outcome: Outcome | None, error: str, attempt: datetime | None, backup: datetime | None) -> Row:
    return {"outcome": outcome, "error": error, "last_attempt_at": attempt, "last_backup_at": backup}


def _names(kind: str, number: int, domain: str, chooser: Random) -> Iterator[tuple[str, str]]:
    """At least so many keys and names of a kind, each once."""
    if kind in _OF_PEOPLE:
        for local, name in chooser.sample(_PEOPLE, number):
            yield f"{local}@{domain}", name
        return
    firsts = _OBJECTS if kind == "object" else _TEAMS
    for place, (second, first) in enumerate(product(("", *_PARTS, *map(str, range(1, 100))), firsts)):
        name = f"{first} {second}".strip()
        yield f"{kind.replace(' ', '-')}-{place + 1}", name
