"""The rules of customer accounts: find, add, subscribe, delete a trial, open."""

from collections.abc import Sequence
from dataclasses import replace

from sqlmodel import Session, col, select

from portal_app import clock
from portal_app.accounts import repository, trials
from portal_app.accounts.query import AccountQuery
from portal_app.accounts.rows import AccountDetails, AccountPage, AccountRow, Outcome
from portal_app.audit.service import record
from portal_app.audit.tags import Activity
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.errors import Conflict, NotFound
from portal_app.models import Account, BillingStatus, CustomStorage, DataCenter

NOT_FOUND = "There is no such account."
PLANS = {"monthly": "Monthly", "annual": "Annual"}
FOUND_AT_ONCE = 8


def list_page(session: Session, actor: Actor, query: AccountQuery) -> AccountPage:
    """A page of the actor's accounts."""
    actor.require(Permission.DASHBOARD_VIEW)
    page = repository.page(session, actor, visible(actor, query))
    return replace(page, rows=_shown(actor, page.rows))


def visible(actor: Actor, query: AccountQuery) -> AccountQuery:
    """The query as far as the actor may ask it."""
    return query if actor.may(Permission.BILLING_VIEW) else query.without_billing()


def find(session: Session, actor: Actor, words: str) -> list[AccountRow]:
    """The first few accounts whose name or email holds the words."""
    actor.require(Permission.DASHBOARD_VIEW)
    return _shown(actor, repository.first_matches(session, actor, words, FOUND_AT_ONCE))


def open_account(session: Session, actor: Actor, account_id: int) -> AccountDetails:
    """The head of an account for its page, and a row in the audit: nobody looks into an account unseen."""
    details = account_details(session, actor, account_id)
    concerned = (account_id, details.name)
    record(session, actor, Activity.ACCOUNT_ACCESSED, "Opened the account.", account=concerned)
    return details


def account_details(session: Session, actor: Actor, account_id: int) -> AccountDetails:
    """The head of an account."""
    actor.require(Permission.ACCOUNTS_ACCESS)
    account = get(session, actor, account_id)
    return AccountDetails(
        id=account_id,
        partner_id=account.partner_id,
        name=account.name,
        email=account.email,
        status=account.status,
        backup_status=account.backup_status,
        size_bytes=account.size_bytes,
        place=_place(session, account),
        created_at=account.created_at,
        trial_ends_at=account.trial_ends_at if account.status in trials.TRIALS else None,
        last_backup_at=account.last_backup_at,
    )


def get(session: Session, actor: Actor, account_id: int) -> Account:
    """The account to be opened, or NotFound: unknown, a stranger's and one taken from the partner are the same."""
    found = repository.find_openable(session, actor, account_id)
    if found is None:
        raise NotFound(NOT_FOUND)
    return found


def id_in(path: str, after: str = "") -> int:
    """The id at the end of a page's address, or `after` this word of it; NotFound for what nothing can have."""
    parts = path.rstrip("/").split("/")
    text = parts[-1]
    if after:
        text = parts[parts.index(after) + 1] if after in parts[:-1] else ""
    if not text.isascii() or not text.isdecimal() or len(text) > 15:
        raise NotFound(NOT_FOUND)
    return int(text)


def subscribe(session: Session, actor: Actor, account_ids: Sequence[int], plan: str) -> Outcome:
    """Subscribe those of the accounts that are trials; the others stay as they are."""
    actor.require(Permission.SUBSCRIBE)
    if plan not in PLANS:
        raise Conflict("Choose Monthly or Annual.")
    mine = repository.ids_in_scope(session, actor, account_ids)
    changed = trials.subscribe_each(session, actor, mine, plan, clock.now())
    return Outcome(changed, len(mine) - changed)


def ids_matching(session: Session, actor: Actor, query: AccountQuery) -> list[int]:
    """The ids of all accounts that match, for an act on all of them."""
    actor.require(Permission.DASHBOARD_VIEW)
    return repository.matching_ids(session, actor, visible(actor, query))


def delete_trial(session: Session, actor: Actor, account_id: int, typed_name: str) -> str:
    """Delete a trial whose name was typed as a confirmation. Gives the name."""
    actor.require(Permission.TRIALS_DELETE)
    get(session, actor, account_id)
    account = trials.lock_trial(session, account_id)
    if typed_name.strip() != account.name:
        raise Conflict("The name is not the same. Nothing was deleted.")
    trials.delete_account(session, actor, account, trials.DELETED_BY_USER)
    return account.name


def _shown(actor: Actor, rows: list[AccountRow]) -> list[AccountRow]:
    """The rows without what is owed, for those who may not see it."""
    if actor.may(Permission.BILLING_VIEW):
        return rows
    return [row._replace(amount_minor=0, billing_status=BillingStatus.NONE) for row in rows]


def _place(session: Session, account: Account) -> str:
    if account.data_center_id is not None:
        center = session.get(DataCenter, account.data_center_id)
        return center.name if center else ""
    storage = session.exec(select(CustomStorage).where(col(CustomStorage.account_id) == account.id)).first()
    return storage.place if storage else ""
