"""What the Security page may see."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A signed-in browser. `key` names it among the user's own; it opens nothing."""

    key: str
    browser: str
    address: str
    created_at: datetime
    used_at: datetime
    is_this: bool


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules for all users of a partner; `password_days` is None when passwords don't expire."""

    password_days: int | None
    require_two_factor: bool


@dataclass(frozen=True, slots=True)
class Overview:
    """A person's own security. `policy` only for who may change it."""

    has_password: bool
    password_set_at: datetime
    two_factor: bool
    two_factor_required: bool
    codes_left: int
    sessions: tuple[SessionRow, ...]
    policy: Policy | None


@dataclass(frozen=True, slots=True)
class PasskeyRow:
    """One of a person's own passkeys; `used_at` is None before its first use."""

    id: int
    name: str
    created_at: datetime
    used_at: datetime | None
