"""All that the page of IP Restrictions may see."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the list, as it is shown."""

    id: int
    description: str
    addresses: str


@dataclass(frozen=True, slots=True)
class Overview:
    """The list, whether it counts, and where the reader comes from."""

    own_address: str
    is_own_trusted: bool
    is_on: bool
    entries: list[Entry]


@dataclass(frozen=True, slots=True)
class EntryForm:
    """What the form sends: addresses separated by commas, a range from `first` to `last`, or both."""

    description: str = ""
    addresses: str = ""
    first: str = ""
    last: str = ""
