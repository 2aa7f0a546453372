"""Importing many accounts: the uploaded file, its check against the database, saving it."""

import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from anyio import CapacityLimiter
from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlmodel import Session, col

from portal_app import clock, db
from portal_app.accounts import adding, import_csv
from portal_app.accounts.import_csv import SUBSCRIPTIONS, Checked, Fault, Known, OnStep
from portal_app.accounts.import_save import Taken, parts, save_rows, taken
from portal_app.auth.actor import Actor, system
from portal_app.auth.permissions import Permission
from portal_app.errors import Conflict, Denied, Invalid, NotFound
from portal_app.models import (
    AccountImport,
    DataCenter,
    ImportState,
    Partner,
    SubscriptionType,
    User,
)
from portal_app.text import NAME_LENGTH, clean, fold, has_control

MOST_BYTES = 10 * 1024 * 1024
TOO_LARGE = "The file is larger than 10 MB. Split it into several files."
KEPT = timedelta(days=1)
NOT_FOUND = "There is no such import. Uploaded files are kept for a day, and only your last one."
BUSY = "Others are saving at the moment, and the import could not begin. Nothing was imported: please try again."
CHANGED = "Accounts changed while the file was imported. Nothing was imported: please try again."

# How the time of a whole import divides: rows, addresses in the database, then saving.
_ROWS, _ADDRESSES = 0.8, 0.2
_CHECKING = 0.3

# Checking the largest file keeps one processor busy for seconds: others' events must find one free.
ONE_AT_A_TIME = CapacityLimiter(1)
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Upload:
    """An uploaded file. `accounts` is how many it became, once it is done."""

    job: str
    file_name: str
    created_at: datetime
    done: bool
    accounts: int


@dataclass(frozen=True, slots=True)
class Form:
    """The data centers, what an empty cell means, and a file that was uploaded and not imported."""

    places: tuple[str, ...]
    place: str
    subscription: str
    left: Upload | None


@dataclass(frozen=True, slots=True)
class Saved:
    """How a save ended: with faults nothing was saved; `before` says that an earlier click had saved it."""

    accounts: int = 0
    before: bool = False
    faults: list[Fault] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class FileImport:
    """What the command line tells of a file."""

    accounts: int
    faults: list[Fault]
    encoding: str
    saved: bool


def put(session: Session, actor: Actor, file_name: str, content: bytes) -> str:
    """Keep a file in place of the user's last one. Gives the import's id. Raises Denied, and Invalid when too large."""
    actor.require(Permission.ACCOUNTS_ADD)
    if actor.user_id is None or actor.partner_id is None:
        raise Denied("Only a partner's own user can upload accounts.")
    if len(content) > MOST_BYTES:
        raise Invalid(TOO_LARGE)
    # Two uploads of one user at the same moment: the second waits here, and replaces the first.
    session.execute(select(col(User.id)).where(col(User.id) == actor.user_id).with_for_update(key_share=True))
    prune(session)
    session.execute(delete(AccountImport).where(col(AccountImport.user_id) == actor.user_id))
    new = AccountImport(
        id=secrets.token_urlsafe(32),
        user_id=actor.user_id,
        partner_id=actor.partner_id,
        file_name=_file_name(file_name),
        content=content,
        created_at=clock.now(),
    )
    session.add(new)
    return new.id


def prune(session: Session) -> None:
    """Forget files that were uploaded a day ago or more; the daily work calls this too."""
    session.execute(delete(AccountImport).where(col(AccountImport.created_at) <= clock.now() - KEPT))


def find(session: Session, actor: Actor, job: str) -> Upload:
    """The user's own import, or NotFound: unknown, too old and a stranger's are the same."""
    actor.require(Permission.ACCOUNTS_ADD)
    found = session.execute(_uploads(actor).where(_is(job))).first()
    if found is None:
        raise NotFound(NOT_FOUND)
    return _upload(found)


def _is(job: str) -> ColumnElement[bool]:
    # PostgreSQL takes no NUL.
    return col(AccountImport.id) == job.replace("\0", "")


def cancel(session: Session, actor: Actor, job: str) -> None:
    """Forget a file that was not imported yet."""
    actor.require(Permission.ACCOUNTS_ADD)
    waiting = col(AccountImport.state) == ImportState.WAITING
    session.execute(delete(AccountImport).where(_is(job), *_mine(actor), waiting))


def form(session: Session, actor: Actor) -> Form:
    """What the page tells about the columns, and the file that the user left."""
    actor.require(Permission.ACCOUNTS_ADD)
    known = _known(session, actor)
    waiting = _uploads(actor).where(col(AccountImport.state) == ImportState.WAITING)
    left = session.execute(waiting).first()
    return Form(
        tuple(known.place_names.values()),
        known.place_names[known.default_place],
        next(label for label, kind in SUBSCRIPTIONS.items() if kind == known.default_subscription),
        _upload(left) if left else None,
    )


def check(actor: Actor, job: str, on_step: OnStep) -> Checked:
    """Every fault of the uploaded file, in seconds for the largest one: call it in a thread."""
    actor.require(Permission.ACCOUNTS_ADD)
    content, known = db.read(_content, actor, job), db.read(_known, actor)
    return _check(content, known, on_step)


def save(actor: Actor, job: str, on_step: OnStep) -> Saved:
    """Check once more, and save all of it or nothing. In seconds for the largest file: call it in a thread."""
    checked = check(actor, job, lambda share: on_step(share * _CHECKING))
    if checked.faults:
        done = db.read(find, actor, job)
        return Saved(done.accounts, before=True) if done.done else Saved(faults=checked.faults)
    try:
        return _try(_save_job, actor, job, checked, lambda share: on_step(_CHECKING + share * (1 - _CHECKING)))
    except Taken:
        return _refused(check(actor, job, _silent))


def import_file(path: Path, partner_code: str, dry_run: bool, by: Actor | None = None) -> FileImport:
    """Check a file for a partner, and save it whole unless it has faults or this is a dry run.

    `by` is who asks; the portal itself unless given. Raises NotFound for an unknown partner, Invalid when too large.
    """
    actor = db.read(for_partner, by or system(), partner_code)
    actor.require(Permission.ACCOUNTS_ADD)
    if path.stat().st_size > MOST_BYTES:
        raise Invalid(TOO_LARGE)
    known, content = db.read(_known, actor), path.read_bytes()
    checked = _check(content, known, _silent)
    if not checked.faults and not dry_run:
        try:
            _try(save_rows, actor, checked.rows, _file_name(path.name), _silent)
        except Taken:
            checked = replace(checked, faults=_refused(_check(content, known, _silent)).faults)
    saved = not checked.faults and not dry_run
    return FileImport(checked.total, checked.faults, checked.encoding, saved)


def _silent(_share: float) -> None:
    """Nobody watches."""


def _try(do: Any, *given: Any) -> Any:
    """One unit of work; Taken when the database itself found an address taken."""
    try:
        return db.write(do, *given)
    except IntegrityError:
        raise Taken from None
    except OperationalError as fault:
        log.warning("an import could not be saved: %s", type(fault.orig).__name__)
        raise Conflict(BUSY) from None


def _refused(again: Checked) -> Saved:
    if not again.faults:
        raise Conflict(CHANGED)
    return Saved(faults=again.faults)


def _check(content: bytes, known: Known, on_step: OnStep) -> Checked:
    checked = import_csv.check(content, known, lambda share: on_step(share * _ROWS))
    checked.faults += db.read(_taken_faults, checked.emails, lambda share: on_step(_ROWS + share * _ADDRESSES))
    checked.faults.sort(key=lambda fault: fault.row)
    on_step(1)
    return checked


def _taken_faults(session: Session, emails: Mapping[str, tuple[int, str]], on_step: OnStep) -> list[Fault]:
    faults: list[Fault] = []
    for done, keys in parts(list(emails)):
        on_step(done / len(emails))
        for key in taken(session, keys):
            row, email = emails[key]
            faults.append(Fault(row, import_csv.EMAIL, email, adding.TAKEN))
    return faults


def _save_job(session: Session, actor: Actor, job: str, checked: Checked, on_step: OnStep) -> Saved:
    mine = (_is(job), *_mine(actor))
    # Whoever clicks twice, or in two tabs, waits here and then finds it done.
    found = session.execute(
        select(AccountImport.state, AccountImport.accounts, AccountImport.file_name).where(*mine).with_for_update()
    ).first()
    if found is None:
        raise NotFound(NOT_FOUND)
    if found.state == ImportState.DONE:
        return Saved(found.accounts, before=True)
    save_rows(session, actor, checked.rows, found.file_name, on_step)
    done = {"state": ImportState.DONE, "accounts": len(checked.rows), "content": b""}
    session.execute(update(AccountImport).where(*mine).values(done))
    return Saved(len(checked.rows))


def _known(session: Session, actor: Actor) -> Known:
    partner = session.get(Partner, actor.partner_id) if actor.partner_id is not None else None
    active = select(DataCenter).where(col(DataCenter.active).is_(True)).order_by(col(DataCenter.position))
    centers = session.scalars(active).all()
    if partner is None or not centers:
        raise Conflict("No data center is open for new accounts.")
    names = {center.id or 0: clean(center.name) for center in centers}
    places = {fold(center.code): center.id or 0 for center in centers}
    places |= {fold(name): number for number, name in names.items()}
    default = partner.default_data_center_id
    return Known(
        places,
        names,
        default if default in names else next(iter(names)),
        SubscriptionType(partner.default_subscription),
    )


def for_partner(session: Session, by: Actor, code: str) -> Actor:
    """The one who asks, for the partner of this code. Raises NotFound."""
    found = session.scalar(select(col(Partner.id)).where(col(Partner.code) == code.strip().upper()))
    if found is None:
        raise NotFound(f"There is no partner {code.strip().upper()}.")
    return replace(by, partner_id=found)


def _mine(actor: Actor) -> tuple[Any, ...]:
    return (
        col(AccountImport.user_id) == actor.user_id,
        col(AccountImport.partner_id) == actor.partner_id,
        col(AccountImport.created_at) > clock.now() - KEPT,
    )


def _uploads(actor: Actor) -> Any:
    kept = AccountImport
    return select(kept.id, kept.file_name, kept.created_at, kept.state, kept.accounts).where(*_mine(actor))


def _upload(row: Any) -> Upload:
    return Upload(row.id, row.file_name, row.created_at, row.state == ImportState.DONE, row.accounts)


def _content(session: Session, actor: Actor, job: str) -> bytes:
    content = session.scalar(select(col(AccountImport.content)).where(_is(job), *_mine(actor)))
    if content is None:
        raise NotFound(NOT_FOUND)
    return content


def _file_name(given: str) -> str:
    """The name of the file alone, as it may be shown and kept."""
    last_part = given.replace("\\", "/").rpartition("/")[2]
    shown = clean("".join(char for char in last_part if not has_control(char)))
    return shown[:NAME_LENGTH] or "file"
