"""What a day bills: from terms, contracts, usage and prices to drafts, and to how the contracts stand after it.

Pure, so that the cycle and the forecast are one code. A contract's `covered_until` moves only forward, so a day that is
worked on twice, or late, bills nothing twice.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from portal_app.billing import calendar
from portal_app.billing.calendar import MONTHS
from portal_app.billing.pricing import Book, Line, Usage, account_lines, shares, totals
from portal_app.models import BillingMethod, BillKind, Plan

# A year, the month before its renewal and the payment day after a change of plan lie within it.
HORIZON_MONTHS = 16
UsageOf = Mapping[int, Sequence[Usage]]


@dataclass(frozen=True, slots=True)
class Terms:
    """How a partner is billed. `method` is None until it is chosen: bills are invoices then."""

    partner_id: int
    currency: str
    method: str | None
    payment_day: int
    annual_together: bool = False
    reverse_charge: bool = False


@dataclass(frozen=True, slots=True)
class Contract:
    """A subscription as billing knows it (see models.Subscription)."""

    account_id: int
    name: str
    email: str
    plan: str
    started_on: date
    anchor_on: date
    covered_until: date
    next_plan: str | None = None
    ends: bool = False
    excluded: bool = False

    @property
    def changes(self) -> bool:
        """Whether it ends, or gets another plan, where its covered days end."""
        return self.ends or self.next_plan not in (None, self.plan)

    @property
    def own_months(self) -> bool:
        """Whether its periods begin on its own day; else on the first of the month."""
        return self.excluded or self.plan == Plan.ANNUAL

    @property
    def period_anchor(self) -> date:
        return self.anchor_on if self.own_months else self.anchor_on.replace(day=1)

    @property
    def acts_on(self) -> date | None:
        """The next day with a matter of its own; None: it waits for the partner's payment day."""
        if self.changes:
            return self.covered_until
        if self.plan == Plan.ANNUAL:
            return self._renewal_bill_on()
        return self._own_day() if self.excluded else None

    def _renewal_bill_on(self) -> date:
        if self.covered_until <= self.anchor_on:
            return self.covered_until
        return calendar.month_before(self.anchor_on, self.covered_until)

    def _own_day(self) -> date:
        mark = calendar.mark_at(self.anchor_on, self.covered_until)
        return mark if mark == self.covered_until else calendar.mark_after(self.anchor_on, mark)

    def period_end(self, on: date) -> date:
        """Where a change asked for on a day takes effect: the end of what is covered, or of the period running."""
        if on <= self.covered_until:
            return self.covered_until
        return calendar.mark_after(self.period_anchor, on, MONTHS[Plan(self.plan)])


@dataclass(frozen=True, slots=True)
class Cover:
    """Days of an account that a bill covers."""

    account_id: int
    starts_on: date
    ends_on: date


@dataclass(frozen=True, slots=True)
class Share:
    """An account's part of a bill's total."""

    account_id: int
    name: str
    email: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Draft:
    """A bill before it has a number. `account_id` is None for a consolidated one."""

    once: str
    kind: str
    account_id: int | None
    plan: str
    method: str
    issued_on: date
    effective_on: date
    due_on: date
    tax_bp: int
    lines: tuple[Line, ...]
    net_minor: int
    tax_minor: int
    total_minor: int
    shares: tuple[Share, ...]
    covers: tuple[Cover, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A day's bills in the order of their numbers, the contracts that go on, and the accounts whose contract ended.

    `free` are days that came to nothing: they are done, and no bill says so.
    """

    drafts: tuple[Draft, ...]
    contracts: tuple[Contract, ...]
    ended: tuple[int, ...] = ()
    free: tuple[Cover, ...] = ()


@dataclass(frozen=True, slots=True)
class Forecast:
    """An account's part of the next bill, tax included, and the day that issues it."""

    amount_minor: int
    on: date


def day(terms: Terms, contracts: Iterable[Contract], usage: UsageOf, book: Book, on: date) -> Outcome:
    """All that a partner's day bills: matters of the accounts' own, then the consolidated bill on the payment day."""
    own = matters(terms, contracts, usage, book, on)
    if on != calendar.payment_date(terms.payment_day, on):
        return own
    together = _consolidated(_Day(terms, usage, book, on), own.contracts)
    return Outcome(own.drafts + together.drafts, together.contracts, own.ended, own.free + together.free)


def matters(terms: Terms, contracts: Iterable[Contract], usage: UsageOf, book: Book, on: date) -> Outcome:
    """What is due by each contract's `acts_on`: annual and separate bills, changes of plan, ends."""
    today = _Day(terms, usage, book, on)
    parts: list[_Part] = []
    after: list[Contract] = []
    ended: list[int] = []
    for contract in sorted(contracts, key=lambda each: each.account_id):
        standing: Contract | None = contract
        while standing and standing.acts_on and standing.acts_on <= on:
            standing = _step(today, standing, parts)
        if standing:
            after.append(standing)
        else:
            ended.append(contract.account_id)
    drafts, free = today.own_drafts(parts)
    return Outcome(tuple(drafts), tuple(after), tuple(ended), tuple(free))


def last_days(terms: Terms, contract: Contract, usage: UsageOf, book: Book, on: date) -> Outcome:
    """The last bill of a contract that is over with the day itself, for the days that no bill covers yet."""
    until = on + timedelta(days=1)
    if contract.covered_until >= until:
        return Outcome((), ())
    today = _Day(terms, usage, book, on)
    part = today.part(contract, until, contract.covered_until)
    once = f"account:{contract.account_id}:{contract.covered_until}"
    return _of_bill(today.draft(once, BillKind.ACCOUNT, [part], on.day), [part])


def _of_bill(draft: Draft | None, parts: Iterable["_Part"], contracts: Iterable[Contract] = ()) -> Outcome:
    return Outcome(
        drafts=(draft,) if draft else (),
        contracts=tuple(contracts),
        free=() if draft else tuple(part.cover for part in parts),
    )


def forecast(
    terms: Terms, contracts: Iterable[Contract], usage: UsageOf, book_on: Callable[[date], Book], today: date
) -> dict[int, Forecast]:
    """What each account is billed next if its usage stays as it is. Days up to `today` are done.

    Made of `day`, so it is the bill. An account whose contract ends before another bill has no forecast.
    """
    groups: dict[Hashable, list[Contract]] = {}
    for contract in contracts:
        groups.setdefault(_company(terms, contract), []).append(contract)
    found: dict[int, Forecast] = {}
    for group in groups.values():
        found |= _next_bills(terms, group, usage, book_on, today)
    return found


def _company(terms: Terms, contract: Contract) -> Hashable:
    """The same for all whose next bill may be one bill: a share depends on the others of its bill."""
    if contract.excluded:
        return contract.account_id
    if contract.changes or contract.plan == Plan.MONTHLY:
        return Plan.MONTHLY
    return (contract.anchor_on.month, contract.anchor_on.day) if terms.annual_together else contract.account_id


def _next_bills(
    terms: Terms, contracts: Sequence[Contract], usage: UsageOf, book_on: Callable[[date], Book], on: date
) -> dict[int, Forecast]:
    """Day after day on which something happens, until each contract has got further."""
    waiting = {each.account_id: each.covered_until for each in contracts}
    found: dict[int, Forecast] = {}
    last = calendar.add_months(on, HORIZON_MONTHS)
    while waiting and (on := _next_day(terms, contracts, on)) <= last:
        outcome = day(terms, contracts, usage, book_on(on), on)
        amounts = {share.account_id: share.amount_minor for draft in outcome.drafts for share in draft.shares}
        contracts = outcome.contracts
        for contract in contracts:
            if contract.covered_until > waiting.get(contract.account_id, date.max):
                found[contract.account_id] = Forecast(amounts.get(contract.account_id, 0), on)
                del waiting[contract.account_id]
        for account_id in outcome.ended:
            waiting.pop(account_id, None)
    return found


def _next_day(terms: Terms, contracts: Iterable[Contract], on: date) -> date:
    """The first day after one on which a contract acts, or the payment day where one waits for it."""
    tomorrow = on + timedelta(days=1)
    days = {each.acts_on for each in contracts}
    if None in days:
        paid_on = calendar.payment_date(terms.payment_day, tomorrow)
        days.add(paid_on if paid_on > on else calendar.payment_date(terms.payment_day, calendar.effective_date(on)))
    return min((max(each, tomorrow) for each in days if each), default=date.max)


def _step(today: "_Day", contract: Contract, parts: list["_Part"]) -> Contract | None:
    """One matter of a contract: the contract after it, None once it has ended. What it bills joins the parts."""
    if contract.changes and contract.covered_until == today.on:
        return _turned(contract)
    part = today.part(contract, _until(contract, today.on), _effective(contract, today.on))
    parts.append(part)
    return part.covered


def _until(contract: Contract, on: date) -> date:
    """Where the days end that the contract's own bill of a day covers."""
    if contract.plan == Plan.ANNUAL:
        return calendar.mark_after(contract.anchor_on, contract.covered_until, MONTHS[Plan.ANNUAL])
    # Before a change, days that no bill covers yet are billed to the end of the running month.
    return calendar.mark_after(contract.period_anchor, on)


def _effective(contract: Contract, on: date) -> date:
    if contract.plan == Plan.ANNUAL or contract.changes:
        return contract.covered_until
    return calendar.mark_at(contract.anchor_on, on)


def _turned(contract: Contract) -> Contract | None:
    if contract.ends:
        return None
    return replace(contract, plan=contract.next_plan, next_plan=None, anchor_on=contract.covered_until)


def _consolidated(today: "_Day", contracts: Sequence[Contract]) -> Outcome:
    """The bill of all monthly accounts for the month of its effective date, and for what lies open before it."""
    effective = calendar.effective_date(today.on)
    until = calendar.add_months(effective, 1)
    parts = {
        each.account_id: today.part(each, until, effective)
        for each in contracts
        if not (each.own_months or each.changes or each.started_on > today.on or each.covered_until >= until)
    }
    once = f"monthly:{today.terms.partner_id}:{today.on}"
    draft = today.draft(once, BillKind.CONSOLIDATED, list(parts.values()), today.terms.payment_day)
    after = (parts[each.account_id].covered if each.account_id in parts else each for each in contracts)
    return _of_bill(draft, parts.values(), after)


@dataclass(frozen=True, slots=True)
class _Part:
    """What one account adds to a bill."""

    contract: Contract
    ends_on: date
    effective_on: date
    lines: tuple[Line, ...]

    @property
    def covered(self) -> Contract:
        return replace(self.contract, covered_until=self.ends_on)

    @property
    def cover(self) -> Cover:
        return Cover(self.contract.account_id, self.contract.covered_until, self.ends_on)

    @property
    def net_minor(self) -> int:
        return sum(line.amount_minor for line in self.lines)


@dataclass(frozen=True, slots=True)
class _Day:
    """What a day's bills are made with."""

    terms: Terms
    usage: UsageOf
    book: Book
    on: date

    def part(self, contract: Contract, until: date, effective: date) -> _Part:
        months = MONTHS[Plan(contract.plan)]
        pieces = calendar.pieces(contract.covered_until, until, contract.period_anchor, months)
        used = self.usage.get(contract.account_id, ())
        plan = contract.plan
        lines = account_lines(contract.account_id, contract.name, used, self.book, plan=plan, pieces=pieces)
        return _Part(contract, until, effective, lines)

    def own_drafts(self, parts: Sequence[_Part]) -> tuple[list[Draft], list[Cover]]:
        """A bill for each part; annual ones that begin on one day share theirs where the partner's terms say so.

        Then the days of those that come to nothing.
        """
        drafts: list[Draft] = []
        free: list[Cover] = []
        groups: dict[object, list[_Part]] = {}
        for n, part in enumerate(parts):
            shared = self.terms.annual_together and part.contract.plan == Plan.ANNUAL and not part.contract.excluded
            groups.setdefault(part.effective_on if shared else n, []).append(part)
        for group in groups.values():
            first = group[0].contract
            once = f"account:{first.account_id}:{first.covered_until}"
            kind = BillKind.ACCOUNT if len(group) == 1 else BillKind.CONSOLIDATED
            if draft := self.draft(once, kind, group, first.anchor_on.day):
                drafts.append(draft)
            else:
                free += (part.cover for part in group)
        return drafts, free

    def draft(self, once: str, kind: BillKind, parts: Sequence[_Part], anchor_day: int) -> Draft | None:
        """The bill of the parts; None where it would come to nothing."""
        lines = tuple(line for part in sorted(parts, key=_by_name) for line in part.lines)
        tax_bp = 0 if self.terms.reverse_charge else self.book.tax_bp
        sums = totals(lines, tax_bp)
        if not sums.total_minor:
            return None
        first = parts[0]
        plan = first.contract.plan
        invoiced = plan == Plan.ANNUAL or self.terms.method is None
        method = BillingMethod.INVOICE if invoiced else BillingMethod(self.terms.method)
        return Draft(
            once=once,
            kind=kind,
            account_id=first.contract.account_id if kind == BillKind.ACCOUNT else None,
            plan=plan,
            method=method,
            issued_on=self.on,
            effective_on=first.effective_on,
            due_on=calendar.due_date(method, plan, self.on, first.effective_on, anchor_day),
            tax_bp=tax_bp,
            lines=lines,
            net_minor=sums.net_minor,
            tax_minor=sums.tax_minor,
            total_minor=sums.total_minor,
            shares=_shares(parts, sums.total_minor),
            covers=tuple(part.cover for part in parts),
        )


def _shares(parts: Sequence[_Part], total_minor: int) -> tuple[Share, ...]:
    """Each billed account's share; an account without a line has none."""
    billed = [part for part in parts if part.lines]
    amounts = shares({part.contract.account_id: part.net_minor for part in billed}, total_minor)
    return tuple(
        Share(part.contract.account_id, part.contract.name, part.contract.email, amounts[part.contract.account_id])
        for part in billed
    )


def _by_name(part: _Part) -> tuple[str, int]:
    return part.contract.name.casefold(), part.contract.account_id
