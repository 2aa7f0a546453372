"""All that the page of API tokens may see."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class TokenState(StrEnum):
    """Whether a token opens anything: `stopped` while who made it can't answer for it."""

    ACTIVE = "active"
    STOPPED = "stopped"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class TokenRow:
    """One token; never the secret, which nobody has but its program. Permissions are their keys."""

    id: int
    name: str
    permissions: tuple[str, ...]
    created_by: str
    created_at: datetime
    ends_at: datetime | None
    used_at: datetime | None
    state: TokenState
