"""The page of an account's bills: only its own part, for who may see it; why a line costs what it costs."""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import update
from sqlmodel import Session

from portal_app import clock, db
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.billing import account_bills, offers, why
from portal_app.billing.account_rows import AccountBilling, AccountLine
from portal_app.billing.billed import billed_per_month, round_amount
from portal_app.billing.calendar import pieces
from portal_app.billing.pricing import Book, ServicePrice, TaskUsage, Tier, Usage, account_lines
from portal_app.errors import Denied, NotFound
from portal_app.models import BackupTask, Basis, Bill
from tests.billing import factories as billing
from tests.cast import Cast, cookie_of
from tests.security.pipeline import Answer, Pipeline, name_of, play


def _bill(session: Session, cast: Cast) -> Bill:
    return billing.bill(session, cast.partner_a, [(cast.accounts_a[0], 1_500), (cast.accounts_a[1], 2_500)])


def _page(actor: Actor, account_id: int | None, number: int | None = None) -> AccountBilling:
    return db.read(account_bills.account_page, actor, account_id or 0, number)


def _viewer(cast: Cast) -> Actor:
    """Bob, who sees one account, with the right to view billing."""
    return replace(cast.actor("bob"), permissions=frozenset({Permission.BILLING_VIEW}))


def test_who_may_not_view_billing_is_refused(cast: Cast) -> None:
    for name in ("bob", "nina", "dave", "olga"):
        with pytest.raises(Denied):
            _page(cast.actor(name), cast.accounts_a[0].id)


def test_a_strangers_account_is_as_unknown_as_none(cast: Cast) -> None:
    told = set()
    for actor, account_id in (
        (cast.actor("mallory"), cast.accounts_a[0].id),
        (_viewer(cast), cast.accounts_a[1].id),
        (cast.actor("alice"), 987_654),
    ):
        with pytest.raises(NotFound) as refusal:
            _page(actor, account_id)
        told.add(refusal.value.sentence)
    assert len(told) == 1


def test_of_a_consolidated_bill_the_account_has_its_share(cast: Cast) -> None:
    bill = db.write(_bill, cast)
    mine, all_of_it = _page(_viewer(cast), cast.accounts_a[0].id), _page(cast.actor("carol"), cast.accounts_a[1].id)
    assert [(one.number, one.amount_minor, one.whole) for one in mine.bills] == [(bill.number, 1_500, False)]
    assert [(one.number, one.amount_minor, one.whole) for one in all_of_it.bills] == [(bill.number, 2_500, True)]
    assert [line.amount_minor for line in mine.lines] == [1_500]


def _paid_then_credited(session: Session, cast: Cast) -> None:
    parts, at = [(cast.accounts_a[0], 1_500), (cast.accounts_a[1], 2_500)], clock.now()
    paid = billing.bill(session, cast.partner_a, parts, state="paid", paid_at=at)
    back = [(account, -amount // 10) for account, amount in parts]
    given = {"kind": "credit_note", "credits_id": paid.id, "state": "paid", "settled_minor": -400}
    billing.bill(session, cast.partner_a, back, paid_at=at, **given)


def test_what_was_credited_was_not_paid(cast: Cast) -> None:
    db.write(_paid_then_credited, cast)
    for actor, account_id, amount in (
        (_viewer(cast), cast.accounts_a[0].id, 1_350),
        (cast.actor("alice"), cast.accounts_a[1].id, 2_250),
    ):
        paid = _page(actor, account_id).paid
        assert (paid.bills, paid.amount_minor, paid.last_at is not None) == (1, amount, True)


def test_the_lines_are_those_of_the_bill_that_is_asked_for(cast: Cast) -> None:
    first, second = db.write(_bill, cast), db.write(_bill, cast)
    account_id = cast.accounts_a[0].id
    assert _page(cast.actor("alice"), account_id).bill.id == second.id
    assert _page(cast.actor("alice"), account_id, first.number).bill.id == first.id
    assert _page(cast.actor("alice"), account_id, 1).bill.id == second.id


def test_a_line_of_another_account_is_not_told_why(cast: Cast) -> None:
    bill = db.write(_bill, cast)
    own, other = cast.accounts_a[0].id, cast.accounts_a[1].id
    actor = cast.actor("carol")
    position = _page(actor, own, bill.number).lines[0].position
    assert db.read(account_bills.line, actor, own, bill.id, position).amount_minor == 1_500
    for person, account_id in ((actor, other), (cast.actor("mallory"), cast.accounts_b[0].id), (_viewer(cast), other)):
        with pytest.raises(NotFound):
            db.read(account_bills.line, person, account_id, bill.id, position)


def test_billed_per_month_is_the_actors_own_part(cast: Cast) -> None:
    db.write(_bill, cast)
    assert [month.amount_minor for month in db.read(billed_per_month, cast.actor("carol"))] == [0] * 11 + [4_000]
    assert db.read(billed_per_month, _viewer(cast))[-1].amount_minor == 1_500
    assert db.read(billed_per_month, cast.actor("mallory"))[-1].amount_minor == 0
    with pytest.raises(Denied):
        db.read(billed_per_month, cast.actor("bob"))


def test_amounts_of_a_chart_are_short() -> None:
    amounts = [("EUR", 120_000), ("EUR", 120_050), ("JPY", 12_000)]
    assert [round_amount(*one) for one in amounts] == ["€1,200", "€1,200.50", "¥12,000"]


def _line(plan: str = "monthly", **book: int) -> AccountLine:
    """A graduated line of half a period, as the cycle makes it."""
    prices = {"exchange": ServicePrice("exchange", Basis.UNIT, (Tier(0, 200), Tier(10, 150)))}
    terms = {"monthly_minimum_minor": 0, "annual_discount_bp": 1_000, "tax_bp": 1_900} | book
    usage = [Usage("exchange", 12, 5_000_000_000, (TaskUsage("Mailboxes of Ash", 12, 5_000_000_000),))]
    span = pieces(date(2026, 11, 16), date(2026, 12, 1), date(2026, 11, 1), 12 if plan == "annual" else 1)
    made = account_lines(
        1, "Ash", usage, Book(1, "EUR", date(2026, 1, 1), prices=prices, **terms), plan=plan, pieces=span
    )[-1]
    return AccountLine(
        position=1,
        service=made.service,
        description=made.description,
        starts_on=made.starts_on,
        ends_on=made.ends_on,
        quantity_milli=made.quantity_milli,
        unit=made.unit,
        unit_minor=made.unit_minor,
        amount_minor=made.amount_minor,
        currency="EUR",
        trace=made.trace,
    )


def _reasons(line: AccountLine) -> dict[str, str]:
    return {reason["label"]: reason["text"] for reason in why.reasons(line)}


def test_why_tells_entities_prices_and_days() -> None:
    line = _line()
    told = _reasons(line)
    assert told["Usage"] == "12 mailboxes"
    assert told["Price"] == "10 mailboxes x €2.00 = €20.00"
    assert told["Above 10 mailboxes"] == "2 mailboxes x €1.50 = €3.00"
    assert told["Days"] == "15 of the period's 30 days: the amount is that part of the price"
    assert told["Price list"] == "Valid from Jan 1, 2026"
    assert told["Amount"] == "€11.50, before tax"
    assert [task["name"] for task in why.tasks(line)] == ["Mailboxes of Ash"]


def test_why_tells_the_discount_of_a_year() -> None:
    assert _reasons(_line("annual"))["A year"] == "12 monthly prices less 10 %, rounded for each unit"


def test_why_tells_the_minimum() -> None:
    told = _reasons(_line(monthly_minimum_minor=4_000))
    assert told["Minimum for these days"] == "€20.00"
    assert told["Lines of these days"] == "€11.50"
    assert told["Amount"] == "€8.50, before tax"


def test_a_line_without_a_trace_has_its_amount() -> None:
    told = _reasons(replace(_line(), trace={}))
    assert told["Rule"] == "Entered by the provider."
    assert told["Amount"] == "€11.50, before tax"


def test_the_page(cast: Cast) -> None:
    bill = db.write(_bill, cast)
    account_id = cast.accounts_a[1].id

    async def scene(made: Pipeline) -> list[Answer]:
        tab = made.tab(cookie_of(cast.carol), path=f"/billing/accounts/{account_id}?bill={bill.number}")
        loaded = await tab.send(name_of("account_bills_state.load"))
        return [loaded, await tab.send(name_of("account_bills_state.ask_why"), {"position": 1})]

    loaded, why_it = play(scene)
    assert (loaded.var("title"), loaded.var("shown")) == ("Alpha Birch", str(bill.number))
    assert [one["amount"] for one in loaded.var("bills")] == ["$25.00"]
    assert loaded.var("may_subscribe") in (None, False)
    assert why_it.var("reasons")


def test_today_is_in_the_chart_of_this_month(cast: Cast) -> None:
    assert db.read(billed_per_month, cast.actor("carol"))[-1].first == clock.today().replace(day=1)


def test_the_offer_is_what_the_first_whole_period_costs(cast: Cast) -> None:
    """Bob's scope holds one trial; the two others of the partner are subscribed."""
    db.write(billing.book, None, {"generic": (Basis.UNIT, 300)}, tax_bp=1_000)
    db.write(_entities, cast, 7)
    ids = [account.id for account in (*cast.accounts_a, *cast.accounts_b)]
    offer = db.read(offers.price_of, cast.actor("alice"), ids, "monthly")
    assert (offer.trials, offer.amount_minor) == (1, 2_310)
    assert offer.words == "$23.10 a month, tax included, for 1 account with the usage of today."
    assert db.read(offers.price_of, cast.actor("alice"), ids, "annual").amount_minor == 12 * 2_310
    with pytest.raises(Denied):
        db.read(offers.price_of, cast.actor("carol"), ids, "monthly")
    assert db.read(offers.price_of, cast.actor("mallory"), [cast.accounts_a[0].id], "monthly").trials == 0


def test_without_prices_there_is_no_offer(cast: Cast) -> None:
    with pytest.raises(NotFound):
        db.read(offers.price_of, cast.actor("alice"), [cast.accounts_a[0].id], "monthly")


def _entities(session: Session, cast: Cast, entities: int) -> None:
    session.execute(update(BackupTask).values(billed_entities=entities, service="generic"))


def test_the_subscription_is_changed_and_the_change_taken_back(cast: Cast) -> None:
    async def scene(made: Pipeline) -> list[Answer]:
        tab = made.tab(cookie_of(cast.alice), path=f"/billing/accounts/{cast.accounts_a[1].id}")
        answers = [await tab.send(name_of("account_bills_state.load"))]
        for act in ("change", "undo", "cancel"):
            await tab.send(name_of("account_bills_state.ask"), {"act": act})
            answers.append(await tab.send(name_of("account_bills_state.act")))
        return answers

    loaded, changed, undone, canceled = play(scene)
    assert (loaded.var("other_plan"), loaded.var("may_subscribe")) == ("annual", True)
    assert changed.var("changing") is True
    assert undone.var("changing") is False
    assert "The subscription ends on" in canceled.var("text")


def test_a_seat_cap_is_kept_or_told_what_is_wrong(cast: Cast) -> None:
    db.write(_entities, cast, 9)

    async def scene(made: Pipeline) -> list[Answer]:
        tab = made.tab(cookie_of(cast.alice), path=f"/billing/accounts/{cast.accounts_a[1].id}")
        await tab.send(name_of("account_bills_state.load"))
        name = name_of("account_bills_state.save_cap")
        return [await tab.send(name, {"form": {"seat_cap": typed}}) for typed in ("many", "0", "5")]

    words, zero, kept = play(scene)
    assert words.var("ask_error") and zero.var("ask_error")
    assert "its cap is 5" in kept.var("over_cap")
