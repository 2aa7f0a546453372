"""What was changed about a user, in words for the audit and for the user."""

from collections.abc import Collection
from dataclasses import dataclass

from portal_app.auth.permissions import Permission, rights_of
from portal_app.models import Role, User
from portal_app.users.rows import ROLES, TYPES

_LABELS = {permission.value: permission.label for permission in Permission}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A user at one moment."""

    id: int
    email: str
    name: str
    type: str
    role: str
    state: str
    permissions: tuple[str, ...]
    all_accounts: bool

    @classmethod
    def of(cls, user: User) -> "Snapshot":
        rights = tuple(sorted(rights_of(user.kind, user.role, user.permissions)))
        return cls(
            user.id or 0, user.email, user.name, user.sign_in_type, user.role, user.state, rights, user.all_accounts
        )

    @property
    def access(self) -> tuple[str, tuple[str, ...], bool]:
        return self.role, self.permissions, self.all_accounts


def changes_in_words(before: Snapshot, after: Snapshot, added: int, removed: int) -> str:
    """Such as "role Custom instead of Administrator; not any more: Pay bills; 3 accounts added". Empty when the same.

    `added` and `removed` are numbers of chosen accounts.
    """
    parts = [
        f"email {after.email} instead of {before.email}" if after.email != before.email else "",
        f"name {after.name} instead of {before.name}" if after.name != before.name else "",
        f"type {TYPES[after.type]} instead of {TYPES[before.type]}" if after.type != before.type else "",
        f"role {ROLES[after.role]} instead of {ROLES[before.role]}" if after.role != before.role else "",
        *_rights(before, after),
        *_accounts(before, after, added, removed),
    ]
    return "; ".join(part for part in parts if part)


def summary(user: Snapshot, accounts: int) -> str:
    """Such as "Email, Custom: View dashboard; 3 accounts"."""
    rights = f": {listed(user.permissions) or 'nothing'}" if user.role == Role.CUSTOM else ""
    seen = "all accounts" if user.all_accounts else (_number(accounts) if accounts else "chosen accounts")
    return f"{TYPES[user.type]}, {ROLES[user.role]}{rights}; {seen}"


def _rights(before: Snapshot, after: Snapshot) -> list[str]:
    if after.role == Role.ADMINISTRATOR:
        return []
    new, gone = set(after.permissions) - set(before.permissions), set(before.permissions) - set(after.permissions)
    return [f"now also: {listed(new)}" if new else "", f"not any more: {listed(gone)}" if gone else ""]


def _accounts(before: Snapshot, after: Snapshot, added: int, removed: int) -> list[str]:
    if after.all_accounts:
        return [] if before.all_accounts else ["all accounts instead of chosen ones"]
    came = f"{_number(added)} added" if added else ""
    went = f"{_number(removed)} removed" if removed else ""
    return ["chosen accounts instead of all" if before.all_accounts else "", came, went]


def listed(keys: Collection[str]) -> str:
    """The permissions' labels, in the order of the alphabet."""
    return ", ".join(sorted(_LABELS[key] for key in keys))


def _number(accounts: int) -> str:
    return f"{accounts:,} {'account' if accounts == 1 else 'accounts'}"
