"""Writes the audit, inside the transaction of what it tells of."""

from collections.abc import Sequence
from typing import Any

from sqlmodel import Session

from portal_app import clock
from portal_app.audit import chain
from portal_app.audit.tags import Activity
from portal_app.auth.actor import Actor
from portal_app.models import Account


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

    `account` is the id and name of the account concerned. The description must never hold a secret. What a customer's
    own user does belongs to their account and to the audit of its partner. The row is there once the unit of work is
    committed, not before.
    """
    row = _row(actor, activity, description) | {"completed": completed}
    if actor.account_id is not None:
        owner = session.get(Account, actor.account_id)
        row["partner_id"] = owner.partner_id if owner else None
        account = account if account[0] or owner is None else (owner.id, owner.name)
    if partner_id is not None:
        row["partner_id"] = partner_id
    chain.add(session, [row | {"account_id": account[0], "account_name": account[1]}])


def record_each(
    session: Session, actor: Actor, activity: Activity, description: str, accounts: Sequence[tuple[int, str]]
) -> None:
    """Add one row for each of many accounts (id and name)."""
    row = _row(actor, activity, description) | {"completed": True}
    chain.add(session, (row | {"account_id": number, "account_name": name} for number, name in accounts))


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
