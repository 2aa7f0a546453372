"""What operators read: across all partners."""

from sqlalchemy import func, select
from sqlmodel import Session, col

from portal_app.models import AccountTotal, Partner, User
from portal_app.operator.rows import PartnerRow


def partners(session: Session) -> list[PartnerRow]:
    """All partners by code."""
    accounts = (
        select(col(AccountTotal.partner_id).label("partner_id"), func.sum(AccountTotal.accounts).label("n"))
        .group_by(col(AccountTotal.partner_id))
        .subquery()
    )
    users = (
        select(col(User.partner_id).label("partner_id"), func.count().label("n"))
        .group_by(col(User.partner_id))
        .subquery()
    )
    found = session.execute(
        select(Partner, func.coalesce(accounts.c.n, 0), func.coalesce(users.c.n, 0))
        .outerjoin(accounts, accounts.c.partner_id == col(Partner.id))
        .outerjoin(users, users.c.partner_id == col(Partner.id))
        .order_by(col(Partner.code))
    )
    return [
        PartnerRow(p.id or 0, p.code, p.name, p.state, p.currency, int(accounts_n), int(users_n), p.created_at)
        for p, accounts_n, users_n in found
    ]
