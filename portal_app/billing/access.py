"""Which bills exist for whom. A document shows the whole bill, so it is for those only who may see all of it."""

from sqlalchemy import ColumnElement, and_, exists, literal
from sqlmodel import Session, col, select

from portal_app.auth.actor import Actor, ActorKind
from portal_app.auth.permissions import Permission
from portal_app.errors import NotFound
from portal_app.models import Bill, BillShare, UserAccount

NO_SUCH_BILL = "There is no such bill."


def any_part(actor: Actor) -> ColumnElement[bool]:
    """The bills of which at least a part is the actor's to see."""
    return and_(_of_partner(actor), literal(True) if actor.all_accounts else _shares(actor, chosen=True))


def whole(actor: Actor) -> ColumnElement[bool]:
    """The bills of which every part is: those may be paid, downloaded and mailed."""
    if actor.all_accounts:
        return _of_partner(actor)
    return and_(_of_partner(actor), _shares(actor, chosen=True), ~_shares(actor, chosen=False))


def whole_bill(session: Session, actor: Actor, *where: ColumnElement[bool]) -> Bill:
    """The one bill, if all of it is the actor's. Raises Denied and NotFound; an operator's is any bill."""
    if actor.kind == ActorKind.OPERATOR:
        mine: ColumnElement[bool] = literal(True)
    else:
        actor.require(Permission.BILLING_VIEW)
        mine = whole(actor)
    bill = session.exec(select(Bill).where(mine, *where)).first()
    if bill is None:
        raise NotFound(NO_SUCH_BILL)
    return bill


def _of_partner(actor: Actor) -> ColumnElement[bool]:
    if actor.partner_id is None or actor.kind == ActorKind.CUSTOMER:
        return literal(False)
    return col(Bill.partner_id) == actor.partner_id


def _shares(actor: Actor, *, chosen: bool) -> ColumnElement[bool]:
    """Whether the bill has a share of an account that is (or is not) among those chosen for the user."""
    mine = select(UserAccount.account_id).where(col(UserAccount.user_id) == actor.user_id)
    among = col(BillShare.account_id).in_(mine)
    return exists().where(col(BillShare.bill_id) == col(Bill.id), among if chosen else ~among)
