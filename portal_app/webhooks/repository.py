"""The SELECTs of a partner's webhooks."""

from sqlalchemy import func, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from portal_app.auth.actor import Actor, ActorKind
from portal_app.models import DeliveryState, Webhook, WebhookDelivery
from portal_app.webhooks.rows import DeliveryRow, WebhookRow

SHOWN = 50


def webhooks(session: Session, actor: Actor) -> list[WebhookRow]:
    """The partner's webhooks, the newest first, each with its latest delivery."""
    latest = select(func.max(WebhookDelivery.id)).where(col(WebhookDelivery.webhook_id) == col(Webhook.id))
    last = aliased(WebhookDelivery)
    found = session.execute(
        select(Webhook, last)
        .outerjoin(last, col(last.id) == latest.correlate(Webhook).scalar_subquery())
        .where(col(Webhook.partner_id) == _partner(actor))
        .order_by(col(Webhook.id).desc())
    )
    return [_webhook(hook, delivery) for hook, delivery in found]


def find(session: Session, actor: Actor, webhook_id: int, *, lock: bool = False) -> Webhook | None:
    """The webhook if it is the partner's."""
    wanted = select(Webhook).where(col(Webhook.partner_id) == _partner(actor), col(Webhook.id) == webhook_id)
    return session.scalars(wanted.with_for_update() if lock else wanted).first()


def find_delivery(session: Session, actor: Actor, delivery_id: int) -> WebhookDelivery | None:
    """The delivery if its webhook is the partner's."""
    wanted = select(WebhookDelivery).join(Webhook, col(Webhook.id) == col(WebhookDelivery.webhook_id))
    mine = (col(Webhook.partner_id) == _partner(actor), col(WebhookDelivery.id) == delivery_id)
    return session.scalars(wanted.where(*mine).with_for_update(of=WebhookDelivery)).first()


def count(session: Session, partner_id: int) -> int:
    """How many webhooks the partner has."""
    return session.scalar(select(func.count()).where(col(Webhook.partner_id) == partner_id)) or 0


def deliveries(session: Session, webhook_id: int) -> list[DeliveryRow]:
    """The latest deliveries of a webhook that the caller has authorised."""
    mine = select(WebhookDelivery).where(col(WebhookDelivery.webhook_id) == webhook_id)
    return [_delivery(one) for one in session.scalars(mine.order_by(col(WebhookDelivery.id).desc()).limit(SHOWN))]


def _partner(actor: Actor) -> int:
    # No partner is none: ids begin at 1. A customer's own user has none, whatever stands behind them.
    return 0 if actor.kind == ActorKind.CUSTOMER else actor.partner_id or 0


def _webhook(hook: Webhook, last: WebhookDelivery | None) -> WebhookRow:
    return WebhookRow(
        id=hook.id or 0,
        url=hook.url,
        events=tuple(hook.events),
        active=hook.active,
        turned_off=hook.turned_off,
        last_state=DeliveryState(last.state) if last else None,
        last_fault=last.fault if last else "",
        last_at=(last.finished_at or last.made_at) if last else None,
    )


def _delivery(one: WebhookDelivery) -> DeliveryRow:
    return DeliveryRow(
        id=one.id or 0,
        event=one.event,
        event_id=one.event_id,
        state=DeliveryState(one.state),
        attempts=one.attempts,
        status=one.status,
        fault=one.fault,
        took_ms=one.took_ms,
        made_at=one.made_at,
        next_at=one.next_at,
    )
