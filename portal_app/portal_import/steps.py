"""What an import would do with one account: compared with what is here, told in words, and done.

The dry run and the import ask the same question here, account by account, and only the import goes on to `do`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlmodel import Session, col

from portal_app import clock
from portal_app.accounts import adding
from portal_app.accounts import repository as accounts
from portal_app.accounts.import_csv import counted
from portal_app.accounts.import_save import parts
from portal_app.auth.actor import Actor
from portal_app.backups.entities import service as entities
from portal_app.backups.service import refresh_account
from portal_app.errors import NotFound
from portal_app.models import (
    Account,
    BackupEntity,
    BackupTask,
    ImportedBill,
    PortalLink,
    Standing,
    User,
)
from portal_app.portal_import import values
from portal_app.portal_import.choices import LEAVE, Order
from portal_app.portal_import.reading import Customer, Entity, OldBill, Task
from portal_app.text import fold, normal_email

NO_EMAIL = "Left out: it has no email that can be read."
TWICE = "Left out: another account of the portal has the same email."
TAKEN = "Left out: its email belongs to another account or user here."
HIDDEN = "Left: it was imported before, and you may not see it."
_ENTITIES, _BILLS = BackupEntity.__table__, ImportedBill.__table__
_ENTITY = ("size_bytes", "standing", "outcome", "error", "last_backup_at", "last_attempt_at")
_BILL = ("total", "currency", "discount", "payment", "lines")


@dataclass(slots=True)
class TaskStep:
    """A task: its row here, if there is one, what of it changes, and its entities that are new or changed."""

    task: Task
    row: BackupTask | None = None
    changed: dict[str, Any] = field(default_factory=dict)
    new: list[Entity] = field(default_factory=list)
    other: list[dict[str, Any]] = field(default_factory=list)

    @property
    def does_something(self) -> bool:
        return bool(self.row is None or self.changed or self.new or self.other)


@dataclass(slots=True)
class Step:
    """What would be done with an account. `left`: why nothing, in a sentence."""

    customer: Customer
    name: str
    account_id: int | None = None
    linked: bool = False
    renamed: bool = False
    left: str = ""
    tasks: list[TaskStep] = field(default_factory=list)
    bills: list[OldBill] = field(default_factory=list)
    other_bills: list[dict[str, Any]] = field(default_factory=list)

    @property
    def action(self) -> str:
        """add, change, same, left."""
        if self.left:
            return "left"
        if self.account_id is None:
            return "add"
        changes = not self.linked or self.renamed or self.bills or self.other_bills
        return "change" if changes or any(one.does_something for one in self.tasks) else "same"


@dataclass(slots=True)
class Here:
    """What is here of the accounts in question: links by foreign id, own accounts and taken addresses by email."""

    source: str
    links: dict[str, PortalLink]
    tasks: dict[str, int]
    own: dict[str, int]
    taken: set[str]
    names: dict[int, str]


def look(session: Session, order: Order, customers: Sequence[Customer]) -> Here:
    """Read what is here of these accounts."""
    actor, source = order.actor, order.source
    mine = (col(PortalLink.partner_id) == actor.partner_id, col(PortalLink.source) == source)
    links, tasks, own, taken, names = {}, {}, {}, set(), {}
    for _, some in parts([one.foreign_id for one in customers]):
        of = col(PortalLink.foreign_id).in_(some)
        links |= {x.foreign_id: x for x in session.scalars(select(PortalLink).where(*mine, of, ~PortalLink.of_task))}
    for _, some in parts([task.foreign_id for one in customers for task in one.tasks]):
        of = col(PortalLink.foreign_id).in_(some)
        found = session.scalars(select(PortalLink).where(*mine, of, col(PortalLink.of_task)))
        tasks |= {link.foreign_id: link.task_id for link in found}
    for _, some in parts([normal_email(one.email) for one in customers if one.email]):
        with_email = col(Account.email_key).in_(some)
        taken.update(session.scalars(select(col(Account.email_key)).where(with_email)))
        taken.update(session.scalars(select(col(User.email_key)).where(col(User.email_key).in_(some))))
        visible = select(Account.email_key, Account.id).where(with_email, accounts.openable(actor))
        own |= dict(session.execute(visible).all())
    for _, some in parts([link.account_id for link in links.values()] + list(own.values())):
        visible = select(Account.id, Account.name).where(col(Account.id).in_(some), accounts.openable(actor))
        names |= dict(session.execute(visible).all())
    return Here(source, links, tasks, own, taken, names)


def plan(session: Session, order: Order, customer: Customer, here: Here, emails: set[str]) -> Step:
    """What would be done with the account. `emails` are those of the accounts before it, and grow."""
    choices = order.choices
    step = Step(customer, values.without_digits(customer.name) if choices.digits else customer.name)
    key = normal_email(customer.email) if customer.email else ""
    link = here.links.get(customer.foreign_id)
    if link is not None:
        step.account_id, step.linked = link.account_id, True
        step.left = "" if link.account_id in here.names else HIDDEN
        step.renamed = _is_another(step.name, link.name) and here.names.get(link.account_id) == link.name
    elif choices.statuses.get(customer.status, LEAVE) == LEAVE:
        step.left = f"Left out: accounts that are {customer.status or 'without a status'} there."
    elif not key or key in emails:
        step.left = TWICE if key else NO_EMAIL
    elif key in here.own:
        step.account_id = here.own[key]
    elif key in here.taken:
        step.left = TAKEN
    if not step.left:
        emails.add(key)
        step.tasks = _tasks(session, step, here)
        _compare_bills(session, order.actor, step, here)
    return step


def _is_another(name: str, before: str) -> bool:
    # With or without its digits it is the same name: which of the two was taken is not decided anew each time.
    return values.without_digits(name) != values.without_digits(before)


def _tasks(session: Session, step: Step, here: Here) -> list[TaskStep]:
    rows, known = {}, {}
    if step.account_id is not None:
        mine = select(BackupTask).where(col(BackupTask.account_id) == step.account_id)
        rows = {row.id: row for row in session.scalars(mine)}
        known = _entities(session, step.account_id)
    by_key = {row.key: row for row in rows.values()}
    found = []
    for task in step.customer.tasks:
        row = rows.get(here.tasks.get(task.foreign_id)) or by_key.get(task.key)
        found.append(_task_step(task, row, known.get(row.id, {}) if row else {}))
    return found


def _entities(session: Session, account_id: int) -> dict[int, dict[str, Any]]:
    """By task, each under its key; under its name too, which is all that a portal tells of one made here."""
    wanted = select(*(_ENTITIES.c[name] for name in ("id", "task_id", "key", "name", *_ENTITY)))
    rows = session.execute(wanted.where(_ENTITIES.c.account_id == account_id)).all()
    found: dict[int, dict[str, Any]] = {}
    for row in rows:
        found.setdefault(row.task_id, {})[row.key] = row
    for row in rows:
        found[row.task_id].setdefault(row.name, row)
    return found


def _task_step(task: Task, row: BackupTask | None, known: dict[str, Any]) -> TaskStep:
    step = TaskStep(task, row)
    if row is not None:
        step.changed = _task_changes(task, row, bool(known))
    for key, entity in task.entities.items():
        if key not in known:
            step.new.append(entity)
        elif changed := _entity_changes(entity, known[key]):
            step.other.append({"_id": known[key].id} | changed)
    return step


def _task_changes(task: Task, row: BackupTask, told_one_by_one: bool) -> dict[str, Any]:
    """What is newer there. A backup that was reported here since counts more."""
    if row.last_finished_at and (not task.last_at or task.last_at < row.last_finished_at):
        return {}
    there = {"size_bytes": task.size_bytes, "last_outcome": task.outcome, "last_finished_at": task.last_at}
    if not told_one_by_one and not task.entities:
        there |= {"entities": task.count, "billed_entities": task.billed}
    return {name: value for name, value in there.items() if getattr(row, name) != value}


def _entity_changes(entity: Entity, row: Any) -> dict[str, Any]:
    """All values, if one is another. A later attempt that is known here, and what people decided here, counts more."""
    if row.last_attempt_at and (not entity.last_attempt_at or entity.last_attempt_at < row.last_attempt_at):
        return {}
    there = {name: getattr(entity, name) for name in _ENTITY}
    if entity.standing != Standing.ARCHIVED:
        there["standing"] = row.standing
    return there if any(getattr(row, name) != value for name, value in there.items()) else {}


def _compare_bills(session: Session, actor: Actor, step: Step, here: Here) -> None:
    known = {}
    if names := {bill.name for bill in step.customer.bills}:
        mine = (_BILLS.c.partner_id == actor.partner_id, _BILLS.c.source == here.source, _BILLS.c.name.in_(names))
        known = {(row.name, row.period, row.place): row for row in session.execute(select(_BILLS).where(*mine))}
    for bill in step.customer.bills:
        row = known.get((bill.name, bill.period, bill.place))
        there = {name: getattr(bill, name) for name in _BILL}
        if row is None:
            step.bills.append(bill)
        elif _is_moved(row, step) or any(getattr(row, name) != value for name, value in there.items()):
            step.other_bills.append({"_id": row.id} | there)


def _is_moved(row: Any, step: Step) -> bool:
    return row.account_id is None or row.account_id != step.account_id


def do(session: Session, order: Order, step: Step, here: Here) -> Account:
    """Do what the step says, in the caller's transaction, which holds the partner's row."""
    actor, account = order.actor, _account(session, order, step)
    if not step.linked:
        session.add(_link(actor, here, step.customer.foreign_id, account, name=step.name))
    elif step.renamed:
        account.name, account.name_key = step.name, fold(step.name)
        link = here.links[step.customer.foreign_id]
        link.name = step.name
        session.add_all([account, link])
    session.flush()
    for one in step.tasks:
        _do_task(session, actor, one, account, here)
    _do_bills(session, actor, step, account, here)
    if any(one.does_something for one in step.tasks):
        session.flush()
        refresh_account(session, account)
    return account


def _account(session: Session, order: Order, step: Step) -> Account:
    actor, choices = order.actor, order.choices
    if step.account_id is not None:
        found = accounts.find_openable(session, actor, step.account_id, lock=True)
        if found is None:
            raise NotFound("The account was deleted meanwhile.")
        return found
    begins = choices.statuses[step.customer.status]
    account = adding.new_account(actor.partner_id or 0, step.name, step.customer.email, begins, clock.now())
    account.data_center_id = choices.regions[step.customer.region]
    session.add(account)
    session.flush()
    adding.let_see(session, actor, account)
    adding.audit_added(session, actor, account)
    return account


def _link(
    actor: Actor, here: Here, foreign_id: str, account: Account, *, task: BackupTask | None = None, name: str = ""
) -> PortalLink:
    return PortalLink(
        partner_id=actor.partner_id,
        source=here.source,
        foreign_id=foreign_id,
        of_task=task is not None,
        account_id=account.id,
        task_id=task.id if task else None,
        name=name,
    )


def _do_task(session: Session, actor: Actor, step: TaskStep, account: Account, here: Here) -> None:
    row, task = step.row, step.task
    if row is None:
        row = BackupTask(
            account_id=account.id,
            key=task.key,
            name=task.name,
            service=task.service,
            active=task.active,
            entities=task.count,
            billed_entities=task.billed,
            size_bytes=task.size_bytes,
            last_outcome=task.outcome,
            last_finished_at=task.last_at,
            created_at=clock.now(),
        )
        session.add(row)
        session.flush()
    elif step.changed:
        session.execute(update(BackupTask).where(col(BackupTask.id) == row.id).values(step.changed))
    if task.foreign_id not in here.tasks:
        session.add(_link(actor, here, task.foreign_id, account, task=row))
    _do_entities(session, step, row, account)
    if step.new or step.other:
        entities.recount(session, row)


def _do_entities(session: Session, step: TaskStep, row: BackupTask, account: Account) -> None:
    fixed = {"account_id": account.id, "task_id": row.id, "found_at": clock.now()}
    new = [
        fixed
        | {name: getattr(one, name) for name in ("key", "name", "kind", *_ENTITY)}
        | {"name_key": fold(one.name)[:1000]}
        for one in step.new
    ]
    for _, some in parts(new):
        session.execute(insert(_ENTITIES), some)
    changed = update(_ENTITIES).where(_ENTITIES.c.id == bindparam("_id"))
    for _, some in parts(step.other):
        session.execute(changed.values({name: bindparam(name) for name in _ENTITY}), some)


def _do_bills(session: Session, actor: Actor, step: Step, account: Account, here: Here) -> None:
    fixed = {"partner_id": actor.partner_id, "account_id": account.id, "source": here.source}
    fixed["imported_at"] = clock.now()
    new = [fixed | {name: getattr(one, name) for name in ("name", "period", "place", *_BILL)} for one in step.bills]
    if new:
        session.execute(insert(_BILLS), new)
    changed = update(_BILLS).where(_BILLS.c.id == bindparam("_id"))
    if step.other_bills:
        named = {name: bindparam(name) for name in _BILL} | {"account_id": account.id}
        session.execute(changed.values(named), step.other_bills)


def sentence(step: Step, begins: str, place: str) -> str:
    """What happens to the account, such as "Added, begins Monthly in Germany (Frankfurt)."."""
    if step.left:
        return step.left
    if step.action == "same":
        return "Left: nothing is new."
    if step.action == "add":
        return f"Added: begins {begins} in {place}."
    some = [*_changes(step)]
    return (
        f"{'Changed' if step.linked else 'Taken together with the account here'}: {', '.join(some) or 'nothing else'}."
    )


def _changes(step: Step) -> list[str]:
    new = sum(one.row is None for one in step.tasks)
    entities = sum(len(one.new) for one in step.tasks)
    other_entities = sum(len(one.other) for one in step.tasks)
    told = (
        (int(step.renamed), "its name"),
        (new, counted(new, "new task")),
        (sum(bool(one.changed) for one in step.tasks), "newer figures of its tasks"),
        (entities, counted(entities, "new state")),
        (other_entities, counted(other_entities, "newer state")),
        (len(step.bills), counted(len(step.bills), "new bill")),
        (len(step.other_bills), counted(len(step.other_bills), "changed bill")),
    )
    return [words for number, words in told if number]
