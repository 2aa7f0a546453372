"""A task's year of daily runs, and what a partner's days add up to."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from random import Random
from typing import Any

from portal_app.models import Outcome

YEAR = 365
PARTIAL_MESSAGE = "Some {entities} could not be read; the others are saved."
FAILED_MESSAGES = (
    "The service refused the sign-in. Renew the backup's consent there.",
    "The service did not answer in time.",
    "The storage refused to take more data.",
)
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class TaskPlan:
    """A task whose runs are to be made. `until` is the last instant at which a run may have finished."""

    account_id: int
    task_id: int
    since: datetime
    until: datetime
    hour: int
    outcome: Outcome
    size_bytes: int
    entities: int
    entities_name: str


def runs(plan: TaskPlan, chooser: Random) -> list[Row]:
    """Rows of backup_run, oldest first: one a day, the last ones with the plan's outcome, growing in size."""
    slots = _slots(plan, chooser)
    outcomes = _outcomes(plan.outcome, len(slots), chooser)
    sizes = _sizes(plan.size_bytes, outcomes, chooser)
    stored = [0, *sizes]
    return [
        _run(plan, slot, outcome, chooser) | {"size_bytes": size, "added_bytes": size - before}
        for slot, outcome, size, before in zip(slots, outcomes, sizes, stored, strict=False)
    ]


def _slots(plan: TaskPlan, chooser: Random) -> list[tuple[datetime, datetime]]:
    """When the runs began and ended."""
    first = max(plan.since, plan.until - timedelta(days=YEAR))
    minute = chooser.randrange(0, 50)
    slots = []
    for number in range((plan.until.date() - first.date()).days + 1):
        begun = datetime.combine(first.date() + timedelta(number), time(plan.hour, minute), UTC)
        ended = begun + timedelta(seconds=chooser.randint(20, 4000))
        if begun >= first and ended <= plan.until:
            slots.append((begun, ended))
    return slots


def _outcomes(last: Outcome, number: int, chooser: Random) -> list[Outcome]:
    found = chooser.choices(list(Outcome), (94, 4, 2), k=number)
    alike = min(number, 1 if last == Outcome.SUCCESSFUL else chooser.randint(1, 3))
    return found[: number - alike] + [last] * alike


def _sizes(final: int, outcomes: list[Outcome], chooser: Random) -> list[int]:
    """Bytes stored after each run: a failed one leaves them as they were."""
    if not outcomes:
        return []
    growth = [chooser.random() for _ in outcomes]
    growth[0] = 0.6 * len(outcomes)
    steps = [0.0 if outcome == Outcome.FAILED else step for outcome, step in zip(outcomes, growth, strict=True)]
    whole = sum(steps) or 1.0
    return [int(final * part / whole) for part in accumulate(steps)]


def _run(plan: TaskPlan, slot: tuple[datetime, datetime], outcome: Outcome, chooser: Random) -> Row:
    return {
        "account_id": plan.account_id,
        "task_id": plan.task_id,
        "run_key": f"demo-{slot[0]:%Y%m%d}",
        "started_at": slot[0],
        "finished_at": slot[1],
        "outcome": outcome,
        "entities": plan.entities,
        "entities_failed": _entities_failed(plan, outcome, chooser),
        "message": _message(plan, outcome, chooser),
        "received_at": slot[1],
    }


def _entities_failed(plan: TaskPlan, outcome: Outcome, chooser: Random) -> int:
    if outcome == Outcome.SUCCESSFUL:
        return 0
    return plan.entities if outcome == Outcome.FAILED else chooser.randint(1, max(1, plan.entities // 4))


def _message(plan: TaskPlan, outcome: Outcome, chooser: Random) -> str:
    if outcome == Outcome.SUCCESSFUL:
        return ""
    if outcome == Outcome.PARTIAL:
        return PARTIAL_MESSAGE.format(entities=plan.entities_name)
    return chooser.choice(FAILED_MESSAGES)


def days(partner_id: int, tasks: Sequence[Sequence[Row]]) -> list[Row]:
    """Rows of partner_day from each task's runs, without a gap from the first day to the last."""
    outcomes = Counter((_day(row), row["outcome"]) for rows in tasks for row in rows)
    grown: Counter[date] = Counter()
    for rows in tasks:
        for row, before in zip(rows, [0, *(row["size_bytes"] for row in rows)], strict=False):
            grown[_day(row)] += row["size_bytes"] - before
    every = [min(grown) + timedelta(number) for number in range((max(grown) - min(grown)).days + 1)] if grown else []
    return [
        {"partner_id": partner_id, "day": day, "stored_bytes": stored}
        | {outcome.value: outcomes[day, outcome] for outcome in Outcome}
        for day, stored in zip(every, accumulate(grown[day] for day in every), strict=True)
    ]


def _day(run: Row) -> date:
    return run["finished_at"].date()
