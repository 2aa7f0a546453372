"""The provider's storage locations: where accounts' backups are kept, and which of them new accounts may choose."""

import contextlib
import re
import secrets

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, or_

from portal_app import clock, db
from portal_app.accounts import data_centers, storage_credentials, storage_probe
from portal_app.accounts.storage_credentials import AwsS3, Azure, Credentials, S3Compatible
from portal_app.audit.service import record
from portal_app.audit.tags import Activity
from portal_app.auth.actor import Actor
from portal_app.backups.engine import storages
from portal_app.backups.engine.removal import FORGET
from portal_app.errors import Conflict, Invalid, NotFound
from portal_app.models import Account, BackupTask, DataCenter, Job, JobState, Partner, PlaceKind
from portal_app.operator.place_rows import Choice, Default, PlaceRow, PlaceUse, StorageForm
from portal_app.text import clean, name_fault

NO_PLACE = "There is no such storage location."
CHANGED = "Somebody else changed this location meanwhile. Look at it as it is now, then do it again."
LAST = "New accounts need a location to choose: this is the only open one."
_CODE = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
_FOLDER = re.compile(r"(?!\.)[A-Za-z0-9._-]{1,60}(?:/(?!\.)[A-Za-z0-9._-]{1,60}){0,3}")
_LONGEST_NAME, _LONGEST_PLACE = 80, 300
_NOT_DONE = (JobState.WAITING, JobState.RUNNING, JobState.FAILED)


def listed(session: Session, actor: Actor) -> list[PlaceRow]:
    """All locations in their order. Raises Denied."""
    actor.require_provider()
    return [PlaceRow(*_facts(center, *sums)) for center, *sums in session.execute(_rows())]


def one(session: Session, actor: Actor, code: str) -> PlaceUse:
    """A location by its code. Raises Denied and NotFound."""
    actor.require_provider()
    found = session.execute(_rows().where(col(DataCenter.code) == code)).first()
    if found is None:
        raise NotFound(NO_PLACE)
    center, *sums = found
    return PlaceUse(*_facts(center, *sums), _tasks(session, center), _partners(session, center))


def add(actor: Actor, code: str, name: str, storage: StorageForm) -> str:
    """Try the storage, then save the location, the last of the list; gives its code.

    Blocking for up to the storage's 15 seconds; no lock is held meanwhile. Raises Denied, and Invalid by the fields
    `code`, `name`, `folder` and those of the storage.
    """
    actor.require_provider()
    code, name = clean(code).lower(), clean(name)
    faults = {
        "code": "" if _CODE.fullmatch(code) else "Use 1 to 40 small letters, digits and -, such as eu-paris.",
        "name": _name_fault(name),
    }
    credentials, place = _checked(storage, code, faults)
    _try(credentials, place)
    try:
        db.write(_save_new, actor, DataCenter(code=code, name=name, kind=storage.kind, place=place), credentials)
    except IntegrityError:
        raise _taken(db.read(_has_code, code)) from None
    return code


def rename(session: Session, actor: Actor, code: str, mark: str, name: str) -> None:
    """Give the location another name. Raises Denied, NotFound, Invalid, and Conflict when `mark` is old."""
    center, name = _locked(session, actor, code, mark), clean(name)
    if fault := _name_fault(name):
        raise Invalid(name=fault)
    before, center.name = center.name, name
    try:
        session.flush()
    except IntegrityError:
        raise _taken(code=False) from None
    if before != name:
        _note(session, actor, center, f"renamed from {before} to {name}")


def move(session: Session, actor: Actor, code: str, by: int) -> None:
    """Put the location one place up (-1) or down (1) in the list. Raises Denied and NotFound."""
    centers = _all_locked(session, actor)
    at = next((n for n, center in enumerate(centers) if center.code == code), None)
    if at is None:
        raise NotFound(NO_PLACE)
    to = min(max(at + (1 if by > 0 else -1), 0), len(centers) - 1)
    if to == at:
        return
    centers.insert(to, centers.pop(at))
    for position, center in enumerate(centers, 1):
        center.position = position
    _note(session, actor, centers[to], f"moved to place {to + 1} of the list")


def retire(session: Session, actor: Actor, code: str, mark: str, *, partners: int) -> None:
    """Let no new account choose the location; those that are there stay, and are backed up as before.

    `partners`: of how many partners it is the default, as whoever asks knows; Conflict when it is another number.
    Raises Denied, NotFound, and Conflict when `mark` is old or it is the only open one.
    """
    centers = _all_locked(session, actor)
    center = _locked(session, actor, code, mark)
    if not center.active:
        return
    if sum(other.active for other in centers) == 1:
        raise Conflict(LAST)
    if _partners(session, center) != partners:
        raise Conflict(CHANGED)
    center.active = False
    _note(session, actor, center, "retired: new accounts can't choose it")


def reopen(session: Session, actor: Actor, code: str, mark: str) -> None:
    """Let new accounts choose the location again. Raises Denied, NotFound, and Conflict when `mark` is old."""
    center = _locked(session, actor, code, mark)
    if not center.active:
        center.active = True
        _note(session, actor, center, "opened again for new accounts")


def set_storage(actor: Actor, code: str, mark: str, storage: StorageForm) -> None:
    """Try another storage, or other keys to the same one, then keep the location's backups there.

    Blocking as `add`. Another storage only while the location holds no backups. Raises Denied, NotFound, Invalid by
    the storage's fields, and Conflict.
    """
    actor.require_provider()
    db.read(_may_move, actor, code, mark, storage)
    credentials, place = _checked(storage, code, {})
    _try(credentials, place)
    db.write(_save_storage, actor, code, mark, (storage.kind, place, credentials))


def check(actor: Actor, code: str) -> None:
    """Try the storage as it is saved. Blocking as `add`. Raises Denied, NotFound, Unreadable and Invalid."""
    actor.require_provider()
    center = db.read(_center, actor, code)
    _try(data_centers.credentials_of(center), center.place or center.code)
    db.write(_note_checked, actor, code)


def default_of(session: Session, actor: Actor, partner_code: str) -> Default:
    """Where a partner's new accounts begin. Raises Denied and NotFound."""
    partner = _partner(session, actor, partner_code)
    centers = session.scalars(select(DataCenter).where(col(DataCenter.active).is_(True)).order_by(*_ORDER)).all()
    code = next((one.code for one in centers if one.id == partner.default_data_center_id), "")
    return Default(code, [Choice(one.code, one.name) for one in centers])


def set_default(session: Session, actor: Actor, partner_code: str, code: str) -> str:
    """Let a partner's new accounts begin in this location; gives its name. Raises Denied, NotFound and Invalid."""
    partner = _partner(session, actor, partner_code, lock=True)
    wanted = select(DataCenter).where(col(DataCenter.code) == code, col(DataCenter.active).is_(True))
    center = session.scalars(wanted.with_for_update(read=True)).first()
    if center is None:
        raise Invalid(place="Choose one of the open locations.")
    if partner.default_data_center_id != center.id:
        partner.default_data_center_id = center.id
        session.add(partner)
        told = f"Default storage location of {partner.code}: {center.name}"
        for side in (None, partner.id):
            record(session, actor, Activity.SETTINGS_CHANGED, told, partner_id=side)
    return center.name


_ORDER = (col(DataCenter.position), col(DataCenter.id))


def _rows():
    sums = (
        select(
            col(Account.data_center_id).label("center"),
            func.count().label("accounts"),
            func.sum(Account.size_bytes).label("size"),
        )
        .group_by(col(Account.data_center_id))
        .subquery()
    )
    columns = (DataCenter, func.coalesce(sums.c.accounts, 0), func.coalesce(sums.c.size, 0))
    return select(*columns).outerjoin(sums, sums.c.center == col(DataCenter.id)).order_by(*_ORDER)


def _facts(center: DataCenter, accounts: int, size: int) -> tuple:
    return (
        center.id or 0,
        center.code,
        center.name,
        center.kind,
        center.place or center.code,
        center.active,
        center.checked_at,
        int(accounts),
        int(size),
        _mark(center),
    )


def _mark(center: DataCenter) -> str:
    """What is compared to tell whether a location changed since it was looked at: nothing of it is secret."""
    checked = center.checked_at.isoformat() if center.checked_at else ""
    return "|".join((center.name, center.kind, center.place, str(center.active), checked))


def _center(session: Session, actor: Actor, code: str, *, lock: bool = False) -> DataCenter:
    actor.require_provider()
    wanted = select(DataCenter).where(col(DataCenter.code) == code)
    found = session.scalars(wanted.with_for_update(key_share=True) if lock else wanted).first()
    if found is None:
        raise NotFound(NO_PLACE)
    return found


def _locked(session: Session, actor: Actor, code: str, mark: str) -> DataCenter:
    center = _center(session, actor, code, lock=True)
    if _mark(center) != mark:
        raise Conflict(CHANGED)
    return center


def _all_locked(session: Session, actor: Actor) -> list[DataCenter]:
    """All in their order: of two operators who sort or retire at once, the second sees what the first did."""
    actor.require_provider()
    return list(session.scalars(select(DataCenter).order_by(*_ORDER).with_for_update(key_share=True)))


def _partner(session: Session, actor: Actor, code: str, *, lock: bool = False) -> Partner:
    actor.require_provider()
    wanted = select(Partner).where(col(Partner.code) == code)
    found = session.scalars(wanted.with_for_update(key_share=True) if lock else wanted).first()
    if found is None:
        raise NotFound("There is no such partner.")
    return found


def _tasks(session: Session, center: DataCenter) -> int:
    """How many tasks have backups there, and how many deletions there are not done."""
    kept = (
        select(func.count())
        .select_from(BackupTask)
        .join(Account, col(Account.id) == col(BackupTask.account_id))
        .where(col(Account.data_center_id) == center.id, col(BackupTask.vault) != "")
    )
    going = select(func.count()).select_from(Job).where(col(Job.kind) == FORGET, col(Job.state).in_(_NOT_DONE))
    return (session.scalar(kept) or 0) + (session.scalar(going.where(_lies_in(center))) or 0)


def _lies_in(center: DataCenter) -> ColumnElement[bool]:
    where = Job.payload["storage"]  # type: ignore[index]
    folder = where["center"].as_string() == (center.place or center.code)
    return or_(where[storages.CENTER].as_integer() == center.id, folder)


def _partners(session: Session, center: DataCenter) -> int:
    mine = col(Partner.default_data_center_id) == center.id
    return session.scalar(select(func.count()).select_from(Partner).where(mine)) or 0


def _name_fault(name: str) -> str:
    long = f"Use at most {_LONGEST_NAME} characters." if len(name) > _LONGEST_NAME else ""
    return name_fault(name, "the location's name") or long


def _checked(storage: StorageForm, code: str, faults: dict[str, str]) -> tuple[Credentials | None, str]:
    """The credentials, and the place in words. Raises Invalid with all faults of the form."""
    credentials, place = None, ""
    if storage.kind == PlaceKind.FOLDER:
        place = storage.folder.strip() or code
        if not _FOLDER.fullmatch(place) and not faults.get("code"):
            faults["folder"] = "Use letters, digits, -, _ and ., and / between folders; none may begin with a dot."
    else:
        with _gathering(faults):
            credentials = storage_credentials.parse(storage.kind, storage.fields)
            place = place_of(credentials)
    if found := {name: fault for name, fault in faults.items() if fault}:
        raise Invalid(**found)
    return credentials, place


@contextlib.contextmanager
def _gathering(faults: dict[str, str]):
    try:
        yield
    except Invalid as refusal:
        faults |= refusal.fields


def place_of(credentials: Credentials) -> str:
    """Where the credentials lead, for people to recognise: the same text is the same place. Raises Invalid."""
    if isinstance(credentials, Azure):
        return f"{credentials.account_name}/{credentials.container}"
    if isinstance(credentials, AwsS3):
        return f"{credentials.bucket} ({credentials.region})"
    if not isinstance(credentials, S3Compatible):
        return credentials.bucket
    place = f"{credentials.endpoint_url}/{credentials.bucket}"
    if len(place) > _LONGEST_PLACE:
        raise Invalid(endpoint_url="This address is too long.")
    return place


def _try(credentials: Credentials | None, place: str) -> None:
    if credentials is None:
        _try_folder(place)
    else:
        storage_probe.probe(credentials, allow_private=data_centers.is_ours(credentials))


def _try_folder(place: str) -> None:
    folder, content = storages.center_folder(place), secrets.token_bytes(32)
    test = folder / f".portal-check-{secrets.token_hex(8)}"
    try:
        # By a link it could lie anywhere.
        if not folder.resolve().is_relative_to(storages.vault_root()):
            raise Invalid(folder="This folder leads out of the one for backups.")
        folder.mkdir(parents=True, exist_ok=True)
        test.write_bytes(content)
        is_whole = test.read_bytes() == content
        test.unlink()
    except OSError:
        is_whole = False
    if not is_whole:
        raise Invalid(folder="The portal can't write, read and delete a file in this folder.")


def _save_new(session: Session, actor: Actor, center: DataCenter, credentials: Credentials | None) -> None:
    center.position = (session.scalar(select(func.max(DataCenter.position))) or 0) + 1
    session.add(center)
    session.flush()
    _seal(center, credentials)
    _note(session, actor, center, f"added: {center.name}, {center.kind}, {center.place}")


def _may_move(session: Session, actor: Actor, code: str, mark: str, storage: StorageForm) -> None:
    """Refuse before the storage is tried what would be refused anyhow."""
    center = _center(session, actor, code)
    if _mark(center) != mark:
        raise Conflict(CHANGED)
    if storage.kind != center.kind:
        _refuse_held(session, center)


def _save_storage(
    session: Session, actor: Actor, code: str, mark: str, given: tuple[str, str, Credentials | None]
) -> None:
    kind, place, credentials = given
    center = _locked(session, actor, code, mark)
    is_same = (center.kind, center.place or center.code) == (kind, place)
    if not is_same:
        _refuse_held(session, center)
    center.kind, center.place = kind, place
    _seal(center, credentials)
    _note(session, actor, center, "storage given anew" if is_same else f"storage changed to {kind}, {place}")


def _refuse_held(session: Session, center: DataCenter) -> None:
    if tasks := _tasks(session, center):
        held = "1 backup task" if tasks == 1 else f"{tasks:,} backup tasks"
        raise Conflict(
            f"This location holds the backups of {held}, which would be lost to the portal elsewhere. "
            "Retire it and add another location for new accounts."
        )


def _seal(center: DataCenter, credentials: Credentials | None) -> None:
    center.sealed = data_centers.seal(center, credentials) if credentials else None
    center.checked_at = clock.now()


def _note_checked(session: Session, actor: Actor, code: str) -> None:
    center = _center(session, actor, code, lock=True)
    center.checked_at = clock.now()
    _note(session, actor, center, "storage checked")


def _note(session: Session, actor: Actor, center: DataCenter, what: str) -> None:
    session.add(center)
    record(session, actor, Activity.SETTINGS_CHANGED, f"Storage location {center.code} {what}")


def _has_code(session: Session, code: str) -> bool:
    return session.scalar(select(DataCenter.id).where(col(DataCenter.code) == code)) is not None


def _taken(code: bool) -> Invalid:
    return Invalid(code="Another location has this code.") if code else Invalid(name="Another location has this name.")
