"""The one transaction that saves an import: accounts, who may see them, the audit."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from sqlalchemy import insert, select
from sqlmodel import Session, SQLModel, col

from portal_app import clock
from portal_app.accounts import adding
from portal_app.accounts.import_csv import NewRow, OnStep, counted
from portal_app.audit.service import record, record_each
from portal_app.audit.tags import Activity
from portal_app.auth.actor import Actor
from portal_app.errors import NotFound
from portal_app.models import Account, AccountStatus, Partner, SubscriptionType, User
from portal_app.text import fold
from portal_app.webhooks.emitting import emit_each
from portal_app.webhooks.events import Event

T = TypeVar("T")
_AT_ONCE = 1_000
_ACCOUNTS, _SEEN = SQLModel.metadata.tables["account"], SQLModel.metadata.tables["user_account"]


class Taken(Exception):
    """Addresses were taken since the check; rolls the transaction back."""


def taken(session: Session, keys: Sequence[str]) -> set[str]:
    """Those of the addresses that an account or a user has, with whatever partner."""
    found: set[str] = set()
    for owned in (col(Account.email_key), col(User.email_key)):
        found.update(session.scalars(select(owned).where(owned.in_(keys))))
    return found


def save_rows(session: Session, actor: Actor, rows: Sequence[NewRow], source: str, on_step: OnStep) -> None:
    """Save all rows; Taken when one of the addresses is. `source` is what the audit calls the file."""
    values = _values(actor.partner_id or 0, rows)
    lock_partner(session, actor)
    if any(taken(session, keys) for _, keys in parts([row.email_key for row in rows])):
        raise Taken
    for done, part in parts(values):
        on_step(done / len(values))
        _save_part(session, actor, part)
    on_step(1)
    _audit_all(session, actor, rows, source)


def lock_partner(session: Session, actor: Actor) -> None:
    """Imports of one partner take turns: else two of them could hold what the other waits for."""
    partner = select(col(Partner.id)).where(col(Partner.id) == actor.partner_id)
    if session.execute(partner.with_for_update(key_share=True)).first() is None:
        raise NotFound("There is no such partner.")


def _values(partner_id: int, rows: Sequence[NewRow]) -> list[dict[str, Any]]:
    """The columns of the new accounts, in the order of their addresses: the same for whoever imports them too."""
    at = clock.now()
    begin = {kind: _columns(adding.new_account(partner_id, "", "", kind, at)) for kind in SubscriptionType}
    return [
        begin[row.subscription]
        | {
            "name": row.name,
            "name_key": fold(row.name),
            "email": row.email,
            "email_key": row.email_key,
            "data_center_id": row.place_id,
        }
        for row in sorted(rows, key=lambda row: row.email_key)
    ]


def _columns(account: Account) -> dict[str, Any]:
    return {name: getattr(account, name) for name in Account.model_fields if name != "id"}


def _save_part(session: Session, actor: Actor, part: Sequence[dict[str, Any]]) -> None:
    # Into the table, not the model: and the ids are asked for afterwards. RETURNING in the order of the rows would
    # make SQLite take them one by one, three times as long, while nobody else can write.
    session.execute(insert(_ACCOUNTS), part)
    mine = col(Account.email_key).in_([values["email_key"] for values in part])
    columns = (Account.id, Account.name, Account.email, Account.status)
    added = session.execute(select(*columns).where(mine)).all()
    if not actor.all_accounts and actor.user_id is not None:
        seen = [{"user_id": actor.user_id, "account_id": account.id} for account in added]
        session.execute(insert(_SEEN), seen)
    named = [(account.id, account.name) for account in added]
    record_each(session, actor, Activity.ACCOUNT_ADDED, "Added by an import.", named)
    told = [(account.id, dict(account._mapping)) for account in added]
    emit_each(session, actor.partner_id or 0, Event.ACCOUNT_ADDED, told)
    for plan in (AccountStatus.MONTHLY, AccountStatus.ANNUAL):
        begun = [(account.id, account.name) for account in added if account.status == plan]
        record_each(session, actor, Activity.SUBSCRIBED, f"Subscribed ({plan}) from the start.", begun)
        emit_each(
            session, actor.partner_id or 0, Event.ACCOUNT_SUBSCRIBED, [one for one in told if one[1]["status"] == plan]
        )


def _audit_all(session: Session, actor: Actor, rows: Sequence[NewRow], source: str) -> None:
    record(session, actor, Activity.ACCOUNT_ADDED, f"Imported {counted(len(rows))} from {source}.")
    kinds = Counter(row.subscription for row in rows)
    monthly, annual = kinds[SubscriptionType.MONTHLY], kinds[SubscriptionType.ANNUAL]
    if monthly or annual:
        words = f"Subscribed {counted(monthly + annual)} by the import ({monthly:,} monthly, {annual:,} annual)."
        record(session, actor, Activity.SUBSCRIBED, words)


def parts(things: list[T]) -> Iterator[tuple[int, list[T]]]:
    """Some at a time, each with how many came before."""
    for start in range(0, len(things), _AT_ONCE):
        yield start, things[start : start + _AT_ONCE]
