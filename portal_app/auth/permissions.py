"""The catalogue of permissions (spec 6.6), in alphabetical order of their keys."""

from collections.abc import Collection
from enum import StrEnum


class Permission(StrEnum):
    """Each has a stable key, a label and a sentence for its refusal."""

    label: str
    refusal: str

    def __new__(cls, key: str, label: str, refusal: str) -> "Permission":
        member = str.__new__(cls, key)
        member._value_ = key
        member.label = label
        member.refusal = refusal
        return member

    ACCOUNT_MANAGE = "account:manage", "Manage account settings", "You may not change the partner's account settings."
    ACCOUNTS_ACCESS = "accounts:access", "Access accounts", "You may not open customers' accounts."
    ACCOUNTS_ADD = "accounts:add", "Add new accounts", "You may not add accounts."
    ACCOUNTS_CHANGE = "accounts:change", "Change account settings", "You may not change a customer's account settings."
    ACCOUNTS_REMOVE = "accounts:remove", "Remove accounts", "You may not remove accounts."
    API_MANAGE = "api:manage", "Manage API access", "You may not manage API access."
    AUDIT_VIEW = "audit:view", "View security audit page", "You may not view the security audit."
    BACKUPS_RUN = "backups:run", "Run backups", "You may not run backups."
    BILLING_VIEW = "billing:view", "View billing", "You may not view billing."
    BILLS_PAY = "bills:pay", "Pay bills", "You may not pay bills."
    CUSTOMER_USERS_MANAGE = "customer-users:manage", "Manage customer users", "You may not manage a customer's users."
    DASHBOARD_VIEW = "dashboard:view", "View dashboard", "You may not view the dashboard."
    DATA_EXPORT = "data:export", "Export data", "You may not export a customer's data."
    DATA_RESTORE = "data:restore", "Restore data", "You may not restore a customer's data."
    NOTIFICATIONS_MANAGE = "notifications:manage", "Manage notifications", "You may not manage notifications."
    PAYMENT_MANAGE = "payment:manage", "Manage payment details", "You may not manage payment details."
    SECURITY_MANAGE = "security:manage", "Manage security settings", "You may not manage security settings."
    SUBSCRIBE = "subscribe:accounts", "Subscribe accounts", "You may not subscribe accounts."
    TASKS_DELETE = "tasks:delete", "Delete backup tasks", "You may not delete backup tasks."
    TASKS_MANAGE = "tasks:manage", "Manage backup tasks", "You may not manage backup tasks."
    TICKETS_OPEN = "tickets:open", "Open support tickets", "You may not open support tickets."
    TRIALS_DELETE = "trials:delete", "Delete trial accounts", "You may not delete trial accounts."
    USAGE_EXPORT = "usage:export", "Export usage reports", "You may not export usage reports."
    USERS_MANAGE = "users:manage", "Manage users", "You may not manage users."


ACCOUNT_OPERATIONS = frozenset(
    {
        Permission.ACCOUNTS_ACCESS,
        Permission.ACCOUNTS_CHANGE,
        Permission.ACCOUNTS_REMOVE,
        Permission.BACKUPS_RUN,
        Permission.CUSTOMER_USERS_MANAGE,
        Permission.DATA_EXPORT,
        Permission.DATA_RESTORE,
        Permission.TASKS_DELETE,
        Permission.TASKS_MANAGE,
    }
)
PORTAL_OPERATIONS = frozenset(Permission) - ACCOUNT_OPERATIONS
EVERYTHING = frozenset(Permission)
# Account Operations count only together with one of these (spec 6.2).
OPENS_ACCOUNT_OPERATIONS = frozenset({Permission.DASHBOARD_VIEW, Permission.ACCOUNTS_ADD})
# As pages list them: first those that open the others, then by their words.
IN_ORDER = sorted(Permission, key=lambda one: (one not in OPENS_ACCOUNT_OPERATIONS, one.label))
# What every customer's own user may do in the one account behind it, and what one may be granted there.
CUSTOMER_OPERATIONS = frozenset({Permission.ACCOUNTS_ACCESS})
CUSTOMER_GRANTS = ACCOUNT_OPERATIONS - CUSTOMER_OPERATIONS - {Permission.ACCOUNTS_REMOVE}


def effective(role: str, granted: Collection[str]) -> frozenset[Permission]:
    """The permissions that a partner user really has: all for an Administrator, else those granted and open."""
    if role == "administrator":
        return EVERYTHING
    known = {permission for permission in Permission if permission in granted}
    return frozenset(known if known & OPENS_ACCOUNT_OPERATIONS else known - ACCOUNT_OPERATIONS)


def of_customer(granted: Collection[str]) -> frozenset[Permission]:
    """The permissions that a customer's own user really has: access always, and what was granted and can be."""
    return CUSTOMER_OPERATIONS | {permission for permission in CUSTOMER_GRANTS if permission in granted}


def rights_of(kind: str, role: str, granted: Collection[str]) -> frozenset[Permission]:
    """The permissions that a user of the kind (`models.UserKind`) really has; an operator's are no permissions."""
    if kind == "partner":
        return effective(role, granted)
    return of_customer(granted) if kind == "customer" else frozenset()
