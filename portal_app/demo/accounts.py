"""What accounts the demo has: every state that the portal knows, spread over the customers in a fixed way."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import product
from random import Random

from portal_app.backups.rows import Service
from portal_app.demo.people import CUSTOMERS, OTHER_CUSTOMERS
from portal_app.models import TRIALS, AccountStatus, BackupStatus, BillingStatus

State = tuple[AccountStatus, BackupStatus, BillingStatus]
# What each service's entities are called, and the most that an account of the demo has.
SERVICES = {
    Service.EXCHANGE: ("mailboxes", 180),
    Service.GROUPS: ("teams", 30),
    Service.SHAREPOINT: ("sites", 45),
    Service.ONEDRIVE: ("drives", 160),
    Service.ONENOTE: ("notebooks", 60),
    Service.GOOGLE_MAIL: ("mailboxes", 120),
    Service.GOOGLE_DRIVE: ("drives", 120),
    Service.GOOGLE_SHARED_DRIVES: ("drives", 15),
    Service.SALESFORCE: ("objects", 220),
    Service.BOX: ("users", 40),
    Service.DROPBOX: ("users", 40),
    Service.IMAP: ("mailboxes", 25),
    Service.S3: ("buckets", 12),
    Service.GENERIC: ("folders", 8),
}
SUITES = (
    (Service.EXCHANGE, Service.ONEDRIVE, Service.SHAREPOINT, Service.GROUPS, Service.ONENOTE),
    (Service.GOOGLE_MAIL, Service.GOOGLE_DRIVE, Service.GOOGLE_SHARED_DRIVES, Service.SALESFORCE, Service.DROPBOX),
    (Service.EXCHANGE, Service.SALESFORCE, Service.BOX, Service.S3),
    (Service.IMAP, Service.GENERIC, Service.DROPBOX),
    (Service.GENERIC, Service.S3),
)
# The commonest states once more, so that the demo looks like a business and not like a table of cases.
COMMON = (
    ((AccountStatus.MONTHLY, BackupStatus.SUCCESSFUL, BillingStatus.CURRENT),) * 6
    + ((AccountStatus.ANNUAL, BackupStatus.SUCCESSFUL, BillingStatus.CURRENT),) * 5
    + ((AccountStatus.TRIAL_STARTED, BackupStatus.SUCCESSFUL, BillingStatus.NONE),) * 3
    + ((AccountStatus.ANNUAL, BackupStatus.SUCCESSFUL, BillingStatus.DUE),) * 2
)


@dataclass(frozen=True, slots=True)
class AccountPlan:
    """One account to be made: ages are measured back from the moment of creation."""

    name: str
    email: str
    state: State
    age: timedelta
    subscribed_after: timedelta | None
    auto_subscribe: str | None
    size_bytes: int
    services: tuple[Service, ...]

    @property
    def is_trial(self) -> bool:
        return self.state[0] in TRIALS


def states() -> list[State]:
    """The 44 combinations of the three statuses that can occur, and the common ones again: 60 in all.

    A trial owes nothing, so its billing status is always none.
    """
    trials: list[State] = list(product(TRIALS, BackupStatus, [BillingStatus.NONE]))
    subscribed: list[State] = list(product((AccountStatus.MONTHLY, AccountStatus.ANNUAL), BackupStatus, BillingStatus))
    return [*trials, *subscribed, *COMMON]


def main_plans() -> list[AccountPlan]:
    """The 60 accounts of the first partner."""
    return _plans(CUSTOMERS, states(), Random(2026))  # noqa: S311


def other_plans() -> list[AccountPlan]:
    """The accounts of the second partner."""
    chooser = Random(1977)  # noqa: S311
    return _plans(OTHER_CUSTOMERS, chooser.sample(states(), len(OTHER_CUSTOMERS)), chooser)


def _plans(customers: Sequence[tuple[str, str]], chosen: list[State], chooser: Random) -> list[AccountPlan]:
    chooser.shuffle(chosen)
    return [_plan(name, email, state, chooser) for (name, email), state in zip(customers, chosen, strict=True)]


def _plan(name: str, email: str, state: State, chooser: Random) -> AccountPlan:
    age, subscribed_after = _ages(state, chooser)
    trial_goes_on = state[0] in (AccountStatus.TRIAL_STARTED, AccountStatus.TRIAL_EXPIRING)
    return AccountPlan(
        name,
        email,
        state,
        age,
        subscribed_after,
        chooser.choice((None, "monthly", "annual")) if trial_goes_on else None,
        # Every magnitude equally often: from 100 kB to 30 GB in a trial, to 9 TB in a subscription.
        int(10 ** chooser.uniform(5, 10.5 if state[0] in TRIALS else 12.95)),
        _services(chooser),
    )


def _ages(state: State, chooser: Random) -> tuple[timedelta, timedelta | None]:
    """How old the account is, and how old it was when it was subscribed."""
    status, backup, _ = state
    if status == AccountStatus.TRIAL_STARTED:
        return _hours(chooser, *((1, 20) if backup == BackupStatus.NONE else (50, 210))), None
    if status == AccountStatus.TRIAL_EXPIRING:
        return _hours(chooser, 220, 330), None
    if status == AccountStatus.TRIAL_EXPIRED:
        return _hours(chooser, 340, 498), None
    before = chooser.choice((timedelta(0), _hours(chooser, 4, 330)))
    return before + _hours(chooser, *_subscribed_for(status, state[2], chooser)), before


def _subscribed_for(status: AccountStatus, billing: BillingStatus, chooser: Random) -> tuple[int, int]:
    """The least and the most hours since the subscription began, so that its bills can stand as the state says."""
    if billing == BillingStatus.NONE:
        return 2 * 24, 23 * 24
    if status == AccountStatus.MONTHLY or billing == BillingStatus.CURRENT:
        return 1700, 21_600
    years = chooser.choice((1, 2)) * 365
    if billing == BillingStatus.DUE:
        # A renewal that is near, or was lately: a bill is open for the month before it and the month after.
        return (years - 24) * 24, (years + 24) * 24
    return (years - 325) * 24, (years - 45) * 24


def _hours(chooser: Random, least: int, most: int) -> timedelta:
    return timedelta(minutes=chooser.randint(least * 60, most * 60))


def _services(chooser: Random) -> tuple[Service, ...]:
    suite = chooser.choice(SUITES)
    return suite[: chooser.randint(1, len(suite))]
