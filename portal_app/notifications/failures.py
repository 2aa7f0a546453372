"""Mails about backups that failed, and that have recovered since (spec 6.7, Exceptions notification)."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, select
from sqlmodel import Session, col

from portal_app import clock
from portal_app.audit.service import record
from portal_app.audit.tags import Activity
from portal_app.auth.actor import system
from portal_app.mail.letter import Letter
from portal_app.mail.links import absolute
from portal_app.mail.service import queue_all
from portal_app.models import Account, BackupEntity, BackupRun, BackupTask, Outcome, Partner, TaskTrouble
from portal_app.notifications import letters, repository
from portal_app.notifications.letters import Thing
from portal_app.notifications.rows import Reader
from portal_app.notifications.unseen import RUNS

# Older runs were reported late, or came from another portal: they are no news.
NEWS = timedelta(days=2)
_WORDS = {Outcome.FAILED: "Failed", Outcome.PARTIAL: "Partially failed", Outcome.SUCCESSFUL: "Successful again"}
_ERRORS_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Look:
    """A task whose runs were looked at: its newest run, and the trouble that was told before."""

    thing: Thing
    partner_id: int
    run: BackupRun
    failed: bool
    trouble: TaskTrouble | None

    @property
    def is_well(self) -> bool:
        return self.run.outcome == Outcome.SUCCESSFUL


def tell(session: Session) -> int:
    """Look at the next runs that nobody has looked at, and queue what is to be told; gives how many they were."""
    of = BackupRun
    claimed = RUNS.claim(session, of.task_id, of.outcome, of.finished_at)
    fresh = [(row.task_id, row.outcome) for row in claimed if row.finished_at > clock.now() - NEWS]
    readers = repository.readers(session, "exceptions") if fresh else {}
    groups: dict[int, list[Look]] = defaultdict(list)
    looks = _looks(session, fresh, readers.keys()) if readers else []
    _forget(session, {task_id for task_id, _ in fresh} - {look.thing.task_id for look in looks})
    for look in looks:
        groups[look.partner_id].append(look)
    for partner_id, looks in groups.items():
        _tell_partner(session, session.get_one(Partner, partner_id), looks, readers[partner_id])
    return len(claimed)


def _forget(session: Session, task_ids: Collection[int]) -> None:
    """Trouble of which nobody hears any more: whoever does later is not to be told that it ended."""
    session.execute(delete(TaskTrouble).where(col(TaskTrouble.task_id).in_(task_ids)))


def _looks(session: Session, fresh: Sequence[tuple[int, str]], partner_ids: Collection[int]) -> list[Look]:
    failed = {task_id for task_id, outcome in fresh if outcome != Outcome.SUCCESSFUL}
    newest = (
        select(BackupRun.id)
        # The account is named for the index that ends in finished_at.
        .where(col(BackupRun.account_id) == col(BackupTask.account_id), col(BackupRun.task_id) == col(BackupTask.id))
        .order_by(col(BackupRun.finished_at).desc(), col(BackupRun.id).desc())
        .limit(1)
        .correlate(BackupTask)
        .scalar_subquery()
    )
    found = session.execute(
        select(BackupTask, Account, BackupRun, TaskTrouble)
        .join(Account, col(Account.id) == col(BackupTask.account_id))
        .join(BackupRun, col(BackupRun.id) == newest)
        .outerjoin(TaskTrouble, col(TaskTrouble.task_id) == col(BackupTask.id))
        .where(col(BackupTask.id).in_({task_id for task_id, _ in fresh}), col(Account.partner_id).in_(partner_ids))
        .where(col(Account.partner_access))
        .order_by(col(Account.name_key), col(Account.id), col(BackupTask.id))
    )
    return [
        Look(
            Thing(account.id or 0, account.name, task.id or 0, task.name),
            account.partner_id,
            run,
            task.id in failed,
            trouble,
        )
        for task, account, run, trouble in found
    ]


def _tell_partner(session: Session, partner: Partner, looks: Sequence[Look], readers: Sequence[Reader]) -> None:
    news = [look for look in looks if _is_news(session, partner, look)]
    if not news:
        return
    items = tuple((look.thing.name, look.thing.address, _remark(session, partner, look)) for look in news)
    letter = Letter(
        subject=_subject(news),
        paragraphs=(_what_to_do(news),),
        items=letters.shortened(items),
        action=("Open the dashboard", absolute("/?backup=failed")),
    )
    once = f"exceptions:{partner.id}:{max(look.run.id or 0 for look in news)}"
    queue_all(session, letters.mails(letter, partner, readers, once))
    said = f"Exceptions notification to {letters.count(len(readers), 'recipient')}: {letter.subject}"
    record(session, system(partner.id), Activity.NOTIFICATION, said)


def _is_news(session: Session, partner: Partner, look: Look) -> bool:
    """Whether to tell of it, and note that it was told: a task that keeps failing once a day, its recovery once."""
    now, trouble = clock.now(), look.trouble
    if look.is_well:
        session.execute(delete(TaskTrouble).where(col(TaskTrouble.task_id) == look.thing.task_id))
        return look.failed or trouble is not None
    if trouble is None:
        session.add(TaskTrouble(task_id=look.thing.task_id, since=look.run.finished_at, told_at=now))
        return True
    if clock.day_in(partner.time_zone, trouble.told_at) >= clock.day_in(partner.time_zone, now):
        return False
    trouble.told_at = now
    session.add(trouble)
    return True


def _subject(news: Sequence[Look]) -> str:
    if len(news) == 1:
        (look,) = news
        words = {
            Outcome.FAILED: "Backup failed",
            Outcome.PARTIAL: "Backup partially failed",
            Outcome.SUCCESSFUL: "Backup successful again",
        }
        return f"{words[Outcome(look.run.outcome)]}: {look.thing.name}"
    counts = (
        ("failed", sum(look.run.outcome == Outcome.FAILED for look in news)),
        ("partially failed", sum(look.run.outcome == Outcome.PARTIAL for look in news)),
        ("successful again", sum(look.is_well for look in news)),
    )
    return "Backups: " + ", ".join(f"{number:,} {words}" for words, number in counts if number)


def _what_to_do(news: Sequence[Look]) -> str:
    if all(look.is_well for look in news):
        return "What had failed was backed up successfully since. There is nothing to do."
    return (
        "Open a task to see its runs and what each of them said. What keeps failing is told again at most once a day, "
        "until it is successful again."
    )


def _remark(session: Session, partner: Partner, look: Look) -> str:
    run, trouble = look.run, look.trouble
    said = f"{_WORDS[Outcome(run.outcome)]} at {letters.at(run.finished_at, partner)}"
    if trouble is not None:
        said += f", {'had failed' if look.is_well else 'failing'} since {letters.at(trouble.since, partner)}"
    elif look.is_well:
        said += ", after a run that failed"
    if look.is_well:
        return f"{said}."
    counted = f"{run.entities_failed:,} of {letters.count(run.entities, 'entity', 'entities')} failed."
    parts = (run.message, counted if run.entities_failed else "", _errors(session, look))
    return f"{said}. " + " ".join(part for part in parts if part)


def _errors(session: Session, look: Look) -> str:
    """What the first few entities said that failed."""
    of = BackupEntity
    mine = (col(of.task_id) == look.thing.task_id, col(of.outcome) == Outcome.FAILED, col(of.error) != "")
    found = session.execute(select(of.name, of.error).where(*mine).order_by(col(of.id)).limit(_ERRORS_SHOWN))
    return " ".join(f"{name}: {error.rstrip('.')}." for name, error in found)
