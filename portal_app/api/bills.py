"""Bills: GET /api/v1/bills, bills/{number}, bills/{number}/lines, and the documents .pdf and .csv."""

from datetime import date
from typing import Annotated, Any

from fastapi import FastAPI, Path, Query, Response
from pydantic import BaseModel, Field
from sqlmodel import Session

from portal_app import clock, db
from portal_app.api import repository
from portal_app.api.answers import Amount, Answers, Id, reading
from portal_app.api.pages import Asked, Page, Turned
from portal_app.api.policy import Caller, requires
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.billing import document_reading, downloads
from portal_app.billing.access import NO_SUCH_BILL
from portal_app.billing.bill_rows import BillRow
from portal_app.errors import NotFound
from portal_app.models import BillingMethod, BillingStatus, BillKind, BillLine, Plan


def add_to(app: FastAPI) -> None:
    """Put the routes of this module into the app."""
    app.get("/v1/bills", responses=reading())(list_bills)
    # Before the shorter one, which would take the ending for a part of the number.
    for ending in downloads.MEDIA:
        path = f"/v1/bills/{{number}}.{ending}"
        responses = reading(one=True) | _file(ending)
        app.get(path, responses=responses, response_class=Response, name=f"get_bill_{ending}")(_download(ending))
    app.get("/v1/bills/{number}", responses=reading(one=True))(get_bill)
    app.get("/v1/bills/{number}/lines", responses=reading(one=True))(list_bill_lines)


def _file(ending: str) -> Answers:
    media = downloads.MEDIA[ending].partition(";")[0]
    content = {media: {"schema": {"type": "string", "format": "binary"}}}
    return {200: {"description": "The file.", "content": content}}


class BillAsked(Asked):
    """Which bills."""

    status: BillingStatus | None = Field(
        None, description="Only those that are `due`, `overdue`, or `current`: nothing is owed on them."
    )


class BillOut(BaseModel):
    """A bill, or a credit note."""

    number: int = Field(description="Its reference number.")
    kind: BillKind = Field(description="What it is.")
    account_id: int | None = Field(description="The account that it is for; null on a consolidated bill.")
    account_name: str = Field(description="The account's name as it was; empty on a consolidated bill.")
    plan: Plan = Field(description="The plan that it bills.")
    method: BillingMethod = Field(description="How it is paid.")
    status: BillingStatus = Field(description="`due`, `overdue`, or `current`: nothing is owed on it.")
    issued: date = Field(description="The day of issue.")
    due: date = Field(description="The day by which it is to be paid.")
    amount: Amount = Field(description="The total, tax included; a credit note's is below zero.")
    open: Amount = Field(description="What is still to be paid.")


class BillLineOut(BaseModel):
    """A line of a bill, without tax."""

    position: int = Field(description="Its place on the bill.")
    account_id: int = Field(description="The account that it is of.")
    account_name: str = Field(description="The account's name as it was.")
    description: str = Field(description="What is billed.")
    service: str = Field(description="The service, where the line is of one.")
    starts: date = Field(description="The first day.")
    ends: date = Field(description="The day after the last.")
    quantity_milli: int = Field(description="How much, in thousandths of the unit: 12 mailboxes are 12000.")
    unit: str = Field(description="What is counted; empty where nothing is.")
    unit_price: Amount | None = Field(description="What one costs; null where the tiers' prices differ.")
    amount: Amount = Field(description="What it comes to.")


@requires(Permission.BILLING_VIEW)
async def list_bills(asked: Annotated[BillAsked, Query()], actor: Caller, turn: Turned) -> Page[BillOut]:
    """List the bills, the newest first."""
    rows = await db.look(_read, actor, asked)
    return turn.page(rows, asked.limit, _shown, lambda row: (row.number,))


def _read(session: Session, actor: Actor, asked: BillAsked) -> list[BillRow]:
    actor.require(Permission.BILLING_VIEW)
    below = asked.place()
    rows = repository.bill_rows(
        session,
        actor,
        today=clock.day_in(actor.time_zone),
        status=asked.status or "",
        below=below[0] if below else None,
        limit=asked.limit + 1,
    )
    return [BillRow(*row) for row in rows]


@requires(Permission.BILLING_VIEW)
async def get_bill(number: Id, actor: Caller) -> BillOut:
    """Get one bill by its reference number."""
    return _shown(await db.look(_get, actor, number))


def _get(session: Session, actor: Actor, number: int) -> BillRow:
    actor.require(Permission.BILLING_VIEW)
    found = repository.bill_row(session, actor, clock.day_in(actor.time_zone), number)
    if found is None:
        raise NotFound(NO_SUCH_BILL)
    return BillRow(*found)


@requires(Permission.BILLING_VIEW)
async def list_bill_lines(
    number: Id, asked: Annotated[Asked, Query()], actor: Caller, turn: Turned
) -> Page[BillLineOut]:
    """List the lines of a bill, as they stand on it."""
    bill, lines = await db.look(_lines, actor, number, asked)
    return turn.page(lines, asked.limit, lambda line: _line(bill, line), lambda line: (line.position,))


def _lines(session: Session, actor: Actor, number: int, asked: Asked) -> tuple[BillRow, Any]:
    bill, after = _get(session, actor, number), asked.place()
    if not bill.whole:
        raise NotFound(NO_SUCH_BILL)
    return bill, repository.bill_lines(session, bill.id, after[0] if after else None, asked.limit + 1)


def _download(ending: str) -> Any:
    @requires(Permission.BILLING_VIEW)
    async def download(number: Annotated[str, Path(pattern="^[0-9]{1,15}$")], actor: Caller) -> Response:
        found = await db.look(document_reading.document, actor, int(number), ending.upper())
        file = await downloads.made(found, ending)
        return Response(file.content, media_type=file.media, headers=file.headers)

    download.__doc__ = f"Get a bill as {ending.upper()}."
    download.__name__ = f"get_bill_{ending}"
    return download


def _shown(row: BillRow) -> BillOut:
    return BillOut(
        number=row.number,
        kind=row.kind,
        account_id=row.account_id,
        account_name=row.account_name,
        plan=row.plan,
        method=row.method,
        status=row.status,
        issued=row.issued_on,
        due=row.due_on,
        amount=Amount(minor=row.amount_minor, currency=row.currency),
        open=Amount(minor=row.open_minor, currency=row.currency),
    )


def _line(bill: BillRow, line: BillLine) -> BillLineOut:
    return BillLineOut(
        position=line.position,
        account_id=line.account_id,
        account_name=line.account_name,
        description=line.description,
        service=line.service,
        starts=line.starts_on,
        ends=line.ends_on,
        quantity_milli=line.quantity_milli,
        unit=line.unit,
        unit_price=None if line.unit_minor is None else Amount(minor=line.unit_minor, currency=bill.currency),
        amount=Amount(minor=line.amount_minor, currency=bill.currency),
    )
