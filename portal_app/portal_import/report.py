"""The dry run in words: what would be added, changed and left, and every value that could not be read."""

import hashlib
import json
import zlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from portal_app.accounts.import_csv import SUBSCRIPTIONS
from portal_app.auth.actor import Actor
from portal_app.errors import Conflict
from portal_app.models import DataCenter, Partner
from portal_app.portal_import import steps, values
from portal_app.portal_import.choices import LEAVE, Choices, Order
from portal_app.portal_import.foreign import Found
from portal_app.portal_import.reading import Fault, Portal, Task
from portal_app.portal_import.steps import Step

AT_ONCE = 200
SHOWN_NAMES = 20
OWN_STORAGE = "Its data lies in storage of its own, whose credentials can't be read: it begins in a data center."
BEGINS = {str(kind): label for label, kind in SUBSCRIPTIONS.items()} | {LEAVE: "Leave out"}
# Called from time to time with how far it is (0 to 1); what it raises ends the work.
OnStep = Callable[[float], None]


@dataclass(slots=True)
class Report:
    """The dry run. `lines`: an account each, as (name, email, its status there, action, what happens, tasks, states,
    bills, bytes); `names`: those that end in digits, as (name, without them); `totals` count accounts by action.
    """

    lines: list[list[Any]] = field(default_factory=list)
    faults: list[list[str]] = field(default_factory=list)
    hidden_faults: int = 0
    oddities: list[str] = field(default_factory=list)
    names: list[list[str]] = field(default_factory=list)
    name_count: int = 0
    regions: dict[str, int] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)
    totals: dict[str, int] = field(default_factory=dict)
    failed: list[list[str]] = field(default_factory=list)

    @property
    def digest(self) -> str:
        """The same for two dry runs that would do the same."""
        return hashlib.sha256(json.dumps(self.lines).encode()).hexdigest()


def packed(thing: Report | Found) -> bytes:
    """To be kept."""
    return zlib.compress(json.dumps(asdict(thing)).encode(), 6)


def report_of(content: bytes) -> Report:
    """A report that was kept."""
    return Report(**json.loads(zlib.decompress(content))) if content else Report()


def found_of(content: bytes) -> Found:
    """What was read and kept."""
    return Found(**json.loads(zlib.decompress(content)))


def partner_of(session: Session, actor: Actor) -> Partner:
    """The partner that imports."""
    partner = session.get(Partner, actor.partner_id) if actor.partner_id is not None else None
    if partner is None:
        raise Conflict("Only a partner's own user can import accounts.")
    return partner


def centers_of(session: Session) -> list[DataCenter]:
    """The data centers that take new accounts, in the provider's order."""
    active = select(DataCenter).where(col(DataCenter.active).is_(True)).order_by(col(DataCenter.position))
    found = list(session.scalars(active))
    if not found:
        raise Conflict("No data center is open for new accounts.")
    return found


def make(session: Session, order: Order, portal: Portal, oddities: Sequence[str], on: OnStep) -> Report:
    """The dry run of everything: reads, and changes nothing."""
    places, emails = {center.id or 0: center.name for center in centers_of(session)}, set[str]()
    report = Report(oddities=list(oddities), hidden_faults=portal.hidden_faults)
    report.faults = [list(fault) for fault in portal.faults]
    done: Counter[str] = Counter()
    for start in range(0, len(portal.customers), AT_ONCE):
        on(start / len(portal.customers))
        some = portal.customers[start : start + AT_ONCE]
        here = steps.look(session, order, some)
        for customer in some:
            step = steps.plan(session, order, customer, here, emails)
            report.lines.append(_line(step, order.choices, places))
            report.faults += _own_storage(step)
            done.update(_sums(step))
    report.totals = dict(done)
    _choices(report, portal)
    return report


def _line(step: Step, choices: Choices, places: Mapping[int, str]) -> list[Any]:
    one = step.customer
    place = places.get(choices.regions.get(one.region, 0), "")
    begins = BEGINS.get(choices.statuses.get(one.status, LEAVE), "")
    counts = [len(one.tasks), sum(len(task.entities) for task in one.tasks), len(one.bills), _size(one.tasks)]
    return [step.name, one.email, one.status, step.action, steps.sentence(step, begins, place), *counts]


def _size(tasks: Sequence[Task]) -> int:
    return sum(task.size_bytes for task in tasks)


def _sums(step: Step) -> dict[str, int]:
    tasks = [one for one in step.tasks if one.row is None]
    return {
        step.action: 1,
        "new tasks": len(tasks),
        "new states": sum(len(one.new) for one in step.tasks),
        "new bills": len(step.bills),
    }


def _own_storage(step: Step) -> list[list[str]]:
    one = step.customer
    if step.action != "add" or not one.own_storage:
        return []
    return [list(Fault("Account", one.name, "customStorage", one.own_storage, OWN_STORAGE))]


def _choices(report: Report, portal: Portal) -> None:
    report.regions = dict(Counter(one.region for one in portal.customers).most_common(100))
    report.statuses = dict(Counter(one.status for one in portal.customers).most_common(100))
    shorter = [(one.name, values.without_digits(one.name)) for one in portal.customers]
    changed = [[name, short] for name, short in shorter if name != short]
    report.names, report.name_count = changed[:SHOWN_NAMES], len(changed)
