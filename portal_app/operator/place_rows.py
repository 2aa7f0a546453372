"""What pages see of storage locations, and what is typed for one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from portal_app.models import PlaceKind


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """A location. `mark` changes with each change of it; `size_bytes` is what its accounts store."""

    id: int
    code: str
    name: str
    kind: str
    place: str
    active: bool
    checked_at: datetime | None
    accounts: int
    size_bytes: int
    mark: str


@dataclass(frozen=True, slots=True)
class PlaceUse(PlaceRow):
    """A location with what hinders its changes: tasks whose backups it holds, partners whose default it is."""

    tasks: int
    partners: int


@dataclass(frozen=True, slots=True)
class Choice:
    """A location that new accounts may choose."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Default:
    """The code of a partner's default location, empty for the first of the list; and the choices."""

    code: str
    choices: list[Choice]


@dataclass(frozen=True)
class StorageForm:
    """What is typed for a storage: a folder below the vaults' one, or the credentials by their fields."""

    kind: str = PlaceKind.FOLDER
    folder: str = ""
    fields: Mapping[str, str] = field(default_factory=dict, repr=False)
