"""Raw objects of an existing portal as accounts with all that is theirs. Pure; every unreadable value is told."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple

from portal_app.backups.rows import Service
from portal_app.models import Outcome, Standing
from portal_app.portal_import import values
from portal_app.portal_import.foreign import Found
from portal_app.portal_import.values import Unread
from portal_app.text import NAME_LENGTH, email_fault, fold

# The words for a task's source, without "_MULTI" at its end.
SERVICES = {
    "OFFICE_365": Service.EXCHANGE,
    "OFFICE365": Service.EXCHANGE,
    "EXCHANGE": Service.EXCHANGE,
    "MS365": Service.EXCHANGE,
    "GROUPS": Service.GROUPS,
    "TEAMS": Service.GROUPS,
    "GROUPS_TEAMS": Service.GROUPS,
    "SHAREPOINT": Service.SHAREPOINT,
    "ONEDRIVE": Service.ONEDRIVE,
    "ONENOTE": Service.ONENOTE,
    "GMAIL": Service.GOOGLE_MAIL,
    "GDRIVE": Service.GOOGLE_DRIVE,
    "GOOGLE_DRIVE": Service.GOOGLE_DRIVE,
    "GDRIVE_SHARED": Service.GOOGLE_SHARED_DRIVES,
    "SHARED_DRIVES": Service.GOOGLE_SHARED_DRIVES,
    "TEAM_DRIVES": Service.GOOGLE_SHARED_DRIVES,
    "SALESFORCE": Service.SALESFORCE,
    "BOX": Service.BOX,
    "DROPBOX": Service.DROPBOX,
    "IMAP": Service.IMAP,
    "S3": Service.S3,
    "GENERIC": Service.GENERIC,
}
# A state's word for one sub-source: how the last backup of it went, None where nothing is said of that.
OUTCOMES = {
    "ACTIVE": Outcome.SUCCESSFUL,
    "SUCCESS": Outcome.SUCCESSFUL,
    "COMPLETED": Outcome.SUCCESSFUL,
    "PARTIAL": Outcome.PARTIAL,
    "WARNING": Outcome.PARTIAL,
    "FAILED": Outcome.FAILED,
    "ERROR": Outcome.FAILED,
    "ARCHIVED": None,
    "PENDING": None,
}
WHOLE_TASK = "TASK"
MOST_FAULTS = 5_000


class Fault(NamedTuple):
    """A value that could not be read: of which object, whose, in which field."""

    kind: str
    name: str
    field: str
    value: str
    text: str


@dataclass(slots=True)
class Entity:
    """One mailbox, site or drive, as it stands there."""

    key: str
    name: str
    kind: str
    size_bytes: int
    standing: str
    outcome: str | None
    error: str
    last_backup_at: datetime | None
    last_attempt_at: datetime | None


@dataclass(slots=True)
class Task:
    """A backup task; its outcome is that of its entities."""

    foreign_id: str
    key: str
    name: str
    service: str
    active: bool
    size_bytes: int
    count: int
    billed: int
    last_at: datetime | None
    outcome: str | None = None
    entities: dict[str, Entity] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OldBill:
    """A bill as it is kept to be read; `place` among those of the same name and period."""

    name: str
    period: str
    place: int
    total: str
    currency: str
    discount: str
    payment: str
    lines: list[dict[str, str]]


@dataclass(slots=True)
class Customer:
    """An account with all that is its own."""

    foreign_id: str
    name: str
    email: str
    status: str
    region: str
    currency: str
    own_storage: str
    tasks: list[Task] = field(default_factory=list)
    bills: list[OldBill] = field(default_factory=list)


@dataclass(slots=True)
class Portal:
    """All that could be read, and what could not."""

    customers: list[Customer] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    hidden_faults: int = 0


def understand(found: Found) -> Portal:
    """Accounts with tasks, entities and bills, in the order in which they came."""
    return _Reading(found).portal


class _Reading:
    def __init__(self, found: Found) -> None:
        self.portal = Portal()
        self._currency = self._value(("Partner", ""), "currency", found.partner, lambda v: values.text(v, 3), "")
        customers = self._customers(found.accounts)
        tasks = self._tasks(found.tasks, customers)
        self._states(found.states, tasks)
        self._bills(found.bills, customers.values())
        for task in tasks.values():
            task.outcome = _outcome(task)
        self.portal.customers = list(customers.values())

    def _fault(self, kind: str, name: str, where: str, value: Any, sentence: str) -> None:
        if len(self.portal.faults) < MOST_FAULTS:
            self.portal.faults.append(Fault(kind, name, where, values.told(value), sentence))
        else:
            self.portal.hidden_faults += 1

    def _value(self, of: tuple[str, str], where: str, row: Any, read: Callable[[Any], Any], otherwise: Any) -> Any:
        try:
            return read(row.get(where))
        except Unread as fault:
            self._fault(*of, where, row.get(where), fault.args[0])
            return otherwise

    def _id(self, kind: str, row: dict[str, Any], where: str, seen: Iterable[str] = ()) -> str:
        """The object's id; empty when it has none, and is to be left out."""
        name = values.told(row.get("name") or row.get("alias") or row.get("entityName") or "")
        found = self._value((kind, name), where, row, lambda v: values.text(v, 100), "")
        if not found:
            self._fault(kind, name, where, row.get(where), "It has no id that can be read, and was left out.")
        elif found in seen:
            self._fault(kind, name, where, found, "This id came twice: the second one was left out.")
            return ""
        return found

    def _customers(self, rows: list[dict[str, Any]]) -> dict[str, Customer]:
        found: dict[str, Customer] = {}
        for row in rows:
            if key := self._id("Account", row, "id", found):
                found[key] = self._customer(key, row)
        return found

    def _customer(self, key: str, row: dict[str, Any]) -> Customer:
        email = self._value(("Account", values.told(row.get("name") or key)), "email", row, _email, "")
        name = self._value(("Account", email or key), "name", row, lambda v: values.text(v, NAME_LENGTH), "")
        name = name or email or f"Account {key}"[:NAME_LENGTH]

        def short(where: str, most: int = 60) -> str:
            return self._value(("Account", name), where, row, lambda v: values.text(v, most), "").upper()

        storage = row.get("customStorage")
        kind = storage.get("type") if isinstance(storage, dict) else storage
        return Customer(
            foreign_id=key,
            name=name,
            email=email,
            status=short("status"),
            region=short("region"),
            currency=short("currency", 3) or self._currency,
            own_storage=values.told(kind)[:40] if storage else "",
        )

    def _tasks(self, rows: list[dict[str, Any]], customers: dict[str, Customer]) -> dict[str, Task]:
        found: dict[str, Task] = {}
        for row in rows:
            key, owner = self._id("Task", row, "id", found), customers.get(_plain(row.get("userId")))
            if not key:
                continue
            task = self._task(key, row)
            if owner is None:
                self._fault("Task", task.name, "userId", row.get("userId"), "No account has this id: left out.")
                continue
            if any(other.key == task.key for other in owner.tasks):
                task.key = key
            found[key] = task
            owner.tasks.append(task)
        return found

    def _task(self, key: str, row: dict[str, Any]) -> Task:
        alias = values.told(row.get("alias") or key)

        def get(where: str, read: Callable[[Any], Any], otherwise: Any) -> Any:
            return self._value(("Task", alias), where, row, read, otherwise)

        source = get("source", lambda v: values.text(v, 60), "").upper()
        return Task(
            foreign_id=key,
            key=get("backupTaskId", lambda v: values.text(v, 120), "") or key,
            name=get("alias", lambda v: values.text(v, NAME_LENGTH), "") or source.capitalize() or f"Task {key}"[:120],
            service=get("source", _service, Service.GENERIC).value,
            active=get("status", lambda v: values.text(v, 60), "").upper() not in {"PAUSED", "INACTIVE", "DISABLED"},
            size_bytes=get("size", values.number, 0),
            count=min(get("numOfEntities", values.number, 0), 2**31 - 1),
            billed=min(get("numOfBilledEntities", values.number, 0), 2**31 - 1),
            last_at=get("lastBackupDates", _latest, None),
        )

    def _states(self, rows: list[dict[str, Any]], tasks: dict[str, Task]) -> None:
        for row in rows:
            task = tasks.get(_plain(row.get("taskId")))
            if task is None:
                name = values.told(row.get("entityName"))
                self._fault("State", name, "taskId", row.get("taskId"), "No task has this id: left out.")
            else:
                self._state(task, row)

    def _state(self, task: Task, row: dict[str, Any]) -> None:
        label = f"{task.name}: {values.told(row.get('entityName'))}"

        def get(where: str, read: Callable[[Any], Any], otherwise: Any) -> Any:
            return self._value(("State", label), where, row, read, otherwise)

        parts = get("backupStatus", _parts, [])
        outcome, error, archived = self._standing(label, parts)
        last, attempt = get("lastBackupDate", values.moment, None), get("lastBackupAttemptDate", values.moment, None)
        if parts and all(part.get("subSource") == WHOLE_TASK for part in parts):
            task.outcome, task.last_at = outcome, task.last_at or attempt or last
            return
        name = get("entityName", lambda v: values.text(v, 300), "")
        kind = get("source", lambda v: values.text(v, 40), "")
        if not name:
            self._fault("State", label, "entityName", row.get("entityName"), "It has no name, and was left out.")
            return
        key = name if name not in task.entities else f"{kind}/{name}"[:300]
        if key in task.entities:
            self._fault("State", label, "entityName", name, "It came twice: the second one was left out.")
            return
        task.entities[key] = Entity(
            key=key,
            name=name,
            kind=kind.lower(),
            size_bytes=get("size", values.number, 0),
            standing=Standing.ARCHIVED if archived else Standing.ACTIVE,
            outcome=outcome if attempt or last else None,
            error=error,
            last_backup_at=last,
            last_attempt_at=attempt or last,
        )

    def _standing(self, label: str, parts: list[dict[str, Any]]) -> tuple[str | None, str, bool]:
        """How the sub-sources come out together, the first error, and whether all are archived."""
        words = [_plain(part.get("status")).upper() for part in parts]
        for word, part in zip(words, parts, strict=True):
            if word not in OUTCOMES:
                self._fault("State", label, "status", part.get("status"), "This state is not known: left open.")
        outcomes = {OUTCOMES.get(word) for word in words} - {None}
        error = next((_plain(part.get("error")) for part in parts if part.get("error")), "")
        only = next(iter(outcomes)) if len(outcomes) == 1 else None
        together = only or (Outcome.PARTIAL if outcomes else None)
        return together, _printable(error)[:500], bool(words) and set(words) == {"ARCHIVED"}

    def _bills(self, rows: list[dict[str, Any]], customers: Iterable[Customer]) -> None:
        whose, places = _Names(customers), defaultdict[tuple[str, str], int](int)
        for row in rows:
            label = values.told(row.get("name") or "")
            name = self._value(("Bill", label), "name", row, lambda v: values.text(v, NAME_LENGTH), "")
            owner = whose.find(name)
            if owner is None:
                self._fault("Bill", label, "name", row.get("name"), "No single account has this name: left out.")
                continue
            bill = self._bill(name, label, row, owner.currency)
            place = places[name, bill.period]
            places[name, bill.period] += 1
            owner.bills.append(replace(bill, place=place))

    def _bill(self, name: str, label: str, row: dict[str, Any], currency: str) -> OldBill:
        def get(where: str, most: int) -> str:
            return self._value(("Bill", label), where, row, lambda v: values.text(v, most), "")

        lines = self._value(("Bill", label), "lines", row, _parts, [])
        kept = [{str(k)[:40]: _printable(_plain(v))[:120] for k, v in list(line.items())[:12]} for line in lines[:500]]
        total, discount, payment = get("total", 40), get("discount", 40), get("paymentType", 40)
        return OldBill(name, get("period", 80), 0, total, currency, discount, payment, kept)


class _Names:
    """Whose bill it is: by the name, or by the name without the digits that may stand at its end."""

    def __init__(self, customers: Iterable[Customer]) -> None:
        self._by_name: dict[str, list[Customer]] = defaultdict(list)
        for one in customers:
            for name in {fold(one.name), fold(one.email), fold(values.without_digits(one.name))} - {""}:
                self._by_name[name].append(one)

    def find(self, name: str) -> Customer | None:
        """The one account that is meant; None when none is, or several may be."""
        for written in (fold(name), fold(values.without_digits(name))):
            found = self._by_name.get(written, [])
            exact = [one for one in found if written in (fold(one.name), fold(one.email))] or found
            if len(exact) == 1:
                return exact[0]
        return None


def _outcome(task: Task) -> str | None:
    told = {one.outcome for one in task.entities.values() if one.standing == Standing.ACTIVE and one.outcome}
    if not told:
        # A last backup of which nothing else is said was one that ended well.
        return task.outcome or (Outcome.SUCCESSFUL if task.last_at and not task.entities else None)
    return next(iter(told)) if len(told) == 1 else Outcome.PARTIAL


def _email(value: Any) -> str:
    found = values.text(value, 254)
    if sentence := email_fault(found):
        raise Unread(sentence)
    return found


def _service(value: Any) -> Service:
    word = values.text(value, 60).upper().removesuffix("_MULTI")
    found = SERVICES.get(word)
    if found is None:
        raise Unread("This kind of source is not known: taken as Generic.")
    return found


def _latest(value: Any) -> datetime | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise Unread("This is no list of dates by source.")
    return max(filter(None, map(values.moment, value.values())), default=None)


def _parts(value: Any) -> list[dict[str, Any]]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise Unread("This is no list of objects.")
    return value


def _plain(value: Any) -> str:
    return str(value).strip() if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def _printable(given: str) -> str:
    return "".join(char if char.isprintable() else " " for char in given)
