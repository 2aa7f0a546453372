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
from portal_app.models.partner import DataCenter, Partner, PartnerChange, PartnerDay, PartnerState, SubscriptionType
from portal_app.models.user import (
    ApiToken,
    LinkKind,
    LoginSession,
    LoginTicket,
    OneTimeLink,
    PendingSignIn,
    RecoveryCode,
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
    "LinkKind",
    "LoginSession",
    "LoginTicket",
    "OneTimeLink",
    "Outcome",
    "Partner",
    "PartnerChange",
    "PartnerDay",
    "PartnerState",
    "PendingSignIn",
    "RecoveryCode",
    "Role",
    "StorageKind",
    "SubscriptionType",
    "TrialNotice",
    "User",
    "UserAccount",
    "UserKind",
    "UserState",
]
