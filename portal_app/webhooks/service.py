"""The rules of webhooks: who may have one, what it hears, and its secret.

A webhook hears what its maker may know. Whoever changes it becomes its maker: nobody gets to know by it what they may
not see themselves.
"""

from collections.abc import Collection
from datetime import timedelta

from sqlalchemy import update
from sqlmodel import Session, col

from portal_app import clock, crypto
from portal_app.audit.service import record
from portal_app.audit.tags import Activity
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.errors import Conflict, Denied, Invalid, NotFound
from portal_app.models import DeliveryState, Webhook, WebhookDelivery
from portal_app.webhooks import emitting, repository, signing
from portal_app.webhooks.events import KNOWN, TEST, Event
from portal_app.webhooks.outbox import secret_place
from portal_app.webhooks.rows import Log, WebhookRow

MOST = 20
BOTH_SIGN = timedelta(days=1)
NOT_FOUND = "There is no such webhook."
_CHANGED = "The webhook was changed before this was sent."


def known_to(actor: Actor) -> list[Event]:
    """The events that a webhook of the actor may hear of."""
    return [event for event in Event if actor.may(event.permission) and _hears(actor, event)]


def webhooks(session: Session, actor: Actor) -> list[WebhookRow]:
    """The partner's webhooks. Raises Denied."""
    actor.require(Permission.API_MANAGE)
    return repository.webhooks(session, actor)


def log(session: Session, actor: Actor, webhook_id: int) -> Log:
    """The latest deliveries of a webhook. Raises Denied, NotFound."""
    hook = _get(session, actor, webhook_id)
    return Log(webhook_id, hook.url, hook.active, repository.deliveries(session, webhook_id))


def add(session: Session, actor: Actor, url: str, events: Collection[str]) -> str:
    """A new webhook; gives its secret, to be shown once. `url` has been `sending.checked`. Raises Denied, Invalid."""
    actor.require(Permission.API_MANAGE)
    if actor.partner_id is None:
        raise NotFound(NOT_FOUND)
    _check(actor, events)
    if repository.count(session, actor.partner_id) >= MOST:
        raise Invalid(f"There are {MOST} webhooks already. Delete those that nothing uses.")
    hook = Webhook(
        partner_id=actor.partner_id,
        url=url,
        events=sorted(events),
        secret_sealed=b"",
        created_by_id=actor.user_id,
        created_at=clock.now(),
    )
    session.add(hook)
    session.flush()
    _note(session, actor, hook, "added")
    return _new_secret(session, hook)


def change(session: Session, actor: Actor, webhook_id: int, url: str, events: Collection[str], *, active: bool) -> None:
    """Change address and events, turn it on or off. `url` has been `sending.checked`. Raises Denied, NotFound, Invalid.

    What waits was meant for how the webhook was: it ends, and can be sent again by hand.
    """
    hook = _get(session, actor, webhook_id, lock=True)
    _check(actor, events)
    if (hook.url, hook.created_by_id) != (url, actor.user_id):
        waiting = (col(WebhookDelivery.webhook_id) == hook.id, col(WebhookDelivery.state) == DeliveryState.WAITING)
        ended = {"state": DeliveryState.FAILED, "fault": _CHANGED, "next_at": None, "finished_at": clock.now()}
        session.execute(update(WebhookDelivery).where(*waiting).values(**ended))
    if active and not hook.active:
        hook.failing_since, hook.turned_off = None, ""
    hook.url, hook.events, hook.active, hook.created_by_id = url, sorted(events), active, actor.user_id
    session.add(hook)
    _note(session, actor, hook, "changed" if active else "changed, and is off")


def remove(session: Session, actor: Actor, webhook_id: int) -> None:
    """Delete a webhook with its deliveries. Raises Denied, NotFound."""
    hook = _get(session, actor, webhook_id, lock=True)
    _note(session, actor, hook, "deleted")
    session.delete(hook)


def rotate(session: Session, actor: Actor, webhook_id: int) -> str:
    """A new secret, to be shown once; for a day the old one signs, too. Raises Denied, NotFound."""
    hook = _get(session, actor, webhook_id, lock=True)
    hook.old_secret_sealed, hook.old_secret_until = hook.secret_sealed, clock.now() + BOTH_SIGN
    _note(session, actor, hook, "got a new secret")
    return _new_secret(session, hook)


def send_test(session: Session, actor: Actor, webhook_id: int) -> None:
    """Send a message that tells of nothing. Raises Denied, NotFound, and Conflict when the webhook is off."""
    hook = _on(_get(session, actor, webhook_id))
    session.add(emitting.delivery(hook, TEST, None, {"message": "This is a test."}))


def resend(session: Session, actor: Actor, delivery_id: int) -> int:
    """Send a delivery again, under the same id; gives its webhook's. Raises Denied, NotFound, Conflict.

    What it tells goes where the webhook leads now, so its maker of now has to be allowed to know it (`outbox.parcel`).
    """
    actor.require(Permission.API_MANAGE)
    found = repository.find_delivery(session, actor, delivery_id)
    if found is None:
        raise NotFound("There is no such delivery.")
    _on(_get(session, actor, found.webhook_id))
    if found.state != DeliveryState.WAITING or not found.claim:
        # Its days are counted anew; one that is under way at this moment needs no second sender.
        found.state, found.made_at, found.next_at = DeliveryState.WAITING, clock.now(), clock.now()
        found.finished_at, found.attempts = None, 0
        session.add(found)
    return found.webhook_id


def _hears(actor: Actor, event: Event) -> bool:
    return actor.all_accounts or event != Event.ACCOUNT_REMOVED


def _check(actor: Actor, events: Collection[str]) -> None:
    if not events:
        raise Invalid(events="Choose what the webhook is told of.")
    if not set(events) <= KNOWN.keys():
        raise Invalid(events="Choose from the list.")
    if not {KNOWN[event] for event in events} <= set(known_to(actor)):
        raise Denied("A webhook can't be told more than you may know yourself.")


def _get(session: Session, actor: Actor, webhook_id: int, *, lock: bool = False) -> Webhook:
    actor.require(Permission.API_MANAGE)
    found = repository.find(session, actor, webhook_id, lock=lock)
    if found is None:
        raise NotFound(NOT_FOUND)
    return found


def _on(hook: Webhook) -> Webhook:
    if not hook.active:
        raise Conflict("This webhook is off. Turn it on first.")
    return hook


def _new_secret(session: Session, hook: Webhook) -> str:
    secret = signing.new_secret()
    hook.secret_sealed = crypto.seal(secret.encode(), binding=secret_place(hook.partner_id, hook.id or 0))
    session.add(hook)
    return secret


def _note(session: Session, actor: Actor, hook: Webhook, what: str) -> None:
    # What follows a ? is often a key of the receiver's.
    record(session, actor, Activity.API, f"Webhook to {hook.url.partition('?')[0]} {what}", partner_id=hook.partner_id)
