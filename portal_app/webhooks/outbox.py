"""The deliveries as their deliverers see them: who sends what, and what came of it.

A deliverer claims one by writing the instant at which others may try it: a lease. Whoever dies leaves it to the next
one, after the lease; whoever comes back too late changes nothing, because the claim is another's by then.
"""

import json
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session, col, delete, select, update

from portal_app import clock, crypto
from portal_app.audit.service import record
from portal_app.audit.tags import Activity
from portal_app.auth.actor import system
from portal_app.errors import PortalError
from portal_app.mail.service import NewMail, queue_all
from portal_app.models import DeliveryState, Role, User, UserKind, UserState, Webhook, WebhookDelivery
from portal_app.webhooks import letters
from portal_app.webhooks.emitting import hears
from portal_app.webhooks.sending import Answer

LEASE = timedelta(minutes=1)
GIVE_UP = timedelta(days=3)
KEPT = timedelta(days=30)
FIRST_DELAY = timedelta(seconds=5)
LONGEST_DELAY = timedelta(hours=6)
GONE = 410

_WAITS = col(WebhookDelivery.state) == DeliveryState.WAITING
_random = secrets.SystemRandom()


@dataclass(frozen=True, slots=True)
class Parcel:
    """What to send where; `secrets` sign it. With a `refusal` nothing is sent."""

    url: str = ""
    secrets: tuple[str, ...] = ()
    refusal: str = ""


def is_due(session: Session, now: datetime) -> bool:
    """Whether there is something to send: one look into an index."""
    due = select(WebhookDelivery.id).where(_WAITS, col(WebhookDelivery.next_at) <= now)
    return session.exec(due.order_by(col(WebhookDelivery.next_at)).limit(1)).first() is not None


def claim(session: Session, now: datetime, busy: Collection[int]) -> WebhookDelivery | None:
    """The delivery that waits longest, now the caller's until the lease ends; none to one of the `busy` webhooks."""
    found = session.exec(
        select(WebhookDelivery)
        .where(_WAITS, col(WebhookDelivery.next_at) <= now, col(WebhookDelivery.webhook_id).not_in(busy))
        .order_by(col(WebhookDelivery.next_at), col(WebhookDelivery.id))
        .limit(1)
        .with_for_update(skip_locked=True)
    ).first()
    if found is not None:
        found.claim, found.attempts, found.next_at = secrets.token_hex(8), found.attempts + 1, now + LEASE
    return found


def parcel(session: Session, found: WebhookDelivery) -> Parcel:
    """What to send, as the webhook and the rights of its maker are now."""
    hook = session.get_one(Webhook, found.webhook_id)
    maker = session.get(User, hook.created_by_id) if hook.created_by_id else None
    account_id = json.loads(found.body)["account_id"]
    if not hook.active:
        return Parcel(refusal="The webhook is off.")
    if account_id not in hears(session, maker, found.event, [account_id]):
        return Parcel(refusal="Who made the webhook may no longer know this.")
    try:
        return Parcel(hook.url, secrets_of(hook, clock.now()))
    except PortalError:
        return Parcel(refusal="The signing secret can't be read: it was locked with another encryption key.")


def settle(session: Session, found: WebhookDelivery, answer: Answer) -> None:
    """Note what came of an attempt."""
    now = clock.now()
    if not answer.fault:
        _end(session, found, DeliveryState.DELIVERED, answer, now)
        session.execute(_hook(found).values(failing_since=None))
        return
    session.execute(_hook(found).where(col(Webhook.failing_since).is_(None)).values(failing_since=now))
    if answer.status == GONE or found.made_at <= now - GIVE_UP:
        if _end(session, found, DeliveryState.FAILED, answer, now):
            _turn_off_if_dead(session, found.webhook_id, answer, now)
        return
    later = {"next_at": now + delay_after(found.attempts), "claim": "", **_result(answer)}
    session.execute(_mine(found).values(later))


def refuse(session: Session, found: WebhookDelivery, why: str) -> None:
    """It is not to be sent any more."""
    _end(session, found, DeliveryState.FAILED, Answer(None, why, 0), clock.now())


def delay_after(attempts: int) -> timedelta:
    """How long to wait after so many attempts; spread, so that what failed together doesn't return together."""
    grown = min(FIRST_DELAY * 4 ** min(attempts - 1, 10), LONGEST_DELAY)
    return grown * _random.uniform(0.8, 1.2)


def secret_place(partner_id: int, webhook_id: int) -> str:
    """The binding under which a webhook's secrets are sealed."""
    return crypto.binding(partner_id, "webhook", webhook_id, "secret_sealed")


def secrets_of(hook: Webhook, now: datetime) -> tuple[str, ...]:
    """The secrets that sign: the one of now, and the one before it for a while. Raises crypto.Unreadable."""
    sealed = [hook.secret_sealed]
    if hook.old_secret_sealed and hook.old_secret_until and hook.old_secret_until > now:
        sealed.append(hook.old_secret_sealed)
    place = secret_place(hook.partner_id, hook.id or 0)
    return tuple(crypto.unseal(one, binding=place).decode() for one in sealed)


def prune(session: Session, now: datetime) -> None:
    """Forget what ended a month ago."""
    session.execute(delete(WebhookDelivery).where(~_WAITS, col(WebhookDelivery.finished_at) <= now - KEPT))


def _turn_off_if_dead(session: Session, webhook_id: int, answer: Answer, now: datetime) -> None:
    hook = session.get_one(Webhook, webhook_id, with_for_update=True, populate_existing=True)
    long_dead = hook.failing_since is not None and hook.failing_since <= now - GIVE_UP
    if not hook.active or not (long_dead or answer.status == GONE):
        return
    hook.active, hook.turned_off = False, answer.fault
    session.add(hook)
    host = hook.url.partition("?")[0]
    told = f"Webhook to {host} turned off: {answer.fault}"
    record(session, system(hook.partner_id), Activity.API, told, completed=False)
    letter = letters.turned_off(host, answer.fault, GIVE_UP.days)
    queue_all(session, [NewMail(to, letter, "webhook off", hook.partner_id) for to in _makers(session, hook)])


def _makers(session: Session, hook: Webhook) -> list[str]:
    own = (col(User.partner_id) == hook.partner_id, col(User.kind) == UserKind.PARTNER)
    who = col(User.id) == hook.created_by_id if hook.created_by_id else col(User.role) == Role.ADMINISTRATOR
    return list(session.exec(select(User.email).where(*own, who, col(User.state) == UserState.ACTIVE)))


def _end(session: Session, found: WebhookDelivery, state: DeliveryState, answer: Answer, now: datetime) -> bool:
    ended = {"state": state, "next_at": None, "claim": "", "finished_at": now, **_result(answer)}
    return session.execute(_mine(found).values(ended)).rowcount == 1


def _result(answer: Answer) -> dict[str, Any]:
    return {"status": answer.status, "fault": answer.fault, "took_ms": answer.took_ms}


def _mine(found: WebhookDelivery) -> Any:
    mine = (col(WebhookDelivery.id) == found.id, col(WebhookDelivery.claim) == found.claim, _WAITS)
    return update(WebhookDelivery).where(*mine)


def _hook(found: WebhookDelivery) -> Any:
    return update(Webhook).where(col(Webhook.id) == found.webhook_id)
