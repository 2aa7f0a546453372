"""All that a page may see of users."""

from dataclasses import dataclass, field
from datetime import datetime

from portal_app.models import Role, SignInType, UserState

TYPES = {SignInType.AZURE: "Azure", SignInType.EMAIL: "Email", SignInType.GOOGLE: "Google"}
ROLES = {Role.ADMINISTRATOR: "Administrator", Role.CUSTOM: "Custom"}
# Each state: its words and its colour.
STATES = {
    UserState.ACTIVE: ("Active", "green"),
    UserState.INVITED: ("Invited", "orange"),
    UserState.DISABLED: ("Disabled", "grey"),
}


@dataclass(frozen=True, slots=True)
class UserRow:
    """One line of the list. `permissions` as they were granted: what of them counts is the role's matter."""

    id: int
    version: int
    email: str
    name: str
    type: str
    two_factor: bool
    role: str
    last_sign_in_at: datetime | None
    state: str
    permissions: list[str]


@dataclass(frozen=True, slots=True)
class UserPage:
    """A page of users; how many match, and how many there are."""

    rows: list[UserRow]
    matching: int
    total: int


@dataclass(frozen=True, slots=True)
class Change:
    """A step of choosing accounts: these were ticked or unticked, or all whose name or email holds the words."""

    ticked: bool
    ids: frozenset[int] = frozenset()
    words: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A page of accounts whose name or email holds the words."""

    words: str = ""
    page: int = 1
    size: int = 25


@dataclass(frozen=True, slots=True)
class AccountLine:
    """An account that may be ticked."""

    id: int
    name: str
    email: str
    ticked: bool


@dataclass(frozen=True, slots=True)
class AccountChoice:
    """A page of accounts to tick; how many match the search, how many there are, how many are ticked in all."""

    lines: list[AccountLine]
    matching: int
    total: int
    ticked: int


@dataclass(frozen=True, slots=True)
class UserDetails:
    """A user as the editor shows them. `locked` says why nothing of them can be changed; empty when it can.

    `fixed` names the parts that stay as they are: "email", "type", "access" (role and permissions), "accounts".
    """

    id: int = 0
    version: int = 0
    email: str = ""
    name: str = ""
    type: str = SignInType.EMAIL
    role: str = Role.CUSTOM
    permissions: tuple[str, ...] = ()
    all_accounts: bool = True
    state: str = UserState.INVITED
    locked: str = ""
    fixed: frozenset[str] = field(default_factory=frozenset)
