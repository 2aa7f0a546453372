"""What the form of a backup task sends, and its checks that need no database."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from portal_app.backups.rows import Service
from portal_app.models import Discovery, Every, TaskEngine
from portal_app.text import clean, has_control

NAME_LENGTH = 120
# What the names of a source's own fields begin with.
SOURCE = "source-"
# For how many days backups are kept, by the words of the form; 0 is for ever.
KEPT = {30: "30 days", 90: "90 days", 365: "1 year", 2555: "7 years", 0: "For ever"}
EVERY = {Every.DAILY: "Daily", Every.THREE_DAYS: "Every 3 days", Every.WEEKLY: "Weekly"}
DISCOVERY = {Discovery.ADD: "Add", Discovery.ASK: "Ask", Discovery.IGNORE: "Ignore"}
ENGINES = {TaskEngine.BUILT_IN: "Built in", TaskEngine.REPORTED: "Reported"}


@dataclass(frozen=True, slots=True)
class WantedTask:
    """A task as the form has it. `source` are the fields of the source's kind; secrets left empty stay as they are."""

    name: str = ""
    service: str = Service.GENERIC
    engine: str = TaskEngine.BUILT_IN
    every: str = Every.DAILY
    hour: str = "2"
    keep: str = "0"
    discovery: str = Discovery.ADD
    source_kind: str = ""
    source: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def built_in(self) -> bool:
        return self.engine == TaskEngine.BUILT_IN

    @property
    def keep_days(self) -> int | None:
        """None: for ever."""
        return int(self.keep) or None

    @property
    def title(self) -> str:
        return clean(self.name)


def faults(wanted: WantedTask) -> dict[str, str]:
    """A sentence for each field that can't be taken, those of the source aside."""
    told = {
        "name": _name_fault(wanted.title),
        "service": "" if wanted.service in list(Service) else "Choose a service.",
        "engine": "" if wanted.engine in list(TaskEngine) else "Choose who makes the backups.",
        "discovery": "" if wanted.discovery in list(Discovery) else "Choose what happens with new entities.",
    }
    if wanted.built_in:
        told["every"] = "" if wanted.every in list(Every) else "Choose how often."
        told["hour"] = "" if wanted.hour in {str(hour) for hour in range(24)} else "Choose an hour of the day."
        told["keep"] = "" if wanted.keep in {str(days) for days in KEPT} else "Choose how long backups are kept."
    return {name: sentence for name, sentence in told.items() if sentence}


def _name_fault(name: str) -> str:
    if not name:
        return "Enter a name."
    if len(name) > NAME_LENGTH:
        return f"Use at most {NAME_LENGTH} characters; this has {len(name):,}."
    return "Remove the invisible control characters." if has_control(name) else ""
