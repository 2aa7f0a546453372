"""The events that a webhook may be told of, and the permission that its maker needs to hear of each."""

from enum import StrEnum

from portal_app.auth.permissions import Permission


class Event(StrEnum):
    """What happened."""

    label: str
    permission: Permission

    def __new__(cls, key: str, label: str, permission: Permission) -> "Event":
        member = str.__new__(cls, key)
        member._value_ = key
        member.label = label
        member.permission = permission
        return member

    ACCOUNT_ADDED = "account.added", "Account added", Permission.DASHBOARD_VIEW
    # Only for those who see all accounts: of chosen ones it is no longer known whose they were.
    ACCOUNT_REMOVED = "account.removed", "Account removed", Permission.DASHBOARD_VIEW
    ACCOUNT_SUBSCRIBED = "account.subscribed", "Account subscribed", Permission.DASHBOARD_VIEW
    BACKUP_SUCCEEDED = "backup.succeeded", "Backup succeeded", Permission.ACCOUNTS_ACCESS
    BACKUP_PARTIAL = "backup.partial", "Backup partially failed", Permission.ACCOUNTS_ACCESS
    BACKUP_FAILED = "backup.failed", "Backup failed", Permission.ACCOUNTS_ACCESS
    ENTITIES_FOUND = "entities.found", "Entities found", Permission.ACCOUNTS_ACCESS
    BILL_ISSUED = "bill.issued", "Bill issued", Permission.BILLING_VIEW
    BILL_PAID = "bill.paid", "Bill paid", Permission.BILLING_VIEW
    BILL_REFUSED = "bill.refused", "Card refused for a bill", Permission.BILLING_VIEW


KNOWN = {event.value: event for event in Event}
# Sent by hand; nobody needs to choose it.
TEST = "test"
