"""A run of a built-in task: each entity one snapshot in the task's vault, recorded as a reported run is."""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlmodel import Session, col, select

from portal_app import clock, db
from portal_app.auth.actor import system
from portal_app.backups.engine import reading, sources, staging, storages, tools, vaults
from portal_app.backups.engine.runs import BACKUP
from portal_app.backups.engine.said import Log
from portal_app.backups.engine.source_values import Source
from portal_app.backups.engine.staging import Part
from portal_app.backups.engine.storages import Storage
from portal_app.backups.engine.tools import Bench
from portal_app.backups.engine.vaults import Vault
from portal_app.backups.engines import Verdict
from portal_app.backups.entities import service as entities
from portal_app.backups.entities.rows import SeenEntity
from portal_app.backups.intake import RunReport
from portal_app.backups.service import record_run
from portal_app.errors import Invalid, NotFound, PortalError
from portal_app.jobs import queue
from portal_app.jobs.worker import Canceled, Work
from portal_app.models import Account, BackupRun, BackupTask, Job, JobState, Outcome, Partner
from portal_app.settings import settings

STOPPED = "The worker stopped during this run."
LONGEST_SECONDS = 20 * 3600.0
_PRUNE_DAYS = 7
_GONE = "The task doesn't exist any more."


@dataclass
class Plan:
    """What a run needs, read at its start."""

    task: BackupTask
    partner_id: int
    source: Source
    storage: Storage
    key: str = field(repr=False)
    is_new: bool = False
    restoring: bool = False


def backup(work: Work) -> dict[str, Any]:
    """Do a backup (a job's handler). A run that can't be done is recorded as Failed, and its fault is the job's."""
    plan = db.write(_plan, work.job)
    folder = work_folder(work.job)
    run = Run(work, plan)
    if work.job.attempts > 1:
        run.clean_up(folder)
        return run.record()
    with tools.bench(folder, work.stop, LONGEST_SECONDS) as at:
        try:
            run.do(at)
        except Canceled:
            raise
        except PortalError as fault:
            run.fail(_sentence(fault))
    return run.record()


def work_folder(job: Job) -> Path:
    """The private folder of a job while it is done."""
    return work_folder_of(job.id or 0)


def work_folder_of(number: int) -> Path:
    """The same, by the job's id."""
    return settings().data_dir.resolve() / "work" / f"{number}"


def plan_of(session: Session, job: Job) -> tuple[BackupTask, Account]:
    """The job's task and account. Raises NotFound."""
    wanted = select(BackupTask, Account).join(Account).where(col(BackupTask.id) == job.task_id)
    found = session.exec(wanted).first()
    if found is None:
        raise NotFound(_GONE)
    return found


def _plan(session: Session, job: Job) -> Plan:
    task, account = plan_of(session, job)
    storages.hold(session, account)
    vaults.give_vault(task, account.partner_id)
    session.add(task)
    kept = select(BackupRun.id).where(col(BackupRun.task_id) == task.id, col(BackupRun.snapshot) != "").limit(1)
    busy = select(Job.id).where(
        col(Job.task_id) == task.id, col(Job.kind) != BACKUP, col(Job.state) == JobState.RUNNING
    )
    return Plan(
        task,
        account.partner_id,
        sources.unseal(task, account.partner_id, owner=session.get_one(Partner, account.partner_id).code),
        storages.storage_of(session, account),
        vaults.key_of(task, account.partner_id),
        is_new=session.exec(kept).first() is None,
        restoring=session.exec(busy.limit(1)).first() is not None,
    )


class Run:
    """One run while it is made: what came of each entity, and what the page shows of it."""

    def __init__(self, work: Work, plan: Plan) -> None:
        self.work, self.plan = work, plan
        self.started = clock.now().replace(microsecond=0)
        self.key = f"job-{work.job.id}"
        self.log = Log([plan.key, *plan.source.secrets, *plan.storage.secrets])
        self.seen: list[SeenEntity] = []
        self.added, self.size, self.number, self.of = 0, 0, 0, 0
        self.fault = ""

    def do(self, at: Bench) -> None:
        """Back up everything that is to be. Raises Canceled and PortalError."""
        self._show("Looking into the source")
        found = staging.parts(reading.top(self.plan.source, at, tools.PATIENT))
        wanted = db.write(self._noted, found)
        chosen = [part for part in found if part.key in wanted]
        self.of = len(chosen)
        with vaults.opened(self.plan.storage, self.plan.task.vault, self.plan.key, at) as vault:
            vault.ensure(may_be_new=self.plan.is_new)
            for self.number, part in enumerate(chosen):
                at.check()
                self._keep(part, vault)
            self.number = self.of
            self._let_go(vault)

    def fail(self, sentence: str) -> None:
        """Nothing more can be done."""
        self.fault = sentence
        self.log.note(sentence)

    def clean_up(self, folder: Path) -> None:
        """The worker that had the job before is dead: end what it left running, and take its lock away."""
        self.started = (self.work.job.started_at or self.started).replace(microsecond=0)
        self.fail(STOPPED)
        with tools.bench(folder, self.work.stop, 300) as at:
            try:
                with vaults.opened(self.plan.storage, self.plan.task.vault, self.plan.key, at) as vault:
                    vault.unlock(every=not self.plan.restoring)
            except PortalError as fault:
                self.log.note(_sentence(fault))

    def record(self) -> dict[str, Any]:
        """Store the run and end its job at once. Raises queue.Lost when another worker has the job by now."""
        result = db.write(self._recorded)
        self.work.has_ended = True
        return result

    def _noted(self, session: Session, found: list[Part]) -> set[str]:
        queue.beat(session, self.work.job)
        task = session.get(BackupTask, self.plan.task.id)
        if task is None:
            raise NotFound(_GONE)
        if not found and entities.to_back_up(session, task):
            # More likely a disk that isn't there than a customer who deleted everything.
            raise Invalid("There is nothing in the source any more.")
        seen = [SeenEntity(part.key, part.name, part.kind) for part in found]
        entities.note_seen(session, task, seen, self.started)
        return {one.key for one in entities.to_back_up(session, task)}

    def _keep(self, part: Part, vault: Vault) -> None:
        self.log.note(f"{part.name}:")
        try:
            with staging.ready(self.plan.source, part, vault.at, self.log, self._tell(part, 0)) as found:
                mark = vaults.entity_mark(part.key)
                hear = self._tell(part, 1)
                verdict = vault.keep(mark, self.key, self.started, found.cwd, hear, names=found.names)
                self._count(part, verdict, found.unread)
        except Canceled:
            raise
        except tools.TooLong:
            raise
        except PortalError as fault:
            self._count(part, Verdict(Outcome.FAILED, _sentence(fault)), "")

    def _count(self, part: Part, verdict: Verdict, unread: str) -> None:
        outcome, told = verdict.outcome, " ".join(one for one in (unread, verdict.message) if one)
        if unread and outcome == Outcome.SUCCESSFUL:
            outcome = Outcome.PARTIAL
        self.added += verdict.added_bytes
        self.size += verdict.size_bytes or 0
        self.log.note(f"  {outcome}. {told}".rstrip())
        self.seen.append(SeenEntity(part.key, part.name, part.kind, verdict.size_bytes, outcome, told))

    def _let_go(self, vault: Vault) -> None:
        days = self.plan.task.keep_days
        if days is None or all(one.outcome == Outcome.FAILED for one in self.seen):
            return
        self._show("Deleting what is past its time")
        # A restore that was killed may have left its lock, too.
        vault.unlock(every=False)
        prune = (self.started.toordinal() + (self.plan.task.id or 0)) % _PRUNE_DAYS == 0
        try:
            vault.forget(days, prune=prune)
        except vaults.Refused as refusal:
            # The next run does it; the backup itself is whole.
            self.log.note(f"What is past its time could not be deleted yet: {refusal.sentence}")

    def _tell(self, part: Part, half: int) -> tools.Take:
        halves = 1 if self.plan.source.kind == "folder" else 2

        def take(line: bytes) -> None:
            if half == halves - 1 or halves == 1:
                self.log.take(line)
            if (found := staging.share(line)) is not None:
                done = (half + found[0]) / halves if halves == 2 else found[0]
                self._show(f"{part.name} ({self.number + 1:,} of {self.of:,})", done, found[1])

        return take

    def _show(self, words: str, share: float = 0.0, done: int = 0) -> None:
        percent = int(100 * (self.number + share) / self.of) if self.of else 0
        self.work.progress = {"percent": min(percent, 99), "words": words, "bytes": self.size + done}

    def _recorded(self, session: Session) -> dict[str, Any]:
        report = self._report()
        state = JobState.FAILED if report.outcome == Outcome.FAILED else JobState.DONE
        told = {"outcome": report.outcome.value, "added_bytes": self.added, "size_bytes": self.size}
        # First: who lost the job must not record anything.
        queue.finish(session, self.work.job, state, result=told, fault=self.fault)
        if _known(session, self.plan.task.id, self.key):
            return told
        run = record_run(session, system(self.plan.partner_id), report)
        row, task = session.get(BackupRun, run.id), session.get(BackupTask, self.plan.task.id)
        if row is not None and task is not None:
            row.log, row.snapshot = self.log.text, self.key if self._kept else ""
            session.add(row)
            entities.note_seen(session, task, self.seen, report.finished, whole=False)
        return told

    @property
    def _kept(self) -> bool:
        return any(one.outcome != Outcome.FAILED for one in self.seen)

    def _report(self) -> RunReport:
        failed = sum(one.outcome == Outcome.FAILED for one in self.seen)
        outcome = _outcome(self.seen) if not self.fault else Outcome.FAILED
        task = self.plan.task
        return RunReport.read(
            {
                "account": task.account_id,
                "task": task.key,
                "run": self.key,
                "started": self.started,
                "finished": max(clock.now(), self.started + timedelta(seconds=1)),
                "outcome": outcome,
                "added_bytes": self.added,
                "size_bytes": self.size if not self.fault else None,
                "entities": len(self.seen) if not self.fault else None,
                "entities_failed": failed,
                "message": self.fault or _message(self.seen, failed),
            }
        )


def _outcome(seen: list[SeenEntity]) -> Outcome:
    found = {one.outcome for one in seen}
    if not found - {Outcome.SUCCESSFUL}:
        return Outcome.SUCCESSFUL
    return Outcome.FAILED if found == {Outcome.FAILED} else Outcome.PARTIAL


def _message(seen: list[SeenEntity], failed: int) -> str:
    told = list(dict.fromkeys(one.error for one in seen if one.error))
    if len(told) == 1 and failed in {0, len(seen)}:
        return told[0]
    not_whole = sum(one.outcome == Outcome.PARTIAL for one in seen)
    parts = (
        f"{failed:,} of {len(seen):,} could not be backed up." if failed else "",
        f"{not_whole:,} only in part." if not_whole else "",
    )
    return " ".join(part for part in parts if part)


def _known(session: Session, task_id: int | None, key: str) -> bool:
    wanted = select(BackupRun.id).where(col(BackupRun.task_id) == task_id, col(BackupRun.run_key) == key)
    return session.exec(wanted).first() is not None


def _sentence(fault: PortalError) -> str:
    return " ".join(fault.fields.values()) or fault.sentence
