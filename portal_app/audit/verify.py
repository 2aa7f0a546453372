"""Walks the chains of the audit and says where one is broken."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, select

from portal_app.audit.chain import FIELDS, NO_PARTNER, digest
from portal_app.models import AuditChain, AuditEvent, Partner

AT_ONCE = 5_000
_COLUMNS = [getattr(AuditEvent, name) for name in ("id", *FIELDS, "previous_hash", "hash")]
OnStep = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one chain: how many rows hold, the hash of the last one, and what is wrong ("": nothing)."""

    rows: int
    hash: str
    fault: str = ""


def chains(session: Session) -> dict[int, str]:
    """All chains by their number, each with its partner's code; rows without a partner have none."""
    partners = dict(session.exec(select(Partner.id, Partner.code).order_by(Partner.code)).all())
    kept = session.exec(select(AuditChain.chain)).all()
    strays = session.exec(select(AuditEvent.partner_id).where(col(AuditEvent.partner_id).is_(None)).limit(1)).all()
    rest = ({NO_PARTNER} if strays else set()) | set(kept) - partners.keys()
    return {int(number or 0): code for number, code in partners.items()} | dict.fromkeys(sorted(rest), "")


def verify(session: Session, chain: int, on_step: OnStep = lambda _rows: None) -> Verdict:
    """Walk one chain from its first row to its kept end; only a part of it is in memory at any time."""
    walked = _Walk()
    end = session.get(AuditChain, chain) or AuditChain(chain=chain)
    try:
        for row in _rows(session, chain, end.number):
            if fault := walked.step(row):
                return Verdict(walked.number, walked.hash, fault)
            if walked.number % AT_ONCE == 0:
                on_step(walked.number)
    except (TypeError, ValueError):
        return Verdict(walked.number, walked.hash, f"row {walked.number + 1} was changed: it can't be read")
    return Verdict(walked.number, walked.hash, walked.fault_at_end(end) or _behind(session, chain, end.number))


def _rows(session: Session, chain: int, last: int) -> Iterator[Any]:
    """The rows up to the end, in order, some at a time: others may write meanwhile."""
    number: int | None = None
    while True:
        wanted = select(*_COLUMNS).where(_of(chain), col(AuditEvent.number) <= last)
        if number is not None:
            wanted = wanted.where(col(AuditEvent.number) > number)
        found = session.execute(wanted.order_by(col(AuditEvent.number)).limit(AT_ONCE)).mappings().all()
        yield from found
        if len(found) < AT_ONCE:
            return
        number = found[-1]["number"]


def _behind(session: Session, chain: int, last: int) -> str:
    """A row behind the end that was kept when the walk began, and which no later end explains."""
    stray = select(AuditEvent.number).where(_of(chain), col(AuditEvent.number) > last)
    found = session.exec(stray.order_by(col(AuditEvent.number)).limit(1)).first()
    now = session.exec(select(AuditChain.number).where(AuditChain.chain == chain)).first() or 0
    return f"row {found} was put in behind the end of the chain" if found is not None and found > now else ""


def _of(chain: int) -> ColumnElement[bool]:
    partner = col(AuditEvent.partner_id)
    return partner.is_(None) if chain == NO_PARTNER else partner == chain


class _Walk:
    """The rows seen so far: number and hash of the last one, and the hash before it."""

    def __init__(self) -> None:
        self.number, self.id = 0, 0
        self.hash, self.before = "", ""

    def step(self, row: Mapping[str, Any]) -> str:
        """What is wrong with the next row; nothing, and it is the last one now."""
        fault = self._fault(row)
        if not fault:
            self.before, self.hash = self.hash, row["hash"]
            self.number, self.id = row["number"], row["id"]
        return fault

    def _fault(self, row: Mapping[str, Any]) -> str:
        number = row["number"]
        if number != self.number + 1:
            gone = f"row {self.number + 1}" if number == self.number + 2 else f"rows {self.number + 1} to {number - 1}"
            return f"{gone} missing before row {number}"
        if row["previous_hash"] != self.hash:
            if self.number and row["previous_hash"] == self.before:
                return f"row {self.number} was put in before row {number}"
            return f"row {number} does not follow row {self.number}: reordered, or put in later"
        if digest(self.hash, row) != row["hash"]:
            return f"row {number} was changed"
        return f"row {number} was reordered: its id is out of turn" if row["id"] <= self.id else ""

    def fault_at_end(self, end: AuditChain) -> str:
        """What is wrong with where the chain ends."""
        if self.number < end.number:
            return f"cut off after row {self.number}: there were {end.number}"
        return f"row {self.number} was changed: it is not the kept end" if self.hash != end.hash else ""
