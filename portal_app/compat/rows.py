"""What the facade reads of the portal, before it takes the existing portal's shape."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from portal_app.models import Account, BackupEntity, BackupTask, Bill, BillLine, BillShare, Partner


@dataclass(frozen=True, slots=True)
class Part:
    """Which page of a list is asked for, and how long a page is."""

    number: int
    size: int


class Page(NamedTuple):
    """The rows of a page, and how many rows all pages have."""

    rows: Sequence[Any]
    total: int


class PartnerSeen(NamedTuple):
    """The partner, who signs in for it, and the code of the data center that it begins accounts in."""

    partner: Partner
    email: str
    center: str | None


class AccountSeen(NamedTuple):
    """An account, where its data is: the code of a data center, or the kind of its own storage."""

    account: Account
    center: str | None
    storage: str | None


class TaskSeen(NamedTuple):
    """A task with its account and the code of the account's data center."""

    task: BackupTask
    account: Account
    center: str | None


class StateSeen(NamedTuple):
    """The state of an entity; of the task as a whole where it tells of no entities."""

    task: BackupTask
    entity: BackupEntity | None


class BillSeen(NamedTuple):
    """An account's part of a bill, with its lines; the account unless it is gone."""

    bill: Bill
    share: BillShare
    account: Account | None
    lines: Sequence[BillLine]
