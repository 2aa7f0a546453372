"""A year of four partners' lives: what their people, engines, banks and the provider do, day by day.

Everything goes the way that it goes in life: the services of the pages, the processor's hosted pages over HTTP, and
`cycle --on` for the work of the day. The processor's messages come twice, in any order, or not at all.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from threading import Event

from sqlmodel import Session, col, select

from portal_app import cli, clock, db
from portal_app.accounts import adding
from portal_app.accounts import service as accounts
from portal_app.accounts.adding import NewAccount
from portal_app.auth.actor import Actor
from portal_app.backups import service as backups
from portal_app.backups.intake import RunReport
from portal_app.billing import (
    cards,
    credits,
    details,
    finance,
    forecasts,
    payments,
    receipts,
    refunds,
    subscriptions,
    webhooks,
)
from portal_app.billing import service as billing
from portal_app.billing.calendar import payment_date
from portal_app.billing.credits import CreditForm
from portal_app.billing.detail_rows import DetailsForm
from portal_app.billing.receipts import ReceiptForm
from portal_app.billing.refunds import RefundForm
from portal_app.errors import Conflict
from portal_app.jobs import loop
from portal_app.models import (
    TRIALS,
    Account,
    AttemptKind,
    Basis,
    Bill,
    BillingProfile,
    BillKind,
    BillShare,
    BillState,
    Card,
    Payment,
    PaymentAttempt,
    Subscription,
    SubscriptionType,
    UserKind,
)
from portal_app.money import plain_text
from tests import factories
from tests.billing.factories import book
from tests.billing.payers import ANSWER_LOST, DECLINED, GOOD, NEEDS_OWNER
from tests.billing.processor import Processor

FIRST = date(2027, 8, 29)
DAYS = 366
SERVICES = {"exchange": (Basis.UNIT, 300), "sharepoint": (Basis.GB, 25)}
# By currency: tax, monthly minimum and annual discount; the price of one in its minor unit is a multiple of these.
BOOKS = {"EUR": (1_900, 900, 1_000, 1), "USD": (0, 0, 500, 1), "JPY": (1_000, 500, 0, 1), "KWD": (333, 2_500, 750, 7)}


@dataclass(frozen=True)
class Company:
    """A partner, its administrator, and somebody who sees the first two of its accounts."""

    name: str
    currency: str
    zone: str
    country: str
    method: str
    payment_day: int
    delivery: str
    partner_id: int = 0
    code: str = ""
    actor: Actor = None  # pyright: ignore
    clerk: Actor = None  # pyright: ignore


COMPANIES = (
    Company("Alder", "EUR", "America/New_York", "DE", "card", 31, "attachment"),
    Company("Beech", "USD", "UTC", "US", "invoice", 15, "link"),
    Company("Cedar", "JPY", "Asia/Kolkata", "JP", "invoice", 1, "attachment"),
    Company("Dogwood", "KWD", "Pacific/Auckland", "KW", "card", 10, "link"),
)


class Year:
    """The world, and a clock that only goes on."""

    def __init__(self, processor: Processor, seed: int) -> None:
        self.processor, self.draw, self.seed = processor, random.Random(seed), seed
        self.now = datetime.combine(FIRST, time(6), UTC)
        self.companies: list[Company] = []
        self.told = 0
        # What was foretold on the eve of a payment day, and how many shares of bills were as foretold.
        self.eves: dict[int, tuple[date, dict[int, int]]] = {}
        self.as_foretold = 0
        self.late_payers: set[int] = set()

    def tick(self) -> datetime:
        """The portal's clock."""
        self.now += timedelta(milliseconds=1)
        return self.now

    @property
    def today(self) -> date:
        return self.now.date()

    def begin(self) -> None:
        """The companies sign up, with two accounts each, and the first ones store a card."""
        self.olga = db.write(self._open)
        for company in self.companies:
            db.write(billing.choose_method, company.actor, company.method)
            db.write(details.save, company.actor, self._details(company))
            if company.method == "card":
                self._card(company, ANSWER_LOST if company.currency == "KWD" else GOOD)
        for company in self.companies:
            first = [self._add(company, kind) for kind in (SubscriptionType.MONTHLY, SubscriptionType.ANNUAL)]
            db.write(self._limit, company, first)

    def _open(self, session: Session) -> Actor:
        factories.data_center(session)
        for company in COMPANIES:
            tax, minimum, discount, times = BOOKS[company.currency]
            made = factories.partner(
                session, name=f"{company.name} & Sons", currency=company.currency, time_zone=company.zone
            )
            prices = {service: (basis, price * times) for service, (basis, price) in SERVICES.items()}
            tiers = {"exchange": [(0, 300 * times), (10, 270 * times)]} if company.currency != "USD" else {}
            given = {"tax_bp": tax, "monthly_minimum_minor": minimum, "annual_discount_bp": discount}
            book(session, made, prices, tiers, **given)
            people = [factories.user(session, made), factories.user(session, made, all_accounts=False)]
            actors = [
                replace(factories.actor(one), currency=company.currency, time_zone=company.zone) for one in people
            ]
            ids = {"partner_id": made.id or 0, "code": made.code}
            self.companies.append(replace(company, **ids, actor=actors[0], clerk=actors[1]))
        return factories.actor(factories.user(session, kind=UserKind.OPERATOR))

    def _limit(self, session: Session, company: Company, ids: list[int]) -> None:
        clerk = session.get_one(factories.User, company.clerk.user_id)
        factories.give_accounts(session, clerk, *(session.get_one(Account, one) for one in ids))

    def _details(self, company: Company, **given: str) -> DetailsForm:
        known = {"company": f"{company.name} & Sons", "country": company.country, "address": "1 Main Street"}
        email = f"bills@{company.name.lower()}.example"
        own = {"payment_day": str(company.payment_day), "delivery": company.delivery, "email": email}
        return DetailsForm(**known | own | given)

    def day(self, on: date) -> None:
        """People, then the day's work by the command, then the processor's messages and the minute's work."""
        self._until(on, self.draw.randint(2, 9))
        if on.day == 1:
            # It goes on with its books: what the year brings forth is nothing that it keeps in mind.
            self.processor.kill()
            self.processor.start(on + timedelta(days=1))
        for company in self.companies:
            self._deeds(company, on)
        self._until(on, self.draw.randint(12, 18))
        assert cli.main(["cycle", "--on", str(on)]) == 0
        self._until(on, 21)
        self._hear()
        loop.minute(Event())
        for company in self.companies:
            self._compare(company)
            self._foretell(company)

    def settle_down(self) -> None:
        """Until nothing is under way: pages that nobody uses any more are over after a day."""
        loop.minute(Event())

    def _until(self, on: date, hour: int) -> None:
        self.now = max(self.now, datetime.combine(on, time(hour), UTC))

    def _deeds(self, company: Company, on: date) -> None:
        local = clock.day_in(company.zone)
        self._script(company, (on - FIRST).days)
        if company.partner_id in self.eves:
            # Nobody changes anything on the day for which something was foretold.
            return
        ids = db.read(self._accounts, company)
        if len(ids) < 14 and self.draw.random() < 0.05:
            self._use(company, self._add(company, self.draw.choice(list(SubscriptionType))))
        for account_id in ids:
            if self.draw.random() < 0.05:
                self._use(company, account_id)
            if self.draw.random() < 0.012:
                self._change(company, account_id)
        if self.draw.random() < 0.01:
            day = str(self.draw.randint(1, 31))
            db.write(details.save, company.actor, self._details(company, payment_day=day))
        self._pay(company, local)

    def _accounts(self, session: Session, company: Company) -> list[int]:
        mine = select(Account.id).where(col(Account.partner_id) == company.partner_id)
        return [one or 0 for one in session.exec(mine.order_by(col(Account.id)))]

    def _add(self, company: Company, kind: SubscriptionType) -> int:
        number = self.draw.randrange(10**9)
        place = db.read(adding.start, company.actor).place
        form = {"name": f"{company.name} customer {number}", "email": f"c{number}@{company.name.lower()}.example"}
        account_id = adding.add(company.actor, NewAccount(**form, by_mail=True, place=place, subscription=kind))
        self._use(company, account_id)
        return account_id

    def _use(self, company: Company, account_id: int) -> None:
        """An engine reports: usage grows and shrinks, to nothing now and then."""
        service = self.draw.choice(list(SERVICES))
        report = RunReport(
            account=account_id,
            task=service,
            service=service,
            run=str(self.draw.randrange(10**12)),
            started=clock.now() - timedelta(hours=1),
            finished=clock.now(),
            outcome="successful",
            entities=self.draw.choice((0, 3, 11, 40, 260)),
            size_bytes=self.draw.randrange(10**12),
        )
        db.write(backups.record_run, company.actor, report)

    def _change(self, company: Company, account_id: int) -> None:
        """Somebody subscribes a trial, changes a plan, cancels, or thinks better of it."""
        account = db.read(lambda session: session.get_one(Account, account_id))
        if account.status in TRIALS:
            db.write(accounts.subscribe, company.actor, [account_id], self.draw.choice(("monthly", "annual")))
            return
        do = self.draw.choice((subscriptions.cancel, subscriptions.undo, None))
        plan = "annual" if account.status == "monthly" else "monthly"
        try:
            if do is None:
                db.write(subscriptions.change_plan, company.actor, account_id, plan)
            else:
                db.write(do, company.actor, account_id)
        except Conflict as refusal:
            assert do is subscriptions.undo, refusal

    def _card(self, company: Company, number: str, expiry: str = "12/40") -> None:
        url = cards.start_adding(company.actor)
        self.processor.use_page(url, number, expiry=expiry)
        if self.draw.random() < 0.5:
            assert cards.finish_adding(url.rpartition("/")[2])

    def _script(self, company: Company, day: int) -> None:
        """What must happen within the year, whatever is drawn."""
        if company.method == "card":
            self._cards(company, day)
        if company.currency == "USD" and day == 40:
            db.write(finance.set_annual_together, self.olga, company.code, True)
        if day % 45 == 20 and company.partner_id not in self.eves:
            self._exclude(company)
        if day % 30 == 25:
            self._credit(company, self.draw.choice((BillState.OPEN, BillState.PAID)))

    def _cards(self, company: Company, day: int) -> None:
        if company.currency == "EUR" and day in (60, 95):
            # Bad from now on; and a good one a month later, which pays what the bad one didn't.
            self._card(company, NEEDS_OWNER if day == 60 else GOOD)
        if company.currency == "EUR" and day == 130:
            until = self.today + timedelta(days=60)
            self._card(company, GOOD, f"{until:%m/%y}")
        if company.currency == "EUR" and day == 250:
            self._replace(company)
        if company.currency == "KWD" and day == 200:
            self._replace(company)

    def _replace(self, company: Company) -> None:
        """A new card, and the old ones are deleted."""
        self._card(company, GOOD)
        self._hear(all_of_it=True)
        old = db.read(lambda s: [c.id for c in s.exec(select(Card).where(~col(Card.active)))])
        mine = [row.id for row in db.read(cards.listed, company.actor) if row.id in old]
        for card_id in mine:
            cards.delete(company.actor, card_id)

    def _exclude(self, company: Company) -> None:
        mine = select(Subscription).where(col(Subscription.partner_id) == company.partner_id)
        found = db.read(lambda session: list(session.exec(mine.order_by(col(Subscription.account_id)))))
        one = self.draw.choice(found)
        db.write(finance.exclude, self.olga, one.account_id, not one.excluded)

    def _credit(self, company: Company, state: BillState) -> None:
        """A part of a bill is credited, or all of it; what was paid of that goes back."""
        bill = self._some_bill(company, state)
        if bill is None:
            return
        left = db.read(finance.details, self.olga, bill.number).creditable_minor
        part = left if self.draw.random() < 0.4 else max(1, left * self.draw.randint(1, 60) // 100)
        form = CreditForm(plain_text(part, bill.currency), "Too many seats")
        db.write(credits.credit, self.olga, bill.number, form)
        found = db.read(finance.details, self.olga, bill.number)
        if found.back_minor:
            self._give_back(bill, found.back_minor)

    def _some_bill(self, company: Company, state: BillState) -> Bill | None:
        mine = (col(Bill.partner_id) == company.partner_id, col(Bill.kind) != BillKind.CREDIT_NOTE)
        query = select(Bill).where(*mine, col(Bill.state) == state).order_by(col(Bill.id).desc()).limit(4)
        found = db.read(lambda session: list(session.exec(query)))
        return self.draw.choice(found) if found else None

    def _give_back(self, bill: Bill, back: int) -> None:
        (way, _), *others = refunds.ways(db.read(finance.details, self.olga, bill.number))
        amount = plain_text(back, bill.currency)
        if others:
            of = db.read(lambda session: session.get_one(Payment, int(way)))
            amount = plain_text(min(back, of.amount_minor), bill.currency)
        refunds.refund(self.olga, bill.number, RefundForm(way, amount, str(self.today), "Too many seats"))

    def _pay(self, company: Company, local: date) -> None:
        """Open invoices are paid by card, PayPal or transfer, some of them late; refused card bills sometimes too."""
        open_now = (col(Bill.partner_id) == company.partner_id, col(Bill.state) == BillState.OPEN)
        for bill in db.read(lambda session: list(session.exec(select(Bill).where(*open_now)))):
            if self.draw.random() > (0.1 if bill.method == "invoice" else 0.02):
                continue
            if bill.method == "invoice" and self.draw.random() < 0.3:
                self._transfer(bill)
            else:
                self._check_out(company, bill)

    def _transfer(self, bill: Bill) -> None:
        rest = bill.total_minor - bill.settled_minor
        part = rest if self.draw.random() < 0.5 else max(1, rest // 3)
        db.write(
            receipts.record_receipt,
            self.olga,
            ReceiptForm(str(bill.number), plain_text(part, bill.currency), str(self.today), "Transfer"),
        )

    def _check_out(self, company: Company, bill: Bill) -> None:
        try:
            urls = [payments.start_checkout(company.actor, bill.id or 0) for _ in range(2)]
        except Conflict:
            return  # its card is just being charged
        assert urls[0] == urls[1]
        if self.draw.random() < 0.2:
            self.processor.use_page(urls[0], DECLINED)
        if self.draw.random() < 0.2:
            return  # nobody pays; perhaps another day, on another page
        for url in urls:
            self.processor.use_page(url, way=self.draw.choice(("card", "paypal")))
        if self.draw.random() < 0.5:
            payments.look_up(self._key_of(bill))

    def _key_of(self, bill: Bill) -> str:
        mine = select(PaymentAttempt.key).where(
            col(PaymentAttempt.bill_id) == bill.id, col(PaymentAttempt.kind) == AttemptKind.CHECKOUT
        )
        return db.read(lambda session: session.exec(mine.order_by(col(PaymentAttempt.id).desc())).first()) or ""

    def _hear(self, *, all_of_it: bool = False) -> None:
        """The messages of the processor: the newest ones twice and in any order, some of them never."""
        new = self.processor.told()[self.told :]
        self.told += len(new)
        told = [one for one in new for _ in range(2) if all_of_it or self.draw.random() < 0.8]
        self.draw.shuffle(told)
        for body, headers in told:
            assert webhooks.take("sandbox", body, headers)

    def _foretell(self, company: Company) -> None:
        """On the eve of the payment day: what its bill will be."""
        eve = clock.day_in(company.zone)
        profile = db.read(lambda session: session.get_one(BillingProfile, company.partner_id))
        tomorrow = eve + timedelta(days=1)
        if payment_date(profile.payment_day, tomorrow) == tomorrow:
            expected = db.read(forecasts.forecast_of, company.actor)
            mine = {account_id: one.amount_minor for account_id, one in expected.items() if one.on == tomorrow}
            self.eves[company.partner_id] = (tomorrow, mine)

    def _compare(self, company: Company) -> None:
        if company.partner_id not in self.eves:
            return
        on, foretold = self.eves.pop(company.partner_id)
        billed = db.read(self._billed, company, on)
        # A trial that became a subscription meanwhile is on the bill too, and may move a cent.
        if billed.keys() == foretold.keys():
            assert billed == foretold, (company.name, on, billed, foretold)
            self.as_foretold += len(billed)

    def _billed(self, session: Session, company: Company, on: date) -> dict[int, int]:
        mine = (col(Bill.partner_id) == company.partner_id, col(Bill.issued_on) == on, col(Bill.credits_id).is_(None))
        shares = select(BillShare.account_id, BillShare.amount_minor).join(Bill, col(Bill.id) == col(BillShare.bill_id))
        return dict(session.exec(shares.where(*mine)).all())


def days() -> Iterator[date]:
    """The year."""
    return (FIRST + timedelta(days=n) for n in range(DAYS))
