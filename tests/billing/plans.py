"""Contracts, prices and usage in memory, for the tests of what is pure."""

import os
import random
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from portal_app.billing import plan
from portal_app.billing.plan import Contract, Draft, Outcome, Terms
from portal_app.billing.pricing import Book, ServicePrice, TaskUsage, Tier, Usage
from portal_app.models import Basis, BillingMethod, Plan

# How often a random test is run: `ROUNDS=400 pytest …` for the long run.
ROUNDS = int(os.environ.get("ROUNDS", "0"))
TAX = {"EUR": 1900, "JPY": 1000, "KWD": 333}
DAY = timedelta(days=1)


def book(currency: str = "EUR", **changed: Any) -> Book:
    """10.00 a mailbox (9.00 above ten), 0.33 a GB, 20 % tax; changed as told."""
    prices = {
        "exchange": ServicePrice("exchange", Basis.UNIT, (Tier(0, 1000), Tier(10, 900))),
        "s3": ServicePrice("s3", Basis.GB, (Tier(0, 33),)),
    }
    facts = {
        "id": 1,
        "currency": currency,
        "valid_from": date(2000, 1, 1),
        "monthly_minimum_minor": 0,
        "annual_discount_bp": 0,
        "tax_bp": 2000,
        "prices": prices,
    }
    return Book(**(facts | changed))


def terms(**changed: Any) -> Terms:
    """Invoices on the 20th; changed as told."""
    facts = {"partner_id": 7, "currency": "EUR", "method": BillingMethod.INVOICE, "payment_day": 20}
    return Terms(**(facts | changed))


def contract(account_id: int, started_on: date, plan_name: str = Plan.MONTHLY, **changed: Any) -> Contract:
    """A subscription from that day on, not billed yet."""
    facts = {
        "account_id": account_id,
        "name": f"Customer {account_id}",
        "email": f"{account_id}@customer.example",
        "plan": plan_name,
        "started_on": started_on,
        "anchor_on": started_on,
        "covered_until": started_on,
    }
    return Contract(**(facts | changed))


def seats(count: int) -> tuple[Usage, ...]:
    """Mailboxes of one task."""
    return (Usage("exchange", count, 0, (TaskUsage("Mail", count, 0),)),)


def run(
    how: Terms, contracts: Iterable[Contract], since: date, until: date, used: plan.UsageOf | None = None
) -> tuple[list[Draft], Outcome]:
    """Every day from `since` to `until`: all the bills, and the last outcome. One mailbox each unless told."""
    contracts = tuple(contracts)
    used = used or {each.account_id: seats(1) for each in contracts}
    drafts: list[Draft] = []
    outcome = Outcome((), contracts)
    while since <= until:
        outcome = plan.day(how, outcome.contracts, used, book(), since)
        drafts += outcome.drafts
        since += DAY
    return drafts, outcome


def random_book(rng: random.Random, currency: str) -> Book:
    """Any prices: one to three tiers, with and without minimum and discount."""
    prices = {}
    for service in ("exchange", "onedrive", "s3"):
        tiers = [Tier(0, rng.randint(0, 1999))]
        for _ in range(rng.randint(0, 2)):
            tiers.append(Tier(tiers[-1].above + rng.randint(1, 30), rng.randint(0, 1999)))
        prices[service] = ServicePrice(service, Basis.GB if service == "s3" else Basis.UNIT, tuple(tiers))
    return book(
        currency,
        prices=prices,
        monthly_minimum_minor=rng.choice((0, 0, 499, 5000)),
        annual_discount_bp=rng.choice((0, 1000, 1667)),
        tax_bp=rng.choice((0, TAX[currency])),
    )


def random_usage(rng: random.Random) -> tuple[Usage, ...]:
    """Any usage, none included."""
    services = rng.sample(("exchange", "onedrive", "s3", "unpriced"), rng.randint(0, 4))
    return tuple(Usage(each, rng.randint(0, 60), rng.randint(0, 90 * 10**9)) for each in services)
