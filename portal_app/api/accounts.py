"""Accounts: GET and POST /api/v1/accounts, GET /api/v1/accounts/{id}, POST …/subscribe; GET /api/v1/data-centers."""

from datetime import datetime
from typing import Annotated, Any

import anyio.to_thread
from fastapi import FastAPI, Query
from pydantic import BaseModel, Field
from sqlmodel import Session

from portal_app import db
from portal_app.accounts import adding, service
from portal_app.accounts.adding import NewAccount
from portal_app.api import repository
from portal_app.api.answers import Amount, Answers, Body, Id, reading, writing
from portal_app.api.pages import Asked, Page, Turned
from portal_app.api.policy import Caller, requires
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.errors import Conflict, Invalid, NotFound
from portal_app.models import AccountStatus, BackupStatus, BillingStatus, Plan, StorageKind, SubscriptionType

_MADE: Answers = {201: {"description": "The account is added; its customer is invited by mail."}}


def add_to(app: FastAPI) -> None:
    """Put the routes of this module into the app."""
    app.get("/v1/accounts", responses=reading())(list_accounts)
    app.post("/v1/accounts", status_code=201, responses=writing() | _MADE)(add_account)
    app.get("/v1/accounts/{account_id}", responses=reading(one=True))(get_account)
    app.post("/v1/accounts/{account_id}/subscribe", responses=writing())(subscribe_account)
    app.get("/v1/data-centers", responses=reading())(list_data_centers)


class AccountAsked(Asked):
    """Which accounts."""

    status: AccountStatus | None = Field(None, description="Only those of this status.")
    backup_status: BackupStatus | None = Field(None, description="Only those whose backups stand like this.")
    billing_status: BillingStatus | None = Field(
        None, description="Only those whose bills stand like this; for tokens that may view billing."
    )
    search: str = Field("", max_length=120, description="Only those whose name or email address holds this.")

    @property
    def filters(self) -> dict[str, str]:
        """The filters that are set."""
        names = ("status", "backup_status", "billing_status")
        return {name: value for name in names if (value := getattr(self, name)) is not None}


class AccountOut(BaseModel):
    """A customer's account."""

    id: int = Field(description="The account's number.")
    name: str = Field(description="The customer's name.")
    email: str = Field(description="The customer's email address; each account has its own.")
    status: AccountStatus = Field(description="Trial or subscription.")
    backup_status: BackupStatus = Field(description="How the last runs of its tasks ended.")
    billing_status: BillingStatus | None = Field(description="How its bills stand; null unless you may view billing.")
    amount: Amount | None = Field(description="What is open or due next; null unless you may view billing.")
    size_bytes: int = Field(description="Bytes that its tasks hold.")
    storage: StorageKind = Field(description="Where its backups are kept.")
    data_center: str | None = Field(description="Code of the data centre; null for a storage of the customer's own.")
    created: datetime = Field(description="When it was added.")
    trial_ends: datetime | None = Field(description="When its trial ends; null once it is subscribed.")
    subscribed: datetime | None = Field(description="When it was subscribed.")
    last_backup: datetime | None = Field(description="When the last run ended.")


class NewAccountIn(Body):
    """A new account. Its customer is invited by mail and chooses a password."""

    name: str = Field(description="The customer's name.", max_length=1000, examples=["Acme Ltd."])
    email: str = Field(description="The customer's email address.", max_length=1000, examples=["backup@acme.example"])
    begins: SubscriptionType = Field(
        description="How it begins; `trial_monthly` and `trial_annual` subscribe by themselves when the trial ends.",
        examples=["trial"],
    )
    data_center: str = Field(
        description="Code of a data centre, as GET /v1/data-centers lists them.", max_length=100, examples=["eu-west"]
    )


class SubscribeIn(Body):
    """How to subscribe a trial."""

    plan: Plan = Field(description="Monthly or annual.", examples=["monthly"])


class DataCenterOut(BaseModel):
    """Where backups are kept."""

    code: str = Field(description="Its code.")
    name: str = Field(description="Its name for people.")


class DataCenters(BaseModel):
    """The data centres."""

    data: list[DataCenterOut] = Field(description="All that a new account can be kept in.")


@requires(Permission.DASHBOARD_VIEW)
async def list_accounts(asked: Annotated[AccountAsked, Query()], actor: Caller, turn: Turned) -> Page[AccountOut]:
    """List the accounts, the oldest first."""
    rows = await db.look(_read, actor, asked)
    return turn.page(rows, asked.limit, lambda row: _shown(actor, row), lambda row: (row[0].id,))


def _read(session: Session, actor: Actor, asked: AccountAsked) -> Any:
    actor.require(Permission.DASHBOARD_VIEW)
    if asked.billing_status is not None:
        actor.require(Permission.BILLING_VIEW)
    after = asked.place()
    place = after[0] if after else None
    return repository.account_rows(
        session, actor, filters=asked.filters, search=asked.search, after=place, limit=asked.limit + 1
    )


@requires(Permission.ACCOUNTS_ACCESS)
async def get_account(account_id: Id, actor: Caller) -> AccountOut:
    """Get one account."""
    return _shown(actor, await db.look(_get, actor, account_id, Permission.ACCOUNTS_ACCESS))


@requires(Permission.ACCOUNTS_ADD)
async def add_account(new: NewAccountIn, actor: Caller) -> AccountOut:
    """Add an account, as a trial or subscribed from the start."""
    center = await db.look(_place_of, new.data_center)
    form = NewAccount(name=new.name, email=new.email, by_mail=True, place=center, subscription=new.begins)
    try:
        account_id = await anyio.to_thread.run_sync(adding.add, actor, form)
    except Invalid as refusal:
        raise Invalid(**{_NAMES.get(name, name): told for name, told in refusal.fields.items()}) from None
    return _shown(actor, await db.look(_get, actor, account_id, Permission.ACCOUNTS_ADD))


# The page's form has other names for these.
_NAMES = {"place": "data_center", "subscription": "begins"}


@requires(Permission.SUBSCRIBE)
async def subscribe_account(account_id: Id, wanted: SubscribeIn, actor: Caller) -> AccountOut:
    """Subscribe an account that is a trial."""
    return _shown(actor, await db.work(_subscribe, actor, account_id, wanted.plan))


def _subscribe(session: Session, actor: Actor, account_id: int, plan: str) -> Any:
    actor.require(Permission.SUBSCRIBE)
    service.get(session, actor, account_id)
    if not service.subscribe(session, actor, [account_id], plan).changed:
        raise Conflict("This account is subscribed already.")
    return _get(session, actor, account_id, Permission.SUBSCRIBE)


@requires(Permission.ACCOUNTS_ADD)
async def list_data_centers(_actor: Caller) -> DataCenters:
    """List the data centres that a new account can be kept in."""
    found = await db.look(repository.data_centers)
    return DataCenters(data=[DataCenterOut(code=one.code, name=one.name) for one in found])


def _place_of(session: Session, code: str) -> str:
    for one in repository.data_centers(session):
        if one.code == code:
            return str(one.id)
    raise Invalid(data_center="There is no such data centre: GET /v1/data-centers lists them.")


def _get(session: Session, actor: Actor, account_id: int, permission: Permission) -> Any:
    actor.require(permission)
    found = repository.account_row(session, actor, account_id)
    if found is None:
        raise NotFound(service.NOT_FOUND)
    return found


def _shown(actor: Actor, row: Any) -> AccountOut:
    account, center = row
    billing = actor.may(Permission.BILLING_VIEW)
    return AccountOut(
        id=account.id,
        name=account.name,
        email=account.email,
        status=account.status,
        backup_status=account.backup_status,
        billing_status=account.billing_status if billing else None,
        amount=Amount(minor=account.amount_minor, currency=actor.currency) if billing else None,
        size_bytes=account.size_bytes,
        storage=account.storage_kind,
        data_center=center,
        created=account.created_at,
        trial_ends=None if account.subscribed_at else account.trial_ends_at,
        subscribed=account.subscribed_at,
        last_backup=account.last_backup_at,
    )
