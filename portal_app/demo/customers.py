"""Makes a partner's accounts from their plans, with tasks, runs and days that agree with each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from sqlalchemy import insert
from sqlmodel import Session

from portal_app.accounts import trials
from portal_app.accounts.trials import Notice
from portal_app.backups.rows import Service
from portal_app.demo import accounts, history
from portal_app.models import (
    Account,
    BackupRun,
    BackupStatus,
    BackupTask,
    DataCenter,
    Outcome,
    Partner,
    PartnerDay,
    TrialNotice,
)
from portal_app.text import fold, normal_email


@dataclass(slots=True)
class Made:
    """One account of the demo with its tasks' runs."""

    plan: accounts.AccountPlan
    account: Account
    runs: list[list[history.Row]]


def make_accounts(
    session: Session,
    partner: Partner,
    plans: list[accounts.AccountPlan],
    *,
    hour: int,
    places: Sequence[DataCenter],
    now: datetime,
    chooser: Random,
) -> list[Made]:
    """Add the partner's accounts with their tasks, runs and days; `hour` (UTC) is when its backups run."""
    made = [Made(plan, _account(plan, partner, chooser.choice(places), now), []) for plan in plans]
    session.add_all(one.account for one in made)
    session.flush()
    for one in made:
        _make_tasks(session, one, hour, now, chooser)
    session.add_all(notice for one in made if one.plan.is_trial for notice in _notices(one.account, now))
    session.flush()
    runs = [rows for one in made for rows in one.runs]
    session.execute(insert(BackupRun.__table__), [row for rows in runs for row in rows])
    session.execute(insert(PartnerDay.__table__), history.days(partner.id, runs))
    return made


def _account(plan: accounts.AccountPlan, partner: Partner, place: DataCenter, now: datetime) -> Account:
    created_at = now - plan.age
    status, backup_status, _ = plan.state
    account = Account(
        partner_id=partner.id,
        name=plan.name,
        name_key=fold(plan.name),
        email=plan.email,
        email_key=normal_email(plan.email),
        status=status,
        backup_status=backup_status,
        data_center_id=place.id,
        auto_subscribe=plan.auto_subscribe,
        created_at=created_at,
    )
    if plan.is_trial:
        account.trial_ends_at, _ = trials.new_trial(created_at)
        account.next_step_at = _next_step(account.trial_ends_at, plan.auto_subscribe, now)
    else:
        account.subscribed_at = created_at + (plan.subscribed_after or timedelta(0))
        account.trial_ends_at = created_at + trials.TRIAL if plan.subscribed_after else None
    return account


def _make_tasks(session: Session, one: Made, hour: int, now: datetime, chooser: Random) -> None:
    tasks = [_task(one, service, chooser) for service in one.plan.services]
    session.add_all(tasks)
    session.flush()
    if one.plan.state[1] == BackupStatus.NONE:
        return
    outcomes = _outcomes(Outcome(one.plan.state[1]), len(tasks))
    until = min(now, one.account.trial_ends_at) if one.plan.is_trial else now
    for task, outcome in zip(tasks, outcomes, strict=True):
        plan = history.TaskPlan(
            account_id=one.account.id,
            task_id=task.id,
            since=task.created_at,
            until=until,
            hour=hour,
            outcome=outcome,
            size_bytes=one.plan.size_bytes // len(tasks),
            entities=task.entities,
            entities_name=accounts.SERVICES[Service(task.service)][0],
        )
        one.runs.append(history.runs(plan, chooser))
        _tell(one.account, task, one.runs[-1][-1])


def _next_step(ends_at: datetime, auto_subscribe: str | None, now: datetime) -> datetime | None:
    warned_at = ends_at + trials.GRACE - trials.WARNING
    return trials.decide(ends_at, auto_subscribe, warned_at if warned_at <= now else None, now).next_at


def _notices(account: Account, now: datetime) -> list[TrialNotice]:
    """What the trial rules have told the trial's recipients so far."""
    ends_at = account.trial_ends_at or account.created_at + trials.TRIAL
    told = {
        Notice.FIVE_DAYS: ends_at - trials.EXPIRING,
        Notice.ONE_DAY: ends_at - trials.LAST_DAY,
        Notice.ENDED: ends_at,
        Notice.DELETION: ends_at + trials.GRACE - trials.WARNING,
    }
    return [
        TrialNotice(
            account_id=account.id, kind=kind, partner_id=account.partner_id, account_name=account.name, made_at=at
        )
        for kind, at in told.items()
        if at <= now
    ]


def _outcomes(status: Outcome, number: int) -> list[Outcome]:
    """What the tasks' last runs must have been for the account's backup status."""
    if status != Outcome.PARTIAL:
        return [status] * number
    # Partially failed is also an account with a task that failed beside others that did not.
    return ([Outcome.FAILED] if number > 2 else [Outcome.PARTIAL]) + [Outcome.SUCCESSFUL] * (number - 1)


def _task(one: Made, service: Service, chooser: Random) -> BackupTask:
    _, most = accounts.SERVICES[service]
    return BackupTask(
        account_id=one.account.id,
        key=service,
        name=service.label,
        service=service,
        entities=(held := chooser.randint(1, most)),
        billed_entities=held,
        created_at=one.account.created_at + timedelta(minutes=10),
    )


def _tell(account: Account, task: BackupTask, last: history.Row) -> None:
    """Write the last run's figures to its task and account."""
    task.last_outcome = last["outcome"]
    task.last_finished_at = last["finished_at"]
    task.size_bytes = last["size_bytes"]
    account.size_bytes += last["size_bytes"]
    account.last_backup_at = max(account.last_backup_at or last["finished_at"], last["finished_at"])
