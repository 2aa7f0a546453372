"""Writes the audit, inside the transaction of what it tells of."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import insert
from sqlmodel import Session, SQLModel

from portal_app import clock
from portal_app.audit.tags import Activity
from portal_app.auth.actor import Actor
from portal_app.models import AuditEvent


def record(
    session: Session,
    actor: Actor,
    activity: Activity,
    description: str = "",
    *,
    account: tuple[int | None, str] = (None, ""),
    partner_id: int | None = None,
    completed: bool = True,
) -> None:
    """Add one row to the audit of the actor's partner (or of `partner_id`).

    `account` is the id and name of the account concerned. The description must never hold a secret.
    """
    row = _row(actor, activity, description) | {"completed": completed}
    if partner_id is not None:
        row["partner_id"] = partner_id
    session.add(AuditEvent(**row, account_id=account[0], account_name=account[1]))


def record_each(
    session: Session, actor: Actor, activity: Activity, description: str, accounts: Sequence[tuple[int, str]]
) -> None:
    """Add one row for each of many accounts (id and name), in one statement."""
    row = _row(actor, activity, description) | {"completed": True}
    rows = [row | {"account_id": number, "account_name": name} for number, name in accounts]
    if rows:
        session.execute(insert(SQLModel.metadata.tables["audit_event"]), rows)


def _row(actor: Actor, activity: Activity, description: str) -> dict[str, Any]:
    return {
        "partner_id": actor.partner_id,
        "user_id": actor.user_id,
        "performed_by": actor.label,
        "activity": activity,
        "description": description[:500],
        "address": actor.origin.address[:64],
        "browser": actor.origin.browser[:200],
        "made_at": clock.now(),
    }
