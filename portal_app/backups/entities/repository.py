"""Every SELECT of entities. Those that take an actor hold its scope; the others are of a task that is scoped."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, func, select
from sqlmodel import Session, col

from portal_app.auth.actor import Actor
from portal_app.backups.entities.query import EntityQuery
from portal_app.backups.entities.rows import EntityPage, EntityRow
from portal_app.backups.entities.shown import BILLED, HELD, state_of, states
from portal_app.backups.repository import visible
from portal_app.models import Account, BackupEntity, BackupTask, Job, JobState, Standing, Subscription
from portal_app.text import searchable

BACKUP_JOB = "backup"
# Plain columns: of ten thousand rows, the mapper's objects would take longer than all the rest.
_ENTITY = BackupEntity.__table__.c
_SORTS: dict[str, Any] = {
    "name": _ENTITY.name_key,
    "kind": _ENTITY.kind,
    "licensed": _ENTITY.licensed,
    "size": _ENTITY.size_bytes,
    "backup": _ENTITY.last_backup_at,
    "attempt": _ENTITY.last_attempt_at,
}
# SQLite and PostgreSQL don't agree on where nothing belongs.
_WITH_NOTHING = frozenset({"licensed", "backup", "attempt"})


class Known(NamedTuple):
    """What is kept of an entity, as the next listing changes it."""

    id: int
    key: str
    name: str
    name_key: str
    kind: str
    standing: str
    licensed: bool | None
    size_bytes: int
    outcome: str | None
    error: str
    last_backup_at: datetime | None
    last_attempt_at: datetime | None


def page(session: Session, actor: Actor, query: EntityQuery) -> EntityPage | None:
    """One page of a task's entities; None where the task isn't the actor's to see."""
    task = find_task(session, actor, query.task_id, query.account_id)
    if task is None:
        return None
    conditions = _states(session, task)
    here = _ENTITY.task_id == task.id
    where = and_(here, *_filters(query, conditions))
    wanted = _rows(conditions).where(where).order_by(*_order(query, conditions))
    found = session.execute(wanted.offset((query.page - 1) * query.size).limit(query.size))
    rows = [EntityRow(*row) for row in found]
    standings = by_standing(session, query.task_id)
    total = sum(standings.values())
    matching = session.scalar(select(func.count()).where(where)) or 0 if query.filtered else total
    return EntityPage(rows, matching, total, standings)


def listed(
    session: Session,
    actor: Actor,
    task_id: int,
    after: int = 0,
    limit: int = 100,
    *,
    standing: str | None = None,
    state: str | None = None,
) -> list[EntityRow]:
    """The task's entities by their ids; the next page begins after the last one's. Nothing of a stranger's task."""
    task = find_task(session, actor, task_id)
    if task is None:
        return []
    conditions = _states(session, task)
    mine = [_ENTITY.account_id == task.account_id, _ENTITY.task_id == task.id, _ENTITY.id > after]
    mine += [_ENTITY.standing == standing] if standing else []
    mine += [conditions[state]] if state else []
    wanted = _rows(conditions).where(*mine).order_by(_ENTITY.account_id, _ENTITY.task_id, _ENTITY.id)
    return [EntityRow(*row) for row in session.execute(wanted.limit(limit))]


def find_task(session: Session, actor: Actor, task_id: int, account_id: int | None = None) -> BackupTask | None:
    """The task if it exists for the actor (and is of this account)."""
    wanted = (
        select(BackupTask)
        .join(Account, col(Account.id) == col(BackupTask.account_id))
        .where(col(BackupTask.id) == task_id, visible(actor))
    )
    if account_id is not None:
        wanted = wanted.where(col(BackupTask.account_id) == account_id)
    return session.scalars(wanted).first()


def by_standing(session: Session, task_id: int) -> dict[str, int]:
    """How many of the task's entities have each standing; those that none has are left out."""
    counted = select(_ENTITY.standing, func.count()).where(_ENTITY.task_id == task_id).group_by(_ENTITY.standing)
    return dict(session.execute(counted).tuples().all())


def lock_account(session: Session, account_id: int) -> Account:
    """The account's row, held until the end of the transaction: whoever changes its entities comes in turn."""
    wanted = select(Account).where(col(Account.id) == account_id).with_for_update(key_share=True)
    return session.scalars(wanted.execution_options(populate_existing=True)).one()


def has_any(session: Session, task_id: int) -> bool:
    """Whether an engine ever told the task's entities one by one."""
    return session.scalar(select(_ENTITY.id).where(_ENTITY.task_id == task_id).limit(1)) is not None


def known(session: Session, task_id: int) -> dict[str, Known]:
    """All that is kept of the task's entities, by their keys."""
    columns = (_ENTITY[name] for name in Known._fields)
    return {row.key: Known(*row) for row in session.execute(select(*columns).where(_ENTITY.task_id == task_id))}


def standing_of(session: Session, task_id: int, ids: Sequence[int]) -> dict[int, tuple[str, str]]:
    """Standing and name of those that are the task's, by their ids."""
    wanted = select(_ENTITY.id, _ENTITY.standing, _ENTITY.name)
    found = session.execute(wanted.where(_ENTITY.task_id == task_id, _ENTITY.id.in_(ids)))
    return {number: (standing, name) for number, standing, name in found}


def active(session: Session, task_id: int) -> list[BackupEntity]:
    """The entities that are backed up, by their names."""
    mine = (col(BackupEntity.task_id) == task_id, col(BackupEntity.standing) == Standing.ACTIVE)
    wanted = select(BackupEntity).where(*mine).order_by(col(BackupEntity.name_key), col(BackupEntity.id))
    return list(session.scalars(wanted))


def counted(session: Session, task_id: int) -> tuple[int, int]:
    """How many entities the task holds, and how many of them are billed."""
    sums = (func.count().filter(HELD), func.count().filter(BILLED))
    return tuple(session.execute(select(*sums).where(_ENTITY.task_id == task_id)).one())


def seat_cap(session: Session, task: BackupTask) -> tuple[int, int] | None:
    """The account's seat cap, and how many seats its other tasks have; None without a cap."""
    cap = session.scalar(select(Subscription.seat_cap).where(col(Subscription.account_id) == task.account_id))
    if cap is None:
        return None
    others = (col(BackupTask.account_id) == task.account_id, col(BackupTask.id) != task.id)
    return cap, session.scalar(select(func.coalesce(func.sum(BackupTask.billed_entities), 0)).where(*others)) or 0


def _states(session: Session, task: BackupTask) -> Any:
    running = (col(Job.task_id) == task.id, col(Job.state) == JobState.RUNNING, col(Job.kind) == BACKUP_JOB)
    since = session.scalar(select(Job.started_at).where(*running).limit(1))
    return states(active=task.active, running_since=since)


def _rows(conditions: Any) -> Any:
    return select(
        _ENTITY.id,
        _ENTITY.task_id,
        _ENTITY.key,
        _ENTITY.name,
        _ENTITY.kind,
        _ENTITY.standing,
        state_of(conditions),
        _ENTITY.licensed,
        BILLED,
        _ENTITY.size_bytes,
        _ENTITY.outcome,
        _ENTITY.error,
        _ENTITY.last_backup_at,
        _ENTITY.last_attempt_at,
        _ENTITY.found_at,
    )


def _filters(query: EntityQuery, conditions: Any) -> list[ColumnElement[bool]]:
    parts: list[ColumnElement[bool]] = []
    if query.standing:
        parts.append(_ENTITY.standing == query.standing)
    if query.state:
        parts.append(conditions[query.state])
    if words := searchable(query.search):
        parts.append(_ENTITY.name_key.contains(words, autoescape=True))
    return parts


def _order(query: EntityQuery, conditions: Any) -> list[Any]:
    first = state_of(conditions) if query.sort == "state" else _SORTS[query.sort]
    order = first.desc() if query.descending else first.asc()
    if query.sort in _WITH_NOTHING:
        order = order.nulls_last() if query.descending else order.nulls_first()
    # All the other way round for the names, so that one index serves both.
    name, number = (_ENTITY.name_key.desc(), _ENTITY.id.desc()) if _back(query) else (_ENTITY.name_key, _ENTITY.id)
    return [order, number] if query.sort == "name" else [order, name, number]


def _back(query: EntityQuery) -> bool:
    return query.sort == "name" and query.descending
