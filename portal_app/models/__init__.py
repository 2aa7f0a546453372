"""All models, so that one import knows every table."""

from portal_app.models.account import (
    TRIALS,
    Account,
    AccountStatus,
    AccountTotal,
    BackupStatus,
    BillingStatus,
    CustomStorage,
    DeletedAccount,
    StorageKind,
    TrialNotice,
)
from portal_app.models.audit import AuditEvent
from portal_app.models.backup import BackupRun, BackupTask, Outcome
from portal_app.models.imports import AccountImport, ImportState
from portal_app.models.job import CycleRun
from portal_app.models.partner import (
    DataCenter,
    Partner,
    PartnerChange,
    PartnerDay,
    PartnerState,
    SubscriptionType,
    TrustedAddress,
    TrustedSpan,
)
from portal_app.models.user import (
    ApiToken,
    LoginSession,
    LoginTicket,
    Role,
    User,
    UserAccount,
    UserKind,
    UserState,
)

__all__ = [
    "TRIALS",
    "Account",
    "AccountImport",
    "AccountStatus",
    "AccountTotal",
    "ApiToken",
    "AuditEvent",
    "BackupRun",
    "BackupStatus",
    "BackupTask",
    "BillingStatus",
    "CustomStorage",
    "CycleRun",
    "DataCenter",
    "DeletedAccount",
    "ImportState",
    "LoginSession",
    "LoginTicket",
    "Outcome",
    "Partner",
    "PartnerChange",
    "PartnerDay",
    "PartnerState",
    "Role",
    "StorageKind",
    "SubscriptionType",
    "TrialNotice",
    "TrustedAddress",
    "TrustedSpan",
    "User",
    "UserAccount",
    "UserKind",
    "UserState",
]
