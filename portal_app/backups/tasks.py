"""The rules of backup tasks: add, change, activate, pause, delete."""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlmodel import Session, col, select, update

from portal_app import clock
from portal_app.audit.service import record
from portal_app.audit.tags import Activity
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.backups import schedule
from portal_app.backups import task_repository as repository
from portal_app.backups.engine import removal, sources
from portal_app.backups.engine.sources import Source
from portal_app.backups.service import refresh_account
from portal_app.backups.task_forms import SOURCE, WantedTask, faults
from portal_app.backups.task_list import NO_ACCOUNT
from portal_app.errors import Conflict, Invalid, NotFound
from portal_app.models import Account, BackupTask, Partner, TaskEngine
from portal_app.settings import settings
from portal_app.text import fold

NO_TASK = "There is no such backup task."
MOST_AT_ONCE = 200
_SAME_NAME = "A task of this account has this name already."


def get(session: Session, actor: Actor, account_id: int, task_id: int) -> BackupTask:
    """The task. Raises Denied, NotFound: unknown, another account's and a stranger's are the same."""
    actor.require(Permission.ACCOUNTS_ACCESS)
    task = repository.find(session, actor, account_id, task_id)
    if task is None:
        raise NotFound(NO_TASK)
    return task


def source_of(session: Session, actor: Actor, account_id: int, task_id: int) -> Source | None:
    """What the task reads from, with its secrets: for the form, which shows what is none. Raises Denied, NotFound."""
    actor.require(Permission.TASKS_MANAGE)
    task = get(session, actor, account_id, task_id)
    return _source(session, _account(session, actor, account_id), task)


def parse_source(session: Session, actor: Actor, account_id: int, task_id: int | None, wanted: WantedTask) -> Source:
    """The source of a form, to be looked into. Raises Denied, NotFound, Invalid by the names of the form."""
    actor.require(Permission.TASKS_MANAGE)
    account = _account(session, actor, account_id)
    before = source_of(session, actor, account_id, task_id) if task_id else None
    with named():
        return sources.parse(wanted.source_kind, wanted.source, before, owner=_owner(session, account))


def may_read_folders(session: Session, actor: Actor, account_id: int) -> bool:
    """Whether the provider lets the account's partner back up folders of this machine. Raises Denied, NotFound."""
    actor.require(Permission.TASKS_MANAGE)
    owner = _owner(session, _account(session, actor, account_id))
    return any(code == owner for code, _ in settings().backup_folders)


@contextmanager
def named() -> Iterator[None]:
    """Gives faults of a source the names that its fields have in the form."""
    try:
        yield
    except Invalid as refusal:
        told = {name if name == "source_kind" else SOURCE + name: said for name, said in refusal.fields.items()}
        raise Invalid(refusal.sentence, **told) from None


def add(session: Session, actor: Actor, account_id: int, wanted: WantedTask) -> int:
    """A new task, active from now on. Raises Denied, NotFound, Invalid with a sentence for each faulty field."""
    actor.require(Permission.TASKS_MANAGE)
    account = _account(session, actor, account_id, lock=True)
    source = _checked(session, account, wanted, before=None)
    task = BackupTask(account_id=account_id, key=_key(session, account_id, wanted), created_at=clock.now(), name="")
    _fill(task, wanted)
    task.engine = wanted.engine
    session.add(task)
    session.flush()
    _set_source(task, source, account.partner_id)
    _plan(task)
    _tell(session, actor, account, f"Added the backup task {task.name}.")
    return task.id or 0


def change(session: Session, actor: Actor, account_id: int, task_id: int, wanted: WantedTask) -> None:
    """Change a task; who makes its backups stays. Raises Denied, NotFound, Invalid by field."""
    actor.require(Permission.TASKS_MANAGE)
    account = _account(session, actor, account_id, lock=True)
    task = get(session, actor, account_id, task_id)
    if wanted.engine != task.engine:
        raise Invalid(engine="Who makes the backups of a task stays as it is. Add another task instead.")
    before = _source(session, account, task)
    source = _checked(session, account, wanted, before=before, task=task)
    changed = _changed(task, wanted, other_source=source != before)
    _fill(task, wanted)
    _set_source(task, source, account.partner_id)
    _plan(task)
    session.add(task)
    if changed:
        _tell(session, actor, account, f"Changed the backup task {task.name}: {', '.join(changed)}.")


def set_active(session: Session, actor: Actor, account_id: int, task_ids: Sequence[int], *, active: bool) -> int:
    """Activate or pause tasks; those that are so already stay. Gives how many changed. Raises Denied, NotFound."""
    actor.require(Permission.TASKS_MANAGE)
    if len(task_ids) > MOST_AT_ONCE:
        raise Conflict(f"Choose at most {MOST_AT_ONCE} tasks at once.")
    account = _account(session, actor, account_id, lock=True)
    chosen = [get(session, actor, account_id, task_id) for task_id in dict.fromkeys(task_ids)]
    changed = [task for task in chosen if task.active != active]
    for task in changed:
        task.active = active
        _plan(task)
        session.add(task)
    for task in changed:
        _tell(session, actor, account, f"{'Activated' if active else 'Paused'} the backup task {task.name}.")
    return len(changed)


def delete(session: Session, actor: Actor, account_id: int, task_id: int, typed: str) -> str:
    """Delete a task whose name was typed, with its runs and with its data in the storage. Gives the name."""
    actor.require(Permission.TASKS_DELETE)
    account = _account(session, actor, account_id, lock=True)
    task = get(session, actor, account_id, task_id)
    if typed.strip() != task.name:
        raise Conflict("The name is not the same. Nothing was deleted.")
    name = task.name
    removal.forget_task(session, actor, task)
    session.delete(task)
    session.flush()
    refresh_account(session, account)
    _tell(session, actor, account, f"Deleted the backup task {name} and its data.")
    return name


def _account(session: Session, actor: Actor, account_id: int, *, lock: bool = False) -> Account:
    account = repository.account(session, actor, account_id, lock=lock)
    if account is None:
        raise NotFound(NO_ACCOUNT)
    return account


def _owner(session: Session, account: Account) -> str:
    return session.get_one(Partner, account.partner_id).code


def _source(session: Session, account: Account, task: BackupTask) -> Source | None:
    if task.source_sealed is None:
        return None
    return sources.unseal(task, account.partner_id, owner=_owner(session, account))


def _checked(
    session: Session, account: Account, wanted: WantedTask, *, before: Source | None, task: BackupTask | None = None
) -> Source | None:
    """The source of a built-in task. Raises Invalid with all faults at once."""
    found, source = faults(wanted), None
    if "name" not in found and _is_taken(session, account.id or 0, wanted, task):
        found["name"] = _SAME_NAME
    if wanted.built_in:
        try:
            with named():
                source = sources.parse(wanted.source_kind, wanted.source, before, owner=_owner(session, account))
        except Invalid as refusal:
            found |= refusal.fields
    if found:
        raise Invalid(**found)
    return source


def _is_taken(session: Session, account_id: int, wanted: WantedTask, task: BackupTask | None) -> bool:
    others = select(BackupTask.id, BackupTask.name, BackupTask.key).where(col(BackupTask.account_id) == account_id)
    mine = task.id if task else None
    return any(
        number != mine and (fold(name) == fold(wanted.title) or (task is None and key == wanted.title))
        for number, name, key in session.exec(others)
    )


def _key(session: Session, account_id: int, wanted: WantedTask) -> str:
    """What a tool outside reports the task under: its first name. Nobody reports a built-in one."""
    return f"built-in-{secrets.token_hex(8)}" if wanted.built_in else wanted.title


def _fill(task: BackupTask, wanted: WantedTask) -> None:
    task.name, task.service, task.discovery = wanted.title, wanted.service, wanted.discovery
    if wanted.built_in:
        task.every, task.hour, task.keep_days = wanted.every, int(wanted.hour), wanted.keep_days


def _set_source(task: BackupTask, source: Source | None, partner_id: int) -> None:
    if source is not None:
        task.source_kind, task.source_place = source.kind, source.place
        task.source_sealed = sources.seal(source, partner_id=partner_id, task_id=task.id or 0)


def _plan(task: BackupTask) -> None:
    runs = task.active and task.engine == TaskEngine.BUILT_IN
    task.next_run_at = schedule.next_after(task, clock.now()) if runs else None


def _changed(task: BackupTask, wanted: WantedTask, *, other_source: bool) -> list[str]:
    """What differs, for the audit."""
    pairs: dict[str, tuple[Any, Any]] = {
        "name": (task.name, wanted.title),
        "service": (task.service, wanted.service),
        "new entities": (task.discovery, wanted.discovery),
    }
    if wanted.built_in:
        pairs["schedule"] = ((task.every, task.hour), (wanted.every, int(wanted.hour)))
        pairs["retention"] = (task.keep_days, wanted.keep_days)
    return [name for name, (old, new) in pairs.items() if old != new] + (["source"] if other_source else [])


def _tell(session: Session, actor: Actor, account: Account, words: str) -> None:
    about = (account.id, account.name)
    record(session, actor, Activity.BACKUP_TASKS, words, account=about, partner_id=account.partner_id)
    # Nothing of the account differs: its trigger tells open pages.
    same = update(Account).where(col(Account.id) == account.id).values(size_bytes=col(Account.size_bytes))
    session.execute(same)
