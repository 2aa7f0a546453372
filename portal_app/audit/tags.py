"""The vocabulary of the audit."""

from enum import StrEnum


class Activity(StrEnum):
    """What happened, in the words of the audit page."""

    ACCESS_REFUSED = "Access refused"
    ACCOUNT_ACCESSED = "Account accessed"
    ACCOUNT_ADDED = "Account added"
    ACCOUNT_REMOVED = "Account removed"
    ACCOUNT_SETTINGS = "Account settings"
    API = "API"
    BACKUP_RUN = "Backup run"
    BACKUP_TASKS = "Backup tasks"
    BILLING_DETAILS = "Billing details update"
    CONTENT = "Content"
    DATA_EXPORT = "Data export"
    DATA_RESTORE = "Data restore"
    LEARNING = "Learning"
    NOTIFICATION = "Notification"
    PARTNER_OPENED = "Partner opened"
    PERMISSIONS_CHANGED = "Permissions changed"
    SETTINGS_CHANGED = "Settings changed"
    SIGN_IN = "Sign-in"
    SUBSCRIBED = "Subscribed"
    SUPPORT_TICKET = "Support ticket"
    TRIAL_CANCELED = "Trial canceled"
    USER_MANAGEMENT = "User management"
