"""Notes what engines see of a task's entities, and what people decide about them; keeps what is billed."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Executable, bindparam, insert, update
from sqlmodel import Session, col

from portal_app.audit.service import record
from portal_app.audit.tags import Activity
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.backups.entities import repository
from portal_app.backups.entities.discovery import Weighed, licensed, weigh
from portal_app.backups.entities.query import EntityQuery
from portal_app.backups.entities.repository import Known
from portal_app.backups.entities.rows import (
    ERROR_LENGTH,
    KIND_LENGTH,
    NAME_LENGTH,
    Decision,
    EntityPage,
    Noted,
    SeenEntity,
)
from portal_app.billing import seat_caps
from portal_app.errors import Conflict, Invalid, NotFound
from portal_app.models import Account, BackupEntity, BackupTask, Outcome, Standing
from portal_app.text import INVISIBLE, clean, fold
from portal_app.webhooks.emitting import emit, of_account
from portal_app.webhooks.events import Event

NOT_FOUND = "There is no such backup task."
MOST_AT_ONCE = 10_000
_NAMED = 3
_TABLE = BackupEntity.__table__
_KEPT = tuple(name for name in Known._fields if name not in {"id", "key"})
_INSERT = insert(_TABLE)
_UPDATE = update(_TABLE).where(_TABLE.c.id == bindparam("_id")).values({name: bindparam(name) for name in _KEPT})
# Of each decision: from which standings, to which, and its word for the audit.
_DECISIONS = {
    Decision.ADD: ((Standing.WAITING, Standing.IGNORED), Standing.ACTIVE, "added"),
    Decision.IGNORE: ((Standing.WAITING,), Standing.IGNORED, "ignored"),
    Decision.ARCHIVE: ((Standing.ACTIVE, Standing.INACTIVE), Standing.ARCHIVED, "archived"),
    Decision.REACTIVATE: ((Standing.ARCHIVED,), Standing.ACTIVE, "reactivated"),
}


def page(session: Session, actor: Actor, query: EntityQuery) -> EntityPage:
    """A page of a task's entities. Raises Denied, NotFound."""
    actor.require(Permission.ACCOUNTS_ACCESS)
    found = repository.page(session, actor, query)
    if found is None:
        raise NotFound(NOT_FOUND)
    return found


def note_seen(
    session: Session, task: BackupTask, seen: Iterable[SeenEntity], at: datetime, *, whole: bool = True
) -> Noted:
    """Keep what an engine saw of the task at an instant, and count the task anew; for engines, in their transaction.

    `whole`: the listing has all that the source holds, so that active entities that are not in it become inactive. New
    ones stand as the task's rule says; above the account's seat cap they wait. Keys have at most KEY_LENGTH characters.
    """
    account = repository.lock_account(session, task.account_id)
    listing = {one.key: one for one in seen}
    known = repository.known(session, task.id or 0)
    cap = repository.seat_cap(session, task)
    weighed = weigh(known, listing, task.discovery, whole=whole, room=cap[0] - cap[1] if cap else None)
    values = {key: _values(one, known.get(key), weighed.standings[key], at) for key, one in listing.items()}
    fixed = {"account_id": task.account_id, "task_id": task.id, "found_at": at}
    _save(session, [fixed | {"key": key} | row for key, row in values.items() if key not in known], _INSERT)
    _save(session, [{"_id": known[key].id} | row for key, row in values.items() if key in known], _UPDATE)
    _stand(session, weighed.gone, Standing.INACTIVE)
    billed = task.billed_entities
    recount(session, task)
    if task.billed_entities > billed:
        seat_caps.warn(session, account.partner_id, [task.account_id])
    if cap and weighed.capped:
        seat_caps.tell_waiting(session, account, task, cap[0], weighed.capped)
    noted = _noted(known, weighed)
    if noted.new:
        found = {"task": {"id": task.id, "name": task.name}, "new": noted.new, "waiting": noted.waiting}
        emit(session, account.partner_id, Event.ENTITIES_FOUND, {"account": of_account(account)} | found, account.id)
    return noted


def note_number(session: Session, task: BackupTask, number: int) -> None:
    """Keep how many entities an engine counted. Where it once told them one by one, those count."""
    if (task.entities, task.billed_entities) == (number, number) or repository.has_any(session, task.id or 0):
        return
    task.entities = task.billed_entities = number
    session.add(task)
    session.flush()


def recount(session: Session, task: BackupTask) -> None:
    """Count what the task holds and what of it is billed, after a change of its entities; open pages hear of it."""
    task.entities, task.billed_entities = repository.counted(session, task.id or 0)
    session.add(task)
    session.flush()
    # Nothing differs: its trigger counts a change of the partner, which kept forecasts and open pages follow.
    same = {"size_bytes": col(Account.size_bytes)}
    session.execute(update(Account).where(col(Account.id) == task.account_id).values(same))


def to_back_up(session: Session, task: BackupTask) -> list[BackupEntity]:
    """The task's active entities by name: what the next run backs up."""
    return repository.active(session, task.id or 0)


def decide(session: Session, actor: Actor, task_id: int, ids: Sequence[int], decision: str) -> int:
    """Add, ignore, archive or reactivate entities of a task; gives how many changed, the others are left alone.

    Raises Denied, NotFound for a task or an entity that isn't the actor's, Conflict when none can be decided so.
    """
    actor.require(Permission.TASKS_MANAGE)
    task = repository.find_task(session, actor, task_id)
    if task is None:
        raise NotFound(NOT_FOUND)
    account = repository.lock_account(session, task.account_id)
    session.refresh(task)
    chosen = _chosen(session, task, ids)
    froms, to, word = _DECISIONS[_decision(decision)]
    changed = {number: name for number, (standing, name) in chosen.items() if standing in froms}
    if not changed:
        raise Conflict(f"None of these can be {word}: look at them again, they may have changed.")
    _stand(session, list(changed), to)
    recount(session, task)
    said = f"{task.name}: {word} {_names(list(changed.values()))}"
    record(session, actor, Activity.BACKUP_TASKS, said, account=(account.id, account.name))
    if to == Standing.ACTIVE:
        seat_caps.warn(session, account.partner_id, [task.account_id])
    return len(changed)


def _save(session: Session, rows: list[dict[str, Any]], statement: Executable) -> None:
    if rows:
        session.execute(statement, rows)


def _values(seen: SeenEntity, kept: Known | None, standing: str, at: datetime) -> dict[str, Any]:
    name = _text(seen.name, NAME_LENGTH, kept.name if kept else "") or _text(seen.key, NAME_LENGTH, "") or seen.key
    told = {
        "name": name,
        "name_key": kept.name_key if kept and kept.name == name else fold(name)[:1000],
        "kind": _text(seen.kind, KIND_LENGTH, kept.kind if kept else ""),
        "standing": standing,
        "licensed": licensed(seen, kept),
        "size_bytes": (kept.size_bytes if kept else 0) if seen.size_bytes is None else seen.size_bytes,
    }
    return told | _attempt(seen, kept, at)


def _attempt(seen: SeenEntity, kept: Known | None, at: datetime) -> dict[str, Any]:
    before = kept.last_backup_at if kept else None
    if seen.outcome is None:
        names = ("outcome", "error", "last_backup_at", "last_attempt_at")
        return {name: getattr(kept, name) for name in names} if kept else dict.fromkeys(names) | {"error": ""}
    return {
        "outcome": seen.outcome,
        "error": _text(seen.error, ERROR_LENGTH, "") if seen.outcome != Outcome.SUCCESSFUL else "",
        "last_backup_at": before if seen.outcome == Outcome.FAILED else at,
        "last_attempt_at": at,
    }


def _noted(known: Mapping[str, Known], weighed: Weighed) -> Noted:
    new = [standing for key, standing in weighed.standings.items() if key not in known]
    back = sum(
        key in known and known[key].standing == Standing.INACTIVE and standing == Standing.ACTIVE
        for key, standing in weighed.standings.items()
    )
    return Noted(len(new), new.count(Standing.WAITING), back, len(weighed.gone), weighed.capped)


def _text(given: str, length: int, kept: str) -> str:
    """What was given, fit to be shown; what was kept where that is the same, or nothing."""
    if given in ("", kept):
        return kept
    return clean(INVISIBLE.sub(" ", given))[:length].rstrip() or kept


def _decision(given: str) -> Decision:
    if given not in set(Decision):
        raise Invalid("Choose what to do with the entities.")
    return Decision(given)


def _chosen(session: Session, task: BackupTask, ids: Sequence[int]) -> dict[int, tuple[str, str]]:
    if not 1 <= len(ids) <= MOST_AT_ONCE:
        raise Invalid(f"Choose from 1 to {MOST_AT_ONCE:,} entities.")
    found = repository.standing_of(session, task.id or 0, ids)
    if len(found) != len(set(ids)):
        raise NotFound("There is no such entity in this task.")
    return found


def _stand(session: Session, ids: Sequence[int], standing: str) -> None:
    for start in range(0, len(ids), MOST_AT_ONCE):
        some = _TABLE.c.id.in_(ids[start : start + MOST_AT_ONCE])
        session.execute(update(_TABLE).where(some).values(standing=standing))


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return ", ".join(name[:100] for name in names[:_NAMED]) + more
