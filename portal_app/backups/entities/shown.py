"""How an entity's backups stand, and what of a task is counted and billed: each rule once, as conditions in SQL."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import ColumnElement, and_, case, false, or_, true
from sqlmodel import col

from portal_app.backups.entities.rows import ShownState
from portal_app.models import BackupEntity, Outcome, Standing

_STANDING, _OUTCOME = col(BackupEntity.standing), col(BackupEntity.outcome)
# In the backup: what it holds data of. Who waits or is ignored was only seen.
HELD = _STANDING.in_((Standing.ACTIVE, Standing.INACTIVE, Standing.ARCHIVED))
BILLED = and_(_STANDING == Standing.ACTIVE, col(BackupEntity.licensed).is_not(False))


def is_billed(standing: str, licensed: bool | None) -> bool:
    """BILLED of an entity that is no row yet."""
    return standing == Standing.ACTIVE and licensed is not False


def states(*, active: bool, running_since: datetime | None) -> Mapping[ShownState, ColumnElement[bool]]:
    """The condition of each state for the entities of a task that is active or paused; exactly one holds.

    `running_since` is when the backup began that runs now: what it has not come to yet is in process.
    """
    works = and_(_STANDING == Standing.ACTIVE, true() if active else false())
    runs = and_(works, _not_attempted_since(running_since))
    rests = and_(works, ~_not_attempted_since(running_since))
    return {
        ShownState.ARCHIVED: _STANDING == Standing.ARCHIVED,
        ShownState.NOT_ACTIVE: _STANDING.in_((Standing.INACTIVE, Standing.WAITING, Standing.IGNORED)),
        ShownState.PAUSED: and_(_STANDING == Standing.ACTIVE, false() if active else true()),
        ShownState.IN_PROCESS: runs,
        ShownState.SCHEDULED: and_(rests, _OUTCOME.is_(None)),
        ShownState.SUCCESS: and_(rests, _OUTCOME == Outcome.SUCCESSFUL),
        ShownState.PARTIAL: and_(rests, _OUTCOME == Outcome.PARTIAL),
        ShownState.FAILED: and_(rests, _OUTCOME == Outcome.FAILED),
    }


def state_of(conditions: Mapping[ShownState, ColumnElement[bool]]) -> ColumnElement[str]:
    """The state as a column."""
    return case(*((condition, state.value) for state, condition in conditions.items()))


def _not_attempted_since(since: datetime | None) -> ColumnElement[bool]:
    attempt = col(BackupEntity.last_attempt_at)
    return false() if since is None else or_(attempt.is_(None), attempt < since)
