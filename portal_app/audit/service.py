"""Writes the audit, inside the transaction of what it tells of."""

from sqlmodel import Session

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
    session.add(
        AuditEvent(
            partner_id=partner_id if partner_id is not None else actor.partner_id,
            account_id=account[0],
            account_name=account[1],
            user_id=actor.user_id,
            performed_by=actor.label,
            activity=activity,
            completed=completed,
            description=description[:500],
            address=actor.origin.address[:64],
            browser=actor.origin.browser[:200],
            made_at=clock.now(),
        )
    )
