"""Whose a bill is. A user with chosen accounts has only the bills whose every part is theirs."""

from sqlmodel import Session, col, select

from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.errors import NotFound
from portal_app.models import Bill, BillShare, UserAccount

NO_SUCH_BILL = "There is no such bill."


def whole_bill(
    session: Session, actor: Actor, bill_id: int, permission: Permission = Permission.BILLING_VIEW, *, lock: bool = False
) -> Bill:
    """The bill with its total, to download, mail or pay. NotFound for a stranger's, an unknown and a shared one alike.

    `lock` holds the row until the transaction ends.
    """
    actor.require(permission)
    found = select(Bill).where(col(Bill.id) == bill_id, col(Bill.partner_id) == actor.partner_id)
    bill = session.exec(found.with_for_update() if lock else found).first()
    if bill is None or not _is_whole(session, actor, bill_id):
        raise NotFound(NO_SUCH_BILL)
    return bill


def _is_whole(session: Session, actor: Actor, bill_id: int) -> bool:
    if actor.all_accounts:
        return True
    theirs = select(UserAccount.account_id).where(col(UserAccount.user_id) == actor.user_id)
    shares = select(BillShare.account_id).where(col(BillShare.bill_id) == bill_id)
    if session.exec(shares.limit(1)).first() is None:
        return False
    return session.exec(shares.where(col(BillShare.account_id).not_in(theirs)).limit(1)).first() is None
