"""Makes a partner's accounts from their plans, with tasks, runs and days that agree with each other."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

from sqlalchemy import insert
from sqlmodel import Session

from portal_app.accounts import trials
from portal_app.accounts.trials import Notice
from portal_app.backups.rows import Service
from portal_app.demo import accounts, entities, history
from portal_app.models import (
    Account,
    AccountStatus,
    BackupEntity,
    BackupRun,
    BackupStatus,
    BackupTask,
    DataCenter,
    Discovery,
    Every,
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
    entities_of = [row for one in made for row in _make_tasks(session, one, hour, now, chooser)]
    session.flush()
    session.execute(insert(BackupEntity.__table__), entities_of)
    session.add_all(notice for one in made if one.plan.is_trial for notice in _notices(one.account, now))
    session.flush()
    runs = [rows for one in made for rows in one.runs]
    # A year of runs is no news.
    session.execute(insert(BackupRun.__table__), [row | {"told": True} for rows in runs for row in rows])
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


def _make_tasks(session: Session, one: Made, hour: int, now: datetime, chooser: Random) -> list[history.Row]:
    """Add the account's tasks and their runs; gives the rows of their entities."""
    never = one.plan.state[1] == BackupStatus.NONE
    tasks = [_task(one, service, chooser) for service in one.plan.services]
    session.add_all(tasks)
    session.flush()
    # Of its own, so that what the tasks hold changes nothing else of the demo.
    own = Random(one.plan.email)  # noqa: S311
    planned = [(task, _plan(task, hour, own, never=never, over=_is_over(one.plan))) for task in tasks]
    if not never:
        _make_runs(one, planned, now, chooser)
    domain = one.plan.email.partition("@")[2]
    told = zip(planned, one.runs or [[]] * len(tasks), strict=True)
    return [row for (task, form), runs in told for row in entities.rows(task, form, runs, domain, own)]


def _is_over(plan: accounts.AccountPlan) -> bool:
    return plan.state[0] == AccountStatus.TRIAL_EXPIRED


def _plan(task: BackupTask, hour: int, own: Random, *, never: bool, over: bool) -> entities.Shape:
    """When the task runs, for how long it keeps, and what it holds: before its first run, all is active."""
    task.hour, task.active = hour, not over
    # Whatever ran did so daily.
    task.every = own.choice(list(Every)) if never else Every.DAILY
    task.keep_days = own.choice((None, None, 90, 365, 2555))
    task.discovery = own.choices(list(Discovery), (7, 2, 1))[0]
    form = entities.shape(task.entities, Service(task.service), task.discovery, own)
    form = replace(form, active=form.held, inactive=0, archived=0, waiting=0, ignored=0) if never else form
    task.billed_entities = form.billed
    return form


def _make_runs(one: Made, planned: list[tuple[BackupTask, entities.Shape]], now: datetime, chooser: Random) -> None:
    outcomes = _outcomes(Outcome(one.plan.state[1]), len(planned))
    until = min(now, one.account.trial_ends_at) if one.plan.is_trial else now
    for (task, form), outcome in zip(planned, outcomes, strict=True):
        plan = history.TaskPlan(
            account_id=one.account.id,
            task_id=task.id,
            since=task.created_at,
            until=until,
            hour=task.hour,
            outcome=outcome,
            size_bytes=one.plan.size_bytes // len(planned),
            entities=form.active,
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
        entities=chooser.randint(1, most),
        created_at=one.account.created_at + timedelta(minutes=10),
    )


def _tell(account: Account, task: BackupTask, last: history.Row) -> None:
    """Write the last run's figures to its task and account."""
    task.last_outcome = last["outcome"]
    task.last_finished_at = last["finished_at"]
    task.size_bytes = last["size_bytes"]
    account.size_bytes += last["size_bytes"]
    account.last_backup_at = max(account.last_backup_at or last["finished_at"], last["finished_at"])
