"""One bill, whole: it may be paid, downloaded and mailed only by who may see all of it."""

from sqlalchemy import ColumnElement, and_, true
from sqlmodel import Session, select

from portal_app.auth.actor import Actor, ActorKind
from portal_app.auth.permissions import Permission
from portal_app.billing import bill_reading
from portal_app.errors import NotFound
from portal_app.models import Bill

NO_SUCH_BILL = "There is no such bill."


def whole_bill(
    session: Session, actor: Actor, *where: ColumnElement[bool], permission: Permission = Permission.BILLING_VIEW
) -> Bill:
    """The bill, if all of it is the actor's; an operator's is any. Raises Denied and NotFound."""
    if actor.kind == ActorKind.OPERATOR:
        mine: ColumnElement[bool] = true()
    else:
        actor.require(permission)
        mine = and_(bill_reading.in_scope(actor), bill_reading.whole(actor))
    bill = session.exec(select(Bill).where(mine, *where)).first()
    if bill is None:
        raise NotFound(NO_SUCH_BILL)
    return bill
