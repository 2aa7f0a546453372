"""Every SELECT of the facade, each in the actor's own scope and in an order that new rows don't disturb."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Select, and_, exists, func, literal, null, select, tuple_, union_all
from sqlmodel import Session, col

from portal_app.auth.actor import Actor
from portal_app.backups.repository import counted, visible
from portal_app.billing import bill_reading
from portal_app.compat.rows import AccountSeen, BillSeen, Page, Part, PartnerSeen, StateSeen, TaskSeen
from portal_app.errors import NotFound
from portal_app.models import (
    Account,
    BackupEntity,
    BackupTask,
    Bill,
    BillLine,
    BillShare,
    CustomStorage,
    DataCenter,
    Partner,
    Role,
    Standing,
    User,
    UserState,
)

# What was found and is not backed up has no state yet.
_TOLD = (Standing.ACTIVE, Standing.INACTIVE, Standing.ARCHIVED)


def partner(session: Session, actor: Actor) -> PartnerSeen:
    """The actor's partner."""
    found = session.execute(
        select(Partner, col(DataCenter.code))
        .outerjoin(DataCenter, col(DataCenter.id) == col(Partner.default_data_center_id))
        .where(col(Partner.id) == actor.partner_id)
    ).first()
    if found is None:
        raise NotFound("There is no such partner.")
    return PartnerSeen(found[0], found[0].email or _administrator(session, actor), found[1])


def _administrator(session: Session, actor: Actor) -> str:
    mine = (col(User.partner_id) == actor.partner_id, col(User.role) == Role.ADMINISTRATOR)
    active = select(col(User.email)).where(*mine, col(User.state) == UserState.ACTIVE)
    return session.scalar(active.order_by(col(User.id)).limit(1)) or ""


def accounts(session: Session, actor: Actor, part: Part) -> Page:
    """A page of the actor's accounts."""
    wanted = (
        select(Account, col(DataCenter.code), col(CustomStorage.kind))
        .outerjoin(DataCenter, col(DataCenter.id) == col(Account.data_center_id))
        .outerjoin(CustomStorage, col(CustomStorage.account_id) == col(Account.id))
        .where(counted(actor))
    )
    found = session.execute(_part(wanted.order_by(col(Account.id)), part))
    return Page([AccountSeen(*row) for row in found], _count(session, select(Account).where(counted(actor))))


def tasks(session: Session, actor: Actor, part: Part) -> Page:
    """A page of the tasks of the actor's accounts."""
    mine = _of_account(select(BackupTask, Account, col(DataCenter.code)), actor)
    wanted = mine.outerjoin(DataCenter, col(DataCenter.id) == col(Account.data_center_id))
    found = session.execute(_part(wanted.order_by(col(BackupTask.id)), part))
    return Page([TaskSeen(*row) for row in found], _count(session, _of_account(select(BackupTask), actor)))


def states(session: Session, actor: Actor, part: Part) -> Page:
    """A page of the states of the actor's entities, after those of the tasks that have none and ran."""
    keys = _state_keys(actor)
    found = session.execute(_part(keys.order_by("part", "id"), part)).all()
    entities = _by_id(session, BackupEntity, (row.id for row in found if row.part))
    owners = _by_id(session, BackupTask, (row.task_id for row in found))
    rows = [StateSeen(owners[row.task_id], entities[row.id] if row.part else None) for row in found]
    return Page(rows, session.scalar(select(func.count()).select_from(keys.subquery())) or 0)


def _state_keys(actor: Actor) -> Any:
    """Which states there are: small rows, so that a page far behind is found soon."""
    told = and_(col(BackupEntity.task_id) == col(BackupTask.id), col(BackupEntity.standing).in_(_TOLD))
    task_id = col(BackupTask.id)
    alone = select(literal(0).label("part"), task_id.label("id"), task_id.label("task_id"))
    each = select(literal(1), col(BackupEntity.id), task_id).join(BackupEntity, told)
    ran = and_(col(BackupTask.last_outcome) != null(), ~exists().where(told).correlate(BackupTask))
    return union_all(_of_account(alone, actor).where(ran), _of_account(each, actor))


def bills(session: Session, actor: Actor, part: Part) -> Page:
    """A page of the accounts' parts of bills, each with its lines."""
    mine = select(Bill, BillShare).join(BillShare, col(BillShare.bill_id) == col(Bill.id))
    mine = mine.where(bill_reading.in_scope(actor))
    if not actor.all_accounts:
        mine = mine.where(col(BillShare.account_id).in_(select(col(Account.id)).where(counted(actor))))
    wanted = mine.add_columns(Account).outerjoin(Account, col(Account.id) == col(BillShare.account_id))
    found = session.execute(_part(wanted.order_by(col(Bill.id), col(BillShare.account_id)), part)).all()
    lines = _lines(session, [(share.bill_id, share.account_id) for _, share, _ in found])
    rows = [BillSeen(bill, share, of, lines[share.bill_id, share.account_id]) for bill, share, of in found]
    return Page(rows, _count(session, mine))


def _lines(session: Session, parts: list[tuple[int, int]]) -> dict[tuple[int, int], list[BillLine]]:
    found: dict[tuple[int, int], list[BillLine]] = defaultdict(list)
    of_parts = tuple_(col(BillLine.bill_id), col(BillLine.account_id)).in_(parts)
    for line in session.scalars(select(BillLine).where(of_parts).order_by(col(BillLine.bill_id), BillLine.position)):
        found[line.bill_id, line.account_id].append(line)
    return found


def _by_id(session: Session, model: Any, ids: Iterable[int]) -> dict[int, Any]:
    found = session.scalars(select(model).where(col(model.id).in_(set(ids))))
    return {row.id: row for row in found}


def _of_account(wanted: Select[Any], actor: Actor) -> Select[Any]:
    return wanted.join(Account, col(Account.id) == col(BackupTask.account_id)).where(visible(actor))


def _part(wanted: Any, part: Part) -> Any:
    return wanted.offset((part.number - 1) * part.size).limit(part.size)


def _count(session: Session, wanted: Select[Any]) -> int:
    counted = wanted.with_only_columns(func.count(), maintain_column_froms=True)
    return session.scalar(counted.order_by(None)) or 0
