"""Rows that nobody has looked at. They say so themselves: whoever looks marks them in the transaction that tells of it.

So what a dying process leaves is found by the next, and of two that look at once each gets other rows. A mark at the
newest id could do neither on PostgreSQL, where a lower id may be committed later.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select, text, update
from sqlmodel import Session, col

from portal_app.models import BackupEntity, BackupRun, Job


@dataclass(frozen=True, slots=True)
class Unseen:
    """Those of a table of which the condition holds; its first part is what an index of them has. `most` at a time."""

    table: type[BackupRun | BackupEntity | Job]
    condition: str
    most: int

    def is_any(self, session: Session) -> bool:
        """Whether there is one: one look into the index."""
        wanted = select(self.table.id).where(text(self.condition))
        return session.execute(wanted.order_by(col(self.table.id)).limit(1)).first() is not None

    def claim(self, session: Session, *columns: Any) -> Sequence[Row[Any]]:
        """Mark the oldest ones, and give these columns of them."""
        new, ident = text(self.condition), col(self.table.id)
        ids = select(ident).where(new).order_by(ident).limit(self.most).scalar_subquery()
        mark = update(self.table).where(ident.in_(ids), new).values(told=True).returning(*columns)
        return session.execute(mark.execution_options(synchronize_session=False)).all()


RUNS = Unseen(BackupRun, "NOT told", 2_000)
ENTITIES = Unseen(BackupEntity, "NOT told", 2_000)
RECOVERIES = Unseen(Job, "NOT told AND kind IN ('restore', 'export') AND state IN ('done', 'failed', 'canceled')", 500)
