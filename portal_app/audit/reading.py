"""Reads the audit: a page of it, or all that a filter finds as CSV."""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from portal_app.accounts import repository as accounts
from portal_app.audit import repository
from portal_app.audit.query import AuditQuery, Mark
from portal_app.audit.repository import COUNT_CAP, Found
from portal_app.audit.rows import AuditPage, AuditRow
from portal_app.audit.service import record
from portal_app.audit.tags import Activity
from portal_app.auth.actor import Actor, ActorKind
from portal_app.auth.permissions import Permission
from portal_app.csv_out import safe
from portal_app.errors import NotFound
from portal_app.models import Partner
from portal_app.text import holding, searchable

# More accounts or people than these are no longer looked up one by one.
MOST_NAMED = 50
EXPORTED_AT_ONCE = 2_000
HEADER = (
    "Date (UTC)",
    "Date",
    "User Activity",
    "Status",
    "Account",
    "Performed By",
    "Description",
    "Address",
    "Browser",
)


@dataclass(frozen=True, slots=True)
class Export:
    """What an export holds: the rows that match, up to the last one there was when it was asked for."""

    query: AuditQuery
    found: Found
    last: int


def page(session: Session, actor: Actor, query: AuditQuery) -> AuditPage:
    """One page of the audit. Raises Denied, and NotFound for a partner that is not there."""
    actor = _reader(session, actor, query)
    found, note = _look_up(session, actor, query)
    if note:
        return AuditPage([], 0, False, False, False, note)
    rows, count = repository.page(session, actor, query, found, query.size + 1)
    if query.after and len(rows) <= query.size:
        # The newest page is always a full one.
        query = query.unplaced()
        rows, count = repository.page(session, actor, query, found, query.size + 1)
    over = len(rows) > query.size
    shown = (rows[1:] if query.after else rows[:-1]) if over else rows
    capped = count > COUNT_CAP and (query.narrowed or not actor.all_accounts)
    return AuditPage(
        rows=shown,
        matching=COUNT_CAP if capped else count,
        more=capped,
        older=over or query.after is not None,
        newer=query.before is not None or (over and query.after is not None),
        note="",
    )


def part(
    session: Session, actor: Actor, query: AuditQuery, before: Mark | None, limit: int
) -> tuple[list[AuditRow], str]:
    """The next rows before a place, the newest first, and why there are none if a filter is at fault. Raises Denied."""
    actor.require(Permission.AUDIT_VIEW)
    found, note = _look_up(session, actor, query)
    if note:
        return [], note
    last = repository.end_of(session, actor)
    return repository.part(session, actor, replace(query, before=before, after=None), found, limit, last=last), ""


def people(session: Session, actor: Actor) -> list[str]:
    """Some of the partner's own users (of the provider's people for an operator), to choose from."""
    actor = _reader(session, actor, AuditQuery())
    return repository.colleagues(session, actor, MOST_NAMED)


def begin_export(session: Session, actor: Actor, query: AuditQuery) -> Export:
    """Write into the audit that its rows are taken out, and say which these are. Raises Denied, NotFound."""
    operator, actor = actor, _reader(session, actor, query)
    found, note = _look_up(session, actor, query)
    found = Found(accounts=[], people=[]) if note else found
    asked = ", ".join(f"{name} {value}" for name, value in query.filters().items() if value.strip())
    words = f"Security audit as CSV ({asked or 'all'})"
    record(session, actor, Activity.DATA_EXPORT, words)
    if operator.partner_id != actor.partner_id:
        record(session, operator, Activity.DATA_EXPORT, words)
    return Export(query.unplaced(), found, repository.end_of(session, actor))


def export_part(session: Session, actor: Actor, export: Export, last: AuditRow | None) -> list[AuditRow]:
    """The next rows of the export, the newest first; none at its end. Raises Denied.

    Rows are only ever added, each with a higher number: up to a number the audit is the same at any later moment, and
    no transaction needs to stay open.
    """
    actor = _reader(session, actor, export.query)
    query = replace(export.query, before=last.mark if last else None)
    return repository.part(session, actor, query, export.found, EXPORTED_AT_ONCE, last=export.last)


def as_csv(rows: Iterable[AuditRow], time_zone: str) -> bytes:
    """The rows as lines of CSV (RFC 4180)."""
    zone, out = ZoneInfo(time_zone), io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerows(_cells(row, zone) for row in rows)
    return out.getvalue().encode("utf-8", "replace")


def _cells(row: AuditRow, zone: ZoneInfo) -> Iterator[str]:
    yield row.made_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    yield row.made_at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S%z")
    yield row.activity
    yield "Completed" if row.completed else "Failed"
    yield from map(safe, (row.account_name, row.performed_by, row.description, row.address, row.browser))


def _reader(session: Session, actor: Actor, query: AuditQuery) -> Actor:
    """Who may read whose audit: a partner's people their own; an operator the provider's, or the one asked for.

    Raises Denied, NotFound.
    """
    if actor.kind != ActorKind.OPERATOR:
        actor.require(Permission.AUDIT_VIEW)
        return actor
    if not query.partner:
        return replace(actor, partner_id=None, all_accounts=True)
    partner_id = session.scalar(select(col(Partner.id)).where(col(Partner.code) == query.partner))
    if partner_id is None:
        raise NotFound(f"There is no partner {query.partner}.")
    return replace(actor, partner_id=partner_id, all_accounts=True)


def _look_up(session: Session, actor: Actor, query: AuditQuery) -> tuple[Found, str]:
    """What the query's words stand for, or a sentence when they stand for too many."""
    account, user = searchable(query.account), query.user.strip()
    provider = repository.is_provider(actor)
    ids = _account_ids(session, actor, account) if account and not provider else None
    if ids is not None and len(ids) > MOST_NAMED:
        return Found(), f"More than {MOST_NAMED} accounts match “{query.account}”. Type more of the name."
    names = repository.performers(session, actor, user) if user else None
    if names is not None and len(names) > MOST_NAMED:
        return Found(), f"More than {MOST_NAMED} people match “{query.user}”. Type more of the address."
    return Found(ids, names, holding(account.lower()) if account and provider else None), ""


def _account_ids(session: Session, actor: Actor, words: str) -> list[int]:
    """Accounts of now and of the past; one whose name or email is just that stands alone."""
    living = accounts.named(session, actor, words, MOST_NAMED + 1)
    exact = [account_id for account_id, is_just_that in living if is_just_that]
    gone = repository.deleted_accounts(session, actor, words, MOST_NAMED + 1)
    return exact or [account_id for account_id, _ in living] + gone
