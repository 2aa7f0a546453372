"""Importing from an existing portal: the form, the dry run that is kept, the import of just that."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, select
from sqlmodel import Session, col

from portal_app import clock, crypto, db
from portal_app.accounts.import_csv import counted
from portal_app.accounts.repository import in_scope
from portal_app.audit.service import record
from portal_app.audit.tags import Activity
from portal_app.auth.actor import Actor, ActorKind
from portal_app.auth.permissions import Permission, effective
from portal_app.errors import Conflict, Denied, Invalid, NotFound
from portal_app.jobs import queue
from portal_app.models import (
    Account,
    ImportedBill,
    Job,
    Partner,
    PartnerState,
    PortalImport,
    PortalImportState,
    User,
    UserState,
)
from portal_app.portal_import import choices, client, report
from portal_app.portal_import.choices import Choices, Order
from portal_app.portal_import.foreign import Credentials
from portal_app.portal_import.reading import understand
from portal_app.portal_import.report import Report

KIND = "portal import"
KEPT = timedelta(days=1)
NOT_FOUND = "There is no such import. A dry run is kept for a day, and only your last one."
BUSY = "An import of yours is under way. Wait for its end."
CHANGED = "Accounts changed since this dry run, and nothing was imported. Look at the new one below."
_WORKING = (PortalImportState.READING, PortalImportState.APPLYING)
_NEEDED = {
    "client_id": "Enter the client id.",
    "client_secret": "Enter the client secret.",
    "email": "Enter the email.",
    "password": "Enter the password.",
}


@dataclass(frozen=True, slots=True)
class Seen:
    """An import as its page shows it. `words` and `percent` tell how far a work under way is."""

    id: str
    source: str
    version: int
    state: str
    fault: str
    digest: str
    words: str
    percent: int
    choices: Choices


def begin(session: Session, actor: Actor, given: Mapping[str, Any]) -> str:
    """Read a portal for a dry run, in place of the user's last one. Gives the import's id. Raises Denied, Invalid."""
    actor.require(Permission.ACCOUNTS_ADD)
    if actor.user_id is None or actor.partner_id is None:
        raise Denied("Only a partner's own user can import accounts.")
    asked = credentials(given)
    session.execute(select(col(User.id)).where(col(User.id) == actor.user_id).with_for_update(key_share=True))
    prune(session)
    mine = col(PortalImport.user_id) == actor.user_id
    if session.scalar(select(col(PortalImport.id)).where(mine, col(PortalImport.state).in_(_WORKING))):
        raise Conflict(BUSY)
    session.execute(delete(PortalImport).where(mine))
    made = PortalImport(
        id=secrets.token_urlsafe(32),
        user_id=actor.user_id,
        partner_id=actor.partner_id,
        source=asked.source,
        version=asked.version,
        created_at=clock.now(),
    )
    made.sealed = crypto.seal(json.dumps(asdict(asked)).encode(), binding=_place(made))
    session.add(made)
    session.flush()
    _queue(session, actor, made, "read")
    return made.id


def credentials(given: Mapping[str, Any]) -> Credentials:
    """What was typed. Raises Invalid with a sentence for each field."""
    typed = {name: str(given.get(name) or "").strip() for name in ("url", "version", *_NEEDED)}
    faults = {name: sentence for name, sentence in _NEEDED.items() if not typed[name]}
    # They go into headers.
    for name in ("client_id", "client_secret"):
        if not typed[name].isascii() or not typed[name].isprintable() or len(typed[name]) > 1_000:
            faults[name] = "Use only letters, digits and signs of the keyboard."
    source = ""
    try:
        source = client.source_of(typed["url"])
    except Invalid as fault:
        faults |= fault.fields
    if typed["version"] not in ("1", "2"):
        faults["version"] = "Choose version 1 or 2."
    if faults:
        raise Invalid(**faults)
    return Credentials(source, int(typed["version"]), *(typed[name] for name in _NEEDED))


def find(session: Session, actor: Actor, import_id: str) -> Seen:
    """The user's own import, or NotFound: unknown, too old and a stranger's are the same."""
    actor.require(Permission.ACCOUNTS_ADD)
    row = _row(session, actor, import_id)
    job = session.get(Job, row.job_id) if row.job_id and row.state in _WORKING else None
    told = job.progress if job else {}
    kept = choices.kept(row.choices)
    words, percent = str(told.get("words", "")), int(told.get("percent", 0))
    return Seen(row.id, row.source, row.version, row.state, row.fault, row.digest, words, percent, kept)


def last(session: Session, actor: Actor) -> Seen | None:
    """The user's last import, if it is kept still."""
    actor.require(Permission.ACCOUNTS_ADD)
    found = session.scalar(select(col(PortalImport.id)).where(*_mine(actor)))
    return find(session, actor, found) if found else None


def dry_run(session: Session, actor: Actor, import_id: str) -> Report:
    """The kept dry run; after the import, what was done."""
    actor.require(Permission.ACCOUNTS_ADD)
    return report.report_of(_row(session, actor, import_id).report)


def choose(actor: Actor, import_id: str, given: Mapping[str, Any]) -> None:
    """Make the dry run anew with other choices. In seconds for a large portal: call it in a thread."""
    actor.require(Permission.ACCOUNTS_ADD)
    row = db.read(_ready, actor, import_id)
    centers = db.read(report.centers_of)
    chosen = choices.checked(given, choices.kept(row.choices), centers)
    found, order = report.found_of(row.found), Order(actor, row.source, chosen)
    made = db.read(report.make, order, understand(found), found.oddities, lambda _share: None)
    db.write(_keep_report, actor, import_id, chosen, made)


def start(session: Session, actor: Actor, import_id: str, digest: str) -> None:
    """Import what the dry run with this digest says. Twice is once. Raises NotFound, Conflict."""
    actor.require(Permission.ACCOUNTS_ADD)
    row = _row(session, actor, import_id, lock=True)
    if row.state in (PortalImportState.APPLYING, PortalImportState.DONE):
        return
    if row.state != PortalImportState.READY or row.digest != digest:
        raise Conflict(CHANGED)
    row.state, row.fault = PortalImportState.APPLYING, ""
    session.add(row)
    _queue(session, actor, row, "apply")


def forget(session: Session, actor: Actor, import_id: str) -> None:
    """Forget a dry run, and stop reading the portal. An import that has begun goes on."""
    actor.require(Permission.ACCOUNTS_ADD)
    row = _row(session, actor, import_id, lock=True)
    if row.state == PortalImportState.APPLYING:
        raise Conflict(BUSY)
    if row.job_id:
        queue.cancel(session, row.job_id)
    session.delete(row)


def prune(session: Session) -> None:
    """Forget what was read a day ago or more; the daily work calls this too."""
    old = col(PortalImport.created_at) <= clock.now() - KEPT
    session.execute(delete(PortalImport).where(old, col(PortalImport.state) != PortalImportState.APPLYING))


def bills(session: Session, actor: Actor, source: str, page: int, size: int) -> tuple[list[ImportedBill], int]:
    """Bills that were imported from a portal, of the accounts that the actor sees; the newest periods first."""
    actor.require(Permission.BILLING_VIEW)
    return _bills(session, actor, col(ImportedBill.source) == source, page, size)


def bills_of(session: Session, actor: Actor, account_id: int, most: int) -> list[ImportedBill]:
    """The newest bills that were imported of an account, if the actor sees it."""
    actor.require(Permission.BILLING_VIEW)
    return _bills(session, actor, col(ImportedBill.account_id) == account_id, 1, most)[0]


def audit_done(session: Session, actor: Actor, source: str, totals: Mapping[str, int], failed: int) -> None:
    """Write into the audit what an import did."""
    added, changed = totals.get("add", 0), totals.get("change", 0)
    words = f"Imported from {source}: {counted(added)} added, {changed:,} changed, {failed:,} failed."
    record(session, actor, Activity.ACCOUNT_ADDED, words, partner_id=actor.partner_id)


def actor_of(session: Session, user_id: int) -> Actor:
    """The person who asked for an import, with the rights they have now. Raises Denied."""
    user = session.get(User, user_id)
    partner = session.get(Partner, user.partner_id) if user and user.partner_id else None
    if user is None or partner is None or user.state != UserState.ACTIVE or partner.state != PartnerState.ACTIVE:
        raise Denied("Whoever asked for this import can't sign in any more.")
    found = Actor(
        kind=ActorKind.PARTNER,
        user_id=user.id,
        partner_id=partner.id,
        email=user.email,
        name=user.name,
        permissions=effective(user.role, user.permissions),
        all_accounts=user.all_accounts,
        currency=partner.currency,
        time_zone=partner.time_zone,
    )
    found.require(Permission.ACCOUNTS_ADD)
    return found


def opened(row: PortalImport) -> Credentials:
    """The credentials of an import whose portal is still to be read."""
    return Credentials(**json.loads(crypto.unseal(row.sealed or b"", binding=_place(row))))


def _bills(session: Session, actor: Actor, which: Any, page: int, size: int) -> tuple[list[ImportedBill], int]:
    mine = select(ImportedBill).where(col(ImportedBill.partner_id) == actor.partner_id, which)
    if not actor.all_accounts:
        mine = mine.where(col(ImportedBill.account_id).in_(select(col(Account.id)).where(in_scope(actor))))
    order = (col(ImportedBill.period).desc(), col(ImportedBill.name), col(ImportedBill.id))
    found = session.scalars(mine.order_by(*order).offset((page - 1) * size).limit(size))
    return list(found), session.scalar(select(func.count()).select_from(mine.subquery())) or 0


def _ready(session: Session, actor: Actor, import_id: str) -> PortalImport:
    row = _row(session, actor, import_id)
    if row.state != PortalImportState.READY:
        raise Conflict(BUSY)
    return row


def _keep_report(session: Session, actor: Actor, import_id: str, chosen: Choices, made: Report) -> None:
    row = _row(session, actor, import_id, lock=True)
    if row.state != PortalImportState.READY:
        raise Conflict(BUSY)
    row.choices, row.report, row.digest, row.fault = chosen.as_json(), report.packed(made), made.digest, ""
    session.add(row)


def _queue(session: Session, actor: Actor, row: PortalImport, what: str) -> None:
    payload = {"import": row.id, "do": what}
    row.job_id = queue.add(session, actor, KIND, partner_id=row.partner_id, payload=payload)
    session.add(row)


def _mine(actor: Actor) -> tuple[Any, ...]:
    return (
        col(PortalImport.user_id) == actor.user_id,
        col(PortalImport.partner_id) == actor.partner_id,
        col(PortalImport.created_at) > clock.now() - KEPT,
    )


def _row(session: Session, actor: Actor, import_id: str, *, lock: bool = False) -> PortalImport:
    wanted = select(PortalImport).where(col(PortalImport.id) == import_id, *_mine(actor))
    found = session.scalars(wanted.with_for_update() if lock else wanted).first()
    if found is None:
        raise NotFound(NOT_FOUND)
    return found


def _place(row: PortalImport) -> str:
    return crypto.binding(row.partner_id, "portal_import", row.id, "sealed")
