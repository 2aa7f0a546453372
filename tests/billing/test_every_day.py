"""Eight years of every day: each account's days are billed exactly once, whatever people and the clock do.

Each life is 16 accounts, two of which start on each of eight days, with a payment day, a zone and a currency, and
people who change plans, cancel, move the payment day and take accounts off the consolidated bill. `ROUNDS=372` runs
every payment day in every zone and currency, with accounts that start on each of the days (two minutes).
"""

import random
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

from portal_app import clock
from portal_app.billing import calendar, plan
from portal_app.billing.plan import Contract, Draft, Terms
from portal_app.billing.pricing import Book
from portal_app.models import BillingMethod, Plan
from tests.billing.plans import DAY, ROUNDS, TAX, contract, random_book, random_usage

ZONES = ("UTC", "America/New_York", "Asia/Kolkata", "Pacific/Auckland")
BEGIN = datetime(2023, 12, 30, tzinfo=UTC)
END = datetime(2032, 1, 2, tzinfo=UTC)
DAYS = (END - BEGIN).days
ACCOUNTS = 16
LIVES = 31 * len(ZONES) * len(TAX)
# Mostly the next day; now and then a summer time, a clock set back, a machine that slept.
TICKS = (*[timedelta(days=1)] * 40, timedelta(hours=1), timedelta(hours=-1), timedelta(hours=23), -DAY, 40 * DAY)


@dataclass
class Life:
    """A partner's accounts from the first day to the last, and all that was billed."""

    rng: random.Random
    zone: str
    terms: Terms
    book: Book
    used: plan.UsageOf
    coming: list[Contract]
    standing: tuple[Contract, ...] = ()
    done: date = BEGIN.date() - DAY
    drafts: list[Draft] = field(default_factory=list)
    ended: dict[int, date] = field(default_factory=dict)

    def live(self) -> None:
        now = BEGIN
        while now < END:
            for on in calendar.days_due(self.done, clock.day_in(self.zone, now)):
                self.work(on)
                self.done = on
            self.people()
            now += self.rng.choice(TICKS)

    def work(self, on: date) -> None:
        """A day's work. Done again, before or after its result was kept, it comes to the same."""
        self.standing += tuple(each for each in self.coming if each.started_on == on)
        outcome = self.day(on, self.standing)
        if self.rng.random() < 0.1:
            assert self.day(on, self.standing) == outcome
            assert self.day(on, outcome.contracts) == plan.Outcome((), outcome.contracts)
        self.standing = outcome.contracts
        self.drafts += outcome.drafts
        self.ended |= dict.fromkeys(outcome.ended, on)
        self.nothing_is_late(on)

    def day(self, on: date, contracts: tuple[Contract, ...]) -> plan.Outcome:
        return plan.day(self.terms, contracts, self.used, self.book, on)

    def nothing_is_late(self, on: date) -> None:
        paid = on == calendar.payment_date(self.terms.payment_day, on)
        for each in self.standing:
            if each.plan == Plan.ANNUAL or each.changes:
                assert each.covered_until >= on, (on, each)
            elif each.excluded:
                assert calendar.add_months(each.covered_until, 1) >= on, (on, each)
            elif paid:
                assert each.covered_until >= calendar.add_months(calendar.effective_date(on), 1), (on, each)

    def people(self) -> None:
        """Now and then somebody changes something."""
        if self.rng.random() < 0.02:
            self.terms = replace(self.terms, payment_day=self.rng.randint(1, 31))
        self.standing = tuple(self.touched(each) if self.rng.random() < 0.004 else each for each in self.standing)

    def touched(self, one: Contract) -> Contract:
        deed = self.rng.choice(("plan", "plan", "off", "off", "stay", "stay", "ends"))
        if deed == "plan":
            return replace(one, next_plan=self.rng.choice((Plan.MONTHLY, Plan.ANNUAL)))
        if deed == "off":
            return replace(one, excluded=not one.excluded)
        return replace(one, next_plan=None, ends=deed == "ends")


def _life(n: int) -> Life:
    rng = random.Random(n)
    currency = list(TAX)[n // 31 // len(ZONES) % len(TAX)]
    how = Terms(
        partner_id=7,
        currency=currency,
        method=rng.choice((None, *BillingMethod)),
        payment_day=n % 31 + 1,
        annual_together=rng.random() < 0.5,
        reverse_charge=rng.random() < 0.2,
    )
    starts = [BEGIN.date() + (n + LIVES * (k // 2)) % DAYS * DAY for k in range(ACCOUNTS)]
    coming = [contract(k, on, list(Plan)[k // 2 % 2], excluded=rng.random() < 0.2) for k, on in enumerate(starts)]
    # A minimum, so that no bill is of nothing: then the bills' days are all of the days.
    prices = replace(random_book(rng, currency), monthly_minimum_minor=rng.choice((100, 5000)))
    used = {each.account_id: random_usage(rng) for each in coming}
    return Life(rng, ZONES[n // 31 % len(ZONES)], how, prices, used, coming)


def test_each_day_of_an_account_is_billed_exactly_once():
    for n in range(ROUNDS) if ROUNDS else range(0, LIVES, 37):
        life = _life(n)
        life.live()
        _covered_once(life)
        for draft in life.drafts:
            _adds_up(draft, life.book)
        assert len({draft.once for draft in life.drafts}) == len(life.drafts)


def _covered_once(life: Life) -> None:
    spans = defaultdict(list)
    for draft in life.drafts:
        for cover in draft.covers:
            spans[cover.account_id].append((cover.starts_on, cover.ends_on))
    ends = life.ended | {each.account_id: each.covered_until for each in life.standing}
    for each in life.coming:
        ends_on = each.started_on
        for starts, ends_of_span in spans[each.account_id]:
            assert starts == ends_on < ends_of_span, (each, starts)
            ends_on = ends_of_span
        # (Whoever would start after the last tick never did.)
        assert ends_on == ends.get(each.account_id, each.started_on), each


def _adds_up(draft: Draft, book: Book) -> None:
    tax_bp = draft.tax_bp
    assert tax_bp in (0, book.tax_bp)
    assert draft.net_minor == sum(line.amount_minor for line in draft.lines)
    assert abs(20_000 * draft.tax_minor - 2 * draft.net_minor * tax_bp) <= 10_000
    assert draft.total_minor == draft.net_minor + draft.tax_minor == sum(share.amount_minor for share in draft.shares)
    for share in draft.shares:
        net = sum(line.amount_minor for line in draft.lines if line.account_id == share.account_id)
        assert abs(share.amount_minor * draft.net_minor - net * draft.total_minor) < draft.net_minor
    for cover in draft.covers:
        for service in book.prices:
            days = [line for line in draft.lines if (line.account_id, line.service) == (cover.account_id, service)]
            length = sum((line.ends_on - line.starts_on).days for line in days)
            assert length in (0, (cover.ends_on - cover.starts_on).days)
