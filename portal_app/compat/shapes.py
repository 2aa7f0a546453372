"""Rows in the shapes of the existing portal. Every field is always there: its clients ask for each by name."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from portal_app import clock
from portal_app.backups.rows import Service
from portal_app.compat import words
from portal_app.compat.rows import AccountSeen, BillSeen, PartnerSeen, StateSeen, TaskSeen
from portal_app.models import (
    TRIALS,
    AccountStatus,
    BackupEntity,
    BackupTask,
    BillLine,
    Outcome,
    Standing,
)
from portal_app.money import plain_text

Shape = dict[str, Any]
_SERVICES = {service.value: service for service in Service}


def partner(seen: PartnerSeen) -> Shape:
    """Such as {"partnerId": "KEEL0001", …}."""
    row = seen.partner
    return {
        "partnerId": row.code,
        "email": seen.email,
        "contactName": row.name,
        "discount": 0,
        "phone": row.phone,
        "currency": row.currency,
        "address": row.address,
        "region": words.region_of(seen.center),
    }


def account(seen: AccountSeen, partner_code: str, currency: str) -> Shape:
    """One customer. Its `date` is a day as a number, such as 20210311."""
    row = seen.account
    return {
        "id": str(row.id),
        "name": row.name,
        "email": row.email,
        "status": words.STATUSES[AccountStatus(row.status)],
        "date": int(f"{row.created_at:%Y%m%d}"),
        "dailyReport": False,
        "region": words.region_of(seen.center),
        "discount": 0,
        "reportEmails": [],
        "partnerID": partner_code,
        "currency": currency,
        "customStorage": {"type": seen.storage.upper()} if seen.storage else None,
        "ms365EnterprisePlan": False,
        "gsuiteEnterprisePlan": False,
    }


def task(seen: TaskSeen) -> Shape:
    """One backup task. Its last backup is an instant as a number, such as 20230330202812."""
    row, source = seen.task, source_of(seen.task)
    last = _number(row.last_finished_at)
    return {
        "id": str(row.id),
        "account": seen.account.email,
        "type": "BACKUP",
        "source": source,
        "userId": str(row.account_id),
        "domain": seen.account.email.rpartition("@")[2],
        "status": words.ACTIVE if row.active else words.PAUSED,
        "region": words.region_of(seen.center),
        "alias": row.name,
        "backupTaskId": row.key,
        "index": False,
        "snapshotDate": last,
        "lastBackupDates": {source: last} if last else {},
        "nextBackup": _next(row),
        "progress": None,
        "size": row.size_bytes,
        "createDate": _iso(row.created_at),
        "numOfBilledEntities": row.billed_entities,
        "numOfEntities": row.entities,
        "userEmail": seen.account.email,
        "multiEntitiesTask": row.entities > 1,
    }


def state(seen: StateSeen) -> Shape:
    """How an entity stands; without one, how the task as a whole does. Nobody measures a single one's duration."""
    row, entity, source = seen.task, seen.entity, source_of(seen.task)
    saved = row.last_finished_at if row.last_outcome != Outcome.FAILED else None
    return {
        "userId": str(row.account_id),
        "taskId": str(row.id),
        "source": source,
        "entityName": entity.name if entity else row.name,
        "lastBackupDate": _iso(entity.last_backup_at if entity else saved),
        "lastBackupAttemptDate": _iso(entity.last_attempt_at if entity else row.last_finished_at),
        "backupDuration": None,
        "size": entity.size_bytes if entity else row.size_bytes,
        "backupStatus": [_status(entity, row, source)],
    }


def _status(entity: BackupEntity | None, row: BackupTask, source: str) -> Shape:
    outcome, error = (entity.outcome, entity.error) if entity else (row.last_outcome, "")
    archived = entity is not None and entity.standing != Standing.ACTIVE
    told = {Outcome.FAILED: words.FAILED, Outcome.PARTIAL: words.PARTIAL}.get(outcome, words.ACTIVE)
    return {
        "subSource": source if entity else words.WHOLE_TASK,
        "status": words.ARCHIVED if archived else told,
        "error": error or ("The last backup failed." if told == words.FAILED else None),
        "errFAQLink": None,
    }


def bill(seen: BillSeen) -> Shape:
    """An account's part of a bill; its numbers are texts."""
    row, of, currency = seen.bill, seen.account, seen.bill.currency
    return {
        "name": seen.share.account_name,
        "period": _period(seen.lines) or f"{row.effective_on}",
        "discount": "0",
        "total": plain_text(seen.share.amount_minor, currency),
        "lines": [_line(line, currency) for line in seen.lines],
        "paymentType": row.method.upper(),
        "trialDaysLeft": _days_left(of.trial_ends_at) if of and of.status in TRIALS else 0,
        "subscribed": of is not None and of.status not in TRIALS,
    }


def _line(line: BillLine, currency: str) -> Shape:
    quantity = _thousandths(line.quantity_milli)
    by_size = line.unit == "GB"
    return {
        "serviceType": "BACKUP",
        "service": line.description,
        "quantity": quantity,
        "price": plain_text(line.amount_minor if line.unit_minor is None else line.unit_minor, currency),
        "total": plain_text(line.amount_minor, currency),
        "seat": "" if by_size else quantity,
        "storage": quantity if by_size else "",
        "source": words.SOURCES[_SERVICES.get(line.service, Service.GENERIC)],
    }


def source_of(row: BackupTask) -> str:
    """The existing portal's word for what the task backs up."""
    return words.SOURCES[_SERVICES.get(row.service, Service.GENERIC)]


def _period(lines: Sequence[BillLine]) -> str:
    if not lines:
        return ""
    last = max(line.ends_on for line in lines) - timedelta(days=1)
    return f"{min(line.starts_on for line in lines)} - {last}"


def _next(row: BackupTask) -> str | None:
    """Such as "In 7 hours"."""
    if row.next_run_at is None or not row.active:
        return None
    hours = max(0, round((row.next_run_at - clock.now()).total_seconds() / 3600))
    return "In less than an hour" if hours == 0 else f"In {hours} hour{'' if hours == 1 else 's'}"


def _days_left(ends_at: datetime | None) -> int:
    return max(0, (ends_at - clock.now()).days) if ends_at else 0


def _number(at: datetime | None) -> int | None:
    return int(f"{at.astimezone(UTC):%Y%m%d%H%M%S}") if at else None


def _iso(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z") if at else None


def _thousandths(milli: int) -> str:
    whole, part = divmod(milli, 1000)
    return f"{whole}.{part:03}".rstrip("0") if part else str(whole)
