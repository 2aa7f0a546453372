"""Adding one account: the form, its checks, and the one transaction that saves it."""

from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from portal_app import clock, crypto, db
from portal_app.accounts import storage_credentials, storage_probe, trials
from portal_app.audit.service import record
from portal_app.audit.tags import Activity
from portal_app.auth import passwords
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.errors import Invalid, NotFound
from portal_app.models import (
    Account,
    AccountStatus,
    CustomStorage,
    DataCenter,
    Partner,
    StorageKind,
    SubscriptionType,
    User,
    UserAccount,
    UserKind,
    UserState,
)
from portal_app.text import clean, email_fault, fold, name_fault, normal_email
from portal_app.users import invitations
from portal_app.webhooks.emitting import emit, of_account
from portal_app.webhooks.events import Event

TAKEN = "This email belongs to another account or user. Each account needs its own."
_PLANS = {
    SubscriptionType.TRIAL: (None, None),
    SubscriptionType.TRIAL_MONTHLY: (None, AccountStatus.MONTHLY),
    SubscriptionType.TRIAL_ANNUAL: (None, AccountStatus.ANNUAL),
    SubscriptionType.MONTHLY: (AccountStatus.MONTHLY, None),
    SubscriptionType.ANNUAL: (AccountStatus.ANNUAL, None),
}


class NewAccount(BaseModel):
    """What the form sends. `place` is a data centre's id in digits, or the kind of a custom storage."""

    model_config = ConfigDict(extra="ignore", str_max_length=20_000)

    name: str = ""
    email: str = ""
    password: str = Field("", repr=False)
    retype: str = Field("", repr=False)
    by_mail: bool = False
    place: str = ""
    subscription: str = ""
    storage: dict[str, str] = Field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Choice:
    """One data centre."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class FormStart:
    """What the empty form shows."""

    partner_code: str
    places: list[Choice]
    place: str
    subscription: str


def start(session: Session, actor: Actor) -> FormStart:
    """The form with the partner's defaults."""
    actor.require(Permission.ACCOUNTS_ADD)
    partner = _partner(session, actor)
    centers = session.exec(
        select(DataCenter).where(col(DataCenter.active).is_(True)).order_by(col(DataCenter.position))
    ).all()
    places = [Choice(str(center.id), center.name) for center in centers]
    default = str(partner.default_data_center_id or "")
    known = default in [place.value for place in places]
    return FormStart(partner.code, places, default if known else places[0].value, partner.default_subscription)


def add(actor: Actor, form: NewAccount) -> int:
    """Check everything, try the storage, save. Gives the account's id; raises Invalid with a sentence by each field.

    Blocking for up to the storage's 15 seconds; no lock is held meanwhile.
    """
    actor.require(Permission.ACCOUNTS_ADD)
    custom = _check(form)
    db.read(_check_against_database, form)
    if custom is not None:
        storage_probe.probe(custom)
    try:
        return db.write(_save, actor, form, custom, None if form.by_mail else passwords.hash_password(form.password))
    except IntegrityError:
        # Somebody else took the address between the check and now; the constraint decided.
        raise Invalid(email=TAKEN) from None


def _check(form: NewAccount) -> storage_credentials.Credentials | None:
    faults = {
        "name": name_fault(clean(form.name), "a name"),
        "email": email_fault(clean(form.email)),
        "password": passwords.fault_of(form.password, form.email, form.name),
        "retype": "" if form.retype == form.password else "The two passwords are not the same.",
        "subscription": "" if form.subscription in _PLANS else "Choose how the account begins.",
    }
    custom = None
    if not form.place.isdecimal():
        try:
            custom = storage_credentials.parse(form.place, form.storage)
        except Invalid as refusal:
            faults |= refusal.fields
    if form.by_mail:
        del faults["password"], faults["retype"]
    if found := {name: fault for name, fault in faults.items() if fault}:
        raise Invalid(**found)
    return custom


def _check_against_database(session: Session, form: NewAccount) -> None:
    key = normal_email(form.email)
    if is_taken(session, key):
        raise Invalid(email=TAKEN)
    if form.place.isdecimal():
        center = session.get(DataCenter, int(form.place)) if len(form.place) < 10 else None
        if center is None or not center.active:
            raise Invalid(place="Choose one of the locations.")


def is_taken(session: Session, email_key: str) -> bool:
    """Whether an account or a user has the address already."""
    return account_has(session, email_key) or user_has(session, email_key)


def account_has(session: Session, email_key: str, *, but: int = 0) -> bool:
    """Whether an account has the address already, but for this one."""
    has = select(Account.id).where(col(Account.email_key) == email_key, col(Account.id) != but)
    return session.exec(has).first() is not None


def user_has(session: Session, email_key: str, *, but_of: int = 0) -> bool:
    """Whether a user has the address already, but for those of this account."""
    owner = session.exec(select(User.id, User.account_id).where(col(User.email_key) == email_key)).first()
    return owner is not None and (owner[1] is None or owner[1] != but_of)


def new_account(partner_id: int, name: str, email: str, subscription: str, at: datetime) -> Account:
    """The row of an account that begins at `at`; its place is still to be set."""
    begins, later = _PLANS[SubscriptionType(subscription)]
    account = Account(
        partner_id=partner_id,
        name=clean(name),
        name_key=fold(clean(name)),
        email=clean(email),
        email_key=normal_email(email),
        status=begins or AccountStatus.TRIAL_STARTED,
        auto_subscribe=later,
        subscribed_at=at if begins else None,
        created_at=at,
    )
    if not begins:
        account.trial_ends_at, account.next_step_at = trials.new_trial(at, later)
    return account


def audit_added(session: Session, actor: Actor, account: Account) -> None:
    """Write into the audit that an account was added, and subscribed if it was."""
    concerned = (account.id, account.name)
    record(session, actor, Activity.ACCOUNT_ADDED, "Added the account.", account=concerned)
    emit(session, account.partner_id, Event.ACCOUNT_ADDED, of_account(account), account.id)
    if account.subscribed_at is not None:
        emit(session, account.partner_id, Event.ACCOUNT_SUBSCRIBED, of_account(account), account.id)
        record(session, actor, Activity.SUBSCRIBED, f"Subscribed ({account.status}) from the start.", account=concerned)


def let_see(session: Session, actor: Actor, account: Account) -> None:
    """Who has a chosen list of accounts sees the ones they add."""
    if not actor.all_accounts and actor.user_id is not None:
        session.add(UserAccount(user_id=actor.user_id, account_id=account.id))


def _save(
    session: Session,
    actor: Actor,
    form: NewAccount,
    custom: storage_credentials.Credentials | None,
    password_hash: str | None,
) -> int:
    partner, now = _partner(session, actor), clock.now()
    account = new_account(partner.id or 0, form.name, form.email, form.subscription, now)
    account.storage_kind = StorageKind(form.place) if custom else StorageKind.DATA_CENTER
    account.data_center_id = None if custom else int(form.place)
    session.add(account)
    session.flush()
    customer = _customer(account, password_hash, now)
    session.add(customer)
    if custom is not None:
        session.add(_storage(account, custom, now))
    let_see(session, actor, account)
    audit_added(session, actor, account)
    session.flush()
    if password_hash is None:
        invitations.invite(session, customer)
        concerned = (account.id, account.name)
        record(session, actor, Activity.USER_MANAGEMENT, f"Invited {customer.email}.", account=concerned)
    return account.id or 0


def _customer(account: Account, password_hash: str | None, now: datetime) -> User:
    """The customer's own user; without a password they are to be invited and choose one."""
    return User(
        kind=UserKind.CUSTOMER,
        account_id=account.id,
        email=account.email,
        email_key=account.email_key,
        name=account.name,
        password_hash=password_hash,
        state=UserState.ACTIVE if password_hash else UserState.INVITED,
        created_at=now,
    )


def _storage(account: Account, custom: storage_credentials.Credentials, now: datetime) -> CustomStorage:
    where = crypto.binding(account.partner_id, "custom_storage", account.id or 0, "sealed")
    place = getattr(custom, "bucket", "") or getattr(custom, "container", "")
    sealed = crypto.seal(storage_credentials.to_json(custom), binding=where)
    return CustomStorage(account_id=account.id, kind=custom.kind, place=place, sealed=sealed, checked_at=now)


def _partner(session: Session, actor: Actor) -> Partner:
    partner = session.get(Partner, actor.partner_id) if actor.partner_id is not None else None
    if partner is None:
        raise NotFound("There is no such partner.")
    return partner
