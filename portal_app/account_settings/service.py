"""The rules of an account's settings."""

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from portal_app.account_settings import letters
from portal_app.account_settings.rows import AccountSettings, SettingsForm
from portal_app.accounts import service as accounts
from portal_app.accounts.adding import TAKEN, Choice, account_has, user_has
from portal_app.audit.service import record
from portal_app.audit.tags import Activity
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.backups.repository import account_to_change
from portal_app.errors import Conflict, Invalid, NotFound
from portal_app.mail import service as mail
from portal_app.models import Account, BackupRun, BackupTask, DataCenter, Job, JobState, Partner, StorageKind
from portal_app.text import clean, email_fault, fold, name_fault, normal_email

CHANGED_MEANWHILE = "Somebody changed this account meanwhile. Load the page again to see how it is now."


def show(session: Session, actor: Actor, account_id: int) -> AccountSettings:
    """The account's settings, for who may change them or remove it."""
    if not actor.may(Permission.ACCOUNTS_REMOVE):
        actor.require(Permission.ACCOUNTS_CHANGE)
    details = accounts.account_details(session, actor, account_id)
    account = accounts.get(session, actor, account_id)
    partner = session.get_one(Partner, account.partner_id)
    return AccountSettings(_form(account), partner.code, details.place, _places(session, account))


def save(session: Session, actor: Actor, account_id: int, seen: SettingsForm, wanted: SettingsForm) -> bool:
    """Keep what is new in the form, which was `seen` before it was filled in; False when nothing is.

    Raises Denied, NotFound, Conflict when somebody else saved meanwhile, Invalid by the form's fields.
    """
    actor.require(Permission.ACCOUNTS_CHANGE)
    actor.require(Permission.ACCOUNTS_ACCESS)
    account = account_to_change(session, actor, account_id)
    if account is None:
        raise NotFound(accounts.NOT_FOUND)
    before = _form(account)
    if before != seen:
        raise Conflict(CHANGED_MEANWHILE)
    wanted = SettingsForm(clean(wanted.name), clean(wanted.email), wanted.place or before.place)
    words = _changes(session, account, before, wanted)
    if not words:
        return False
    _write(session, account, wanted)
    concerned = {"account": (account.id, account.name), "partner_id": account.partner_id}
    record(session, actor, Activity.ACCOUNT_SETTINGS, f"Changed {words}.", **concerned)
    if wanted.email != before.email:
        letter = letters.email_changed(account.name, account.email, actor.label)
        mail.queue(session, before.email, letter, kind="account settings", partner_id=account.partner_id)
    return True


def _form(account: Account) -> SettingsForm:
    return SettingsForm(account.name, account.email, str(account.data_center_id or ""))


def _changes(session: Session, account: Account, before: SettingsForm, wanted: SettingsForm) -> str:
    """What the form changes, in words; empty when nothing. Raises Invalid."""
    _check(session, account, before, wanted)
    parts = [
        f"name {wanted.name} instead of {before.name}" if wanted.name != before.name else "",
        f"email {wanted.email} instead of {before.email}" if wanted.email != before.email else "",
    ]
    if wanted.place != before.place:
        now, then = (session.get_one(DataCenter, int(one.place)).name for one in (wanted, before))
        parts.append(f"data center {now} instead of {then}")
    return "; ".join(part for part in parts if part)


def _check(session: Session, account: Account, before: SettingsForm, wanted: SettingsForm) -> None:
    key, own = normal_email(wanted.email), account.id or 0
    # The address of one of the account's own users is a good one for it.
    taken = account_has(session, key, but=own) or user_has(session, key, but_of=own)
    faults = {
        "name": name_fault(wanted.name, "a name"),
        "email": email_fault(wanted.email) or (TAKEN if taken else ""),
    }
    if wanted.place != before.place and wanted.place not in {one.value for one in _places(session, account)}:
        faults["place"] = (
            "Data is stored already: the data center stays." if before.place else "Choose one of the list."
        )
    if found := {field: sentence for field, sentence in faults.items() if sentence}:
        raise Invalid(**found)


def _write(session: Session, account: Account, wanted: SettingsForm) -> None:
    account.name, account.name_key = wanted.name, fold(wanted.name)
    account.email, account.email_key = wanted.email, normal_email(wanted.email)
    account.data_center_id = int(wanted.place) if wanted.place else None
    session.add(account)
    try:
        session.flush()
    except IntegrityError:
        # Somebody else took the address between the check and now; the constraint decided.
        raise Invalid(email=TAKEN) from None


def _places(session: Session, account: Account) -> tuple[Choice, ...]:
    """The data centres to choose from; none once something is stored, or where the storage is the customer's own."""
    if account.storage_kind != StorageKind.DATA_CENTER or _has_data(session, account.id or 0):
        return ()
    wanted = select(DataCenter).where(col(DataCenter.active).is_(True)).order_by(col(DataCenter.position))
    return tuple(Choice(str(center.id), center.name) for center in session.exec(wanted))


def _has_data(session: Session, account_id: int) -> bool:
    """Whether anything is stored, or may be at this moment."""
    stored = (
        select(BackupRun.id).where(BackupRun.account_id == account_id),
        select(BackupTask.id).where(BackupTask.account_id == account_id, BackupTask.vault != ""),
        select(Job.id).where(Job.account_id == account_id, col(Job.state).in_((JobState.WAITING, JobState.RUNNING))),
    )
    return any(session.exec(one.limit(1)).first() is not None for one in stored)
