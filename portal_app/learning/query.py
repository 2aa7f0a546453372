"""What the Learning Hub is asked for. It is also its address."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from portal_app.paging import LONGEST_SEARCH

STARTED, COMPLETED = "started", "completed"


@dataclass(frozen=True, slots=True)
class HubQuery:
    """Courses that hold the words, and are in the state; empty: all."""

    search: str = ""
    state: str = ""

    @classmethod
    def from_address(cls, values: Mapping[str, Any]) -> "HubQuery":
        """The query of an address; what it can't read is as if it weren't there."""
        texts = {key: value for key, value in values.items() if isinstance(value, str)}
        state = texts.get("state", "")
        return cls(texts.get("search", "")[:LONGEST_SEARCH], state if state in {STARTED, COMPLETED} else "")
