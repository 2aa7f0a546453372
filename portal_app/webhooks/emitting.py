"""Tells webhooks what happened, in the transaction of the change: what is sent is another's work (`delivery`)."""

import json
import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from portal_app import clock
from portal_app.auth.permissions import Permission, effective
from portal_app.models import (
    Account,
    Bill,
    DeliveryState,
    Partner,
    PartnerState,
    User,
    UserAccount,
    UserState,
    Webhook,
    WebhookDelivery,
)
from portal_app.webhooks.events import KNOWN, TEST, Event

Told = tuple[int | None, Mapping[str, Any]]
_AT_ONCE = 500


def emit(
    session: Session, partner_id: int, event: Event, data: Mapping[str, Any], account_id: int | None = None
) -> None:
    """Tell the partner's webhooks of one thing, as far as those who made them may know it."""
    emit_each(session, partner_id, event, [(account_id, data)])


def emit_each(session: Session, partner_id: int, event: Event, told: Sequence[Told]) -> None:
    """Tell of many things of one kind: account (if it is of one) and what to say of each."""
    if not told:
        return
    for hook, maker in _listening(session, partner_id, event):
        heard = hears(session, maker, event, [account_id for account_id, _ in told])
        for account_id, data in told:
            if account_id in heard:
                session.add(delivery(hook, event, account_id, data))


def hears(
    session: Session, maker: User | None, event: str, account_ids: Collection[int | None]
) -> Collection[int | None]:
    """Of which of these accounts (None: of none) a webhook may be told, for who made it (None: a command)."""
    if event == TEST:
        return account_ids
    known = KNOWN.get(event)
    if known is not None and known.permission == Permission.ACCOUNTS_ACCESS:
        account_ids = _openable(session, account_ids)
    if maker is None:
        return account_ids
    rights = effective(maker.role, maker.permissions) if maker.state == UserState.ACTIVE else frozenset()
    if known is None or known.permission not in rights:
        return ()
    if maker.all_accounts:
        return account_ids
    return () if known == Event.ACCOUNT_REMOVED else _chosen(session, maker, account_ids)


def delivery(hook: Webhook, event: str, account_id: int | None, data: Mapping[str, Any]) -> WebhookDelivery:
    """A telling of the webhook, due now. Its body is made here and never changes: a repetition is the same bytes."""
    now = clock.now()
    body = {"type": event, "timestamp": now, "account_id": account_id, "data": data}
    return WebhookDelivery(
        webhook_id=hook.id or 0,
        event_id=f"msg_{secrets.token_hex(12)}",
        event=event,
        body=json.dumps(body, default=_plain, separators=(",", ":")),
        state=DeliveryState.WAITING,
        next_at=now,
        made_at=now,
    )


def of_account(account: Account) -> dict[str, Any]:
    """What is told of an account."""
    return {"id": account.id, "name": account.name, "email": account.email, "status": account.status}


def of_bills(session: Session, event: Event, bills: Iterable[Bill]) -> None:
    """Tell of a partner's bills."""
    listed = list(bills)
    if listed:
        emit_each(session, listed[0].partner_id, event, [(bill.account_id, _bill(bill)) for bill in listed])


def _bill(bill: Bill) -> dict[str, Any]:
    return {
        "number": bill.number,
        "kind": bill.kind,
        "issued": bill.issued_on,
        "due": bill.due_on,
        "amount": {"minor": bill.total_minor, "currency": bill.currency},
        "open": {"minor": max(0, bill.total_minor - bill.settled_minor), "currency": bill.currency},
    }


def _listening(session: Session, partner_id: int, event: Event) -> list[tuple[Webhook, User | None]]:
    found = session.execute(
        select(Webhook, User)
        .outerjoin(User, col(User.id) == col(Webhook.created_by_id))
        .join(Partner, col(Partner.id) == col(Webhook.partner_id))
        .where(col(Webhook.partner_id) == partner_id, col(Webhook.active).is_(True))
        # A suspended partner's programs are told nothing.
        .where(col(Partner.state) == PartnerState.ACTIVE)
    )
    return [(hook, maker) for hook, maker in found if event in hook.events]


def _openable(session: Session, account_ids: Collection[int | None]) -> list[int | None]:
    """Without the accounts that an operator has taken from their partner."""
    taken: set[int | None] = set()
    wanted = [one for one in account_ids if one is not None]
    for start in range(0, len(wanted), _AT_ONCE):
        closed = col(Account.partner_access).is_(False), col(Account.id).in_(wanted[start : start + _AT_ONCE])
        taken |= set(session.exec(select(Account.id).where(*closed)))
    return [one for one in account_ids if one not in taken]


def _chosen(session: Session, maker: User, account_ids: Collection[int | None]) -> set[int | None]:
    wanted, found = [one for one in account_ids if one is not None], set[int | None]()
    for start in range(0, len(wanted), _AT_ONCE):
        some = col(UserAccount.account_id).in_(wanted[start : start + _AT_ONCE])
        found |= set(session.exec(select(UserAccount.account_id).where(col(UserAccount.user_id) == maker.id, some)))
    return found


def _plain(value: Any) -> str:
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else str(value)
