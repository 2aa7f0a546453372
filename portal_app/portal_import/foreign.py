"""What an existing portal tells, and with what it is asked."""

from dataclasses import dataclass, field
from typing import Any

FIELDS = {
    "accounts": ("id", "name", "email", "status", "region", "currency", "customStorage"),
    "tasks": (
        "id",
        "userId",
        "source",
        "alias",
        "status",
        "backupTaskId",
        "size",
        "numOfEntities",
        "numOfBilledEntities",
        "lastBackupDates",
        "createDate",
    ),
    "states": (
        "userId",
        "taskId",
        "source",
        "entityName",
        "lastBackupDate",
        "lastBackupAttemptDate",
        "size",
        "backupStatus",
    ),
    "bills": ("name", "period", "discount", "total", "lines", "paymentType"),
}
# Known, and nothing that could be taken over.
UNUSED = {
    "accounts": (
        "date",
        "dailyReport",
        "discount",
        "reportEmails",
        "partnerID",
        "ms365EnterprisePlan",
        "gsuiteEnterprisePlan",
    ),
    "tasks": (
        "account",
        "type",
        "domain",
        "region",
        "index",
        "snapshotDate",
        "nextBackup",
        "progress",
        "userEmail",
        "multiEntitiesTask",
    ),
    "states": ("backupDuration",),
    "bills": ("trialDaysLeft", "subscribed"),
}


@dataclass(frozen=True, slots=True)
class Credentials:
    """With what an existing portal is read: typed, used and forgotten. `source` is its address without a version."""

    source: str
    version: int
    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)
    email: str = field(repr=False)
    password: str = field(repr=False)


@dataclass(slots=True)
class Found:
    """Everything that was read, each object as it came but for the fields nobody uses; and what was odd, in words."""

    partner: dict[str, Any] = field(default_factory=dict)
    accounts: list[dict[str, Any]] = field(default_factory=list)
    tasks: list[dict[str, Any]] = field(default_factory=list)
    states: list[dict[str, Any]] = field(default_factory=list)
    bills: list[dict[str, Any]] = field(default_factory=list)
    oddities: list[str] = field(default_factory=list)
