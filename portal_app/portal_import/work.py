"""The jobs of an import: read the portal and make the dry run; import what it said. And the same in one go."""

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from sqlmodel import Session

from portal_app import db
from portal_app.accounts.import_csv import counted
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.errors import Conflict, Invalid, PortalError
from portal_app.jobs import queue
from portal_app.jobs.worker import BROKEN, Canceled, Work
from portal_app.models import PortalImport, PortalImportState
from portal_app.portal_import import applying, choices, client, report, service
from portal_app.portal_import.choices import Choices, Order
from portal_app.portal_import.foreign import Credentials, Found
from portal_app.portal_import.reading import Portal, understand
from portal_app.portal_import.report import Report

log = logging.getLogger(__name__)
SIGNING_IN = "Signing in to the portal …"
_NOUNS = {"accounts": "account", "tasks": "task", "states": "state", "bills": "bill"}
# How the time of a reading divides; nobody knows beforehand how long each list is.
_SHARES = {"accounts": 10, "tasks": 25, "states": 40, "bills": 75}
Tell = Callable[[int, str], None]


def handle(work: Work) -> dict[str, Any]:
    """One job: `do` says which."""
    import_id = str(work.job.payload.get("import", ""))
    row = db.read(lambda session: session.get(PortalImport, import_id))
    if row is None or row.job_id != work.job.id:
        raise Canceled
    do = _read if work.job.payload.get("do") == "read" else _apply
    try:
        do(work, row)
    except (Canceled, queue.Lost):
        raise
    except PortalError as fault:
        db.write(_failed, work, row.id, told(fault))
        raise
    except Exception:
        db.write(_failed, work, row.id, BROKEN)
        raise
    return {}


def told(fault: PortalError) -> str:
    """The fault's sentences in a row."""
    fields = fault.fields.values() if isinstance(fault, Invalid) else ()
    return " ".join([fault.sentence, *fields] if not fields or fault.sentence != Invalid().sentence else fields)


def read(actor: Actor, given: Credentials, tell: Tell) -> tuple[Found, Portal, Choices]:
    """Everything of a portal, and the choices that a dry run begins with."""
    tell(2, SIGNING_IN)
    on_step = lambda kind, number: tell(_SHARES[kind], f"Reading: {counted(number, _NOUNS[kind])} so far …")  # noqa: E731
    found = client.read(given, on_step)
    portal = understand(found)
    return found, portal, db.read(_first, actor, portal)


def _first(session: Session, actor: Actor, portal: Portal) -> Choices:
    return choices.first(portal.customers, report.partner_of(session, actor), report.centers_of(session))


def compare(order: Order, found: Found, portal: Portal, tell: Tell) -> Report:
    """The dry run."""
    on = lambda share: tell(80 + round(share * 20), "Comparing with what is here …")  # noqa: E731
    return db.read(report.make, order, portal, found.oddities, on)


def _read(work: Work, row: PortalImport) -> None:
    if row.state != PortalImportState.READING:
        return
    actor = db.read(service.actor_of, row.user_id)
    tell = partial(_tell, work)
    found, portal, chosen = read(actor, service.opened(row), tell)
    made = compare(Order(actor, row.source, chosen), found, portal, tell)
    kept = {"found": report.packed(found), "report": report.packed(made), "digest": made.digest}
    kept |= {"choices": chosen.as_json(), "state": PortalImportState.READY}
    db.write(_change, work, row.id, kept)


def _apply(work: Work, row: PortalImport) -> None:
    if row.state != PortalImportState.APPLYING:
        return
    actor, tell = db.read(service.actor_of, row.user_id), partial(_tell, work)
    found, order = report.found_of(row.found), Order(actor, row.source, choices.kept(row.choices))
    portal = understand(found)
    made = report.report_of(row.report)
    # Whoever goes on with an import that was begun finds a part of it done.
    if work.job.attempts == 1:
        now = compare(order, found, portal, tell)
        if now.digest != row.digest:
            again = {"report": report.packed(now), "digest": now.digest, "state": PortalImportState.READY}
            db.write(_change, work, row.id, again | {"fault": service.CHANGED})
            return
    made.failed = import_all(order, portal, made, fence=partial(_fence, work), tell=tell)
    db.write(_change, work, row.id, {"report": report.packed(made), "state": PortalImportState.DONE, "found": b""})


def import_all(order: Order, portal: Portal, made: Report, *, fence: applying.Fence, tell: Tell) -> list[list[str]]:
    """Import everything, and write into the audit how it went. Gives those that failed."""
    order.actor.require(Permission.ACCOUNTS_ADD)
    total = counted(len(portal.customers))
    on = lambda share: tell(round(share * 100), f"Importing {total} …")  # noqa: E731
    failed = applying.apply(order, portal, fence=fence, on=on)
    db.write(service.audit_done, order.actor, order.source, made.totals, len(failed))
    return failed


def _tell(work: Work, percent: int, words: str) -> None:
    work.check()
    work.progress = {"percent": percent, "words": words, "bytes": 0}


def _fence(work: Work, session: Session) -> None:
    queue.beat(session, work.job)


def _failed(session: Session, work: Work, import_id: str, sentence: str) -> None:
    _change(session, work, import_id, {"state": PortalImportState.FAILED, "fault": sentence[:500]})


def _change(session: Session, work: Work, import_id: str, values: dict[str, Any]) -> None:
    """Keep how the job ended, as long as it is this worker's; the credentials have done their work by then."""
    queue.beat(session, work.job)
    row = session.get(PortalImport, import_id, with_for_update=True)
    if row is None:
        raise Conflict(service.NOT_FOUND)
    for name, value in values.items():
        setattr(row, name, value)
    row.sealed = None
    session.add(row)
