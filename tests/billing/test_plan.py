"""What a day bills: each rule of spec 5.2 by an example."""

from dataclasses import replace
from datetime import date

from portal_app.billing import plan
from portal_app.billing.plan import Cover, Draft
from portal_app.models import BillingMethod, BillKind, Plan
from tests.billing.plans import book, contract, run, seats, terms


def days(draft: Draft) -> list[tuple[date, date]]:
    return [(cover.starts_on, cover.ends_on) for cover in draft.covers]


def test_the_payment_day_bills_the_next_month_and_the_days_since_the_start():
    (bill,), _ = run(terms(), [contract(1, date(2023, 1, 10))], date(2023, 1, 10), date(2023, 2, 19))
    assert (bill.kind, bill.account_id, bill.once) == (BillKind.CONSOLIDATED, None, "monthly:7:2023-01-20")
    assert (bill.issued_on, bill.effective_on, bill.due_on) == (date(2023, 1, 20), date(2023, 2, 1), date(2023, 2, 20))
    assert bill.covers == (Cover(1, date(2023, 1, 10), date(2023, 3, 1)),)
    # 22 of January's 31 days, then February.
    assert [line.amount_minor for line in bill.lines] == [710, 1000]
    assert [line.description for line in bill.lines] == [
        "Microsoft 365 Exchange, 22 of 31 days",
        "Microsoft 365 Exchange",
    ]
    assert (bill.net_minor, bill.tax_minor, bill.total_minor) == (1710, 342, 2052)
    assert [(share.account_id, share.amount_minor) for share in bill.shares] == [(1, 2052)]


def test_a_month_later_the_month_alone_is_billed():
    bills, _ = run(terms(), [contract(1, date(2023, 1, 10))], date(2023, 1, 10), date(2023, 3, 20))
    assert [days(bill) for bill in bills[1:]] == [
        [(date(2023, 3, 1), date(2023, 4, 1))],
        [(date(2023, 4, 1), date(2023, 5, 1))],
    ]


def test_all_monthly_accounts_go_on_one_bill_in_the_order_of_their_names():
    accounts = [
        contract(1, date(2023, 1, 20), name="zeta"),
        contract(2, date(2023, 1, 20), name="Alpha"),
        contract(3, date(2023, 1, 20), Plan.ANNUAL),
    ]
    bills, _ = run(terms(), accounts, date(2023, 1, 20), date(2023, 1, 20))
    assert [(bill.kind, bill.account_id, bill.plan) for bill in bills] == [
        (BillKind.ACCOUNT, 3, Plan.ANNUAL),
        (BillKind.CONSOLIDATED, None, Plan.MONTHLY),
    ]
    assert [line.account_name for line in bills[1].lines] == ["Alpha", "Alpha", "zeta", "zeta"]


def test_a_card_bill_is_due_at_once_and_an_annual_bill_is_by_invoice_all_the_same():
    accounts = [contract(1, date(2023, 1, 20)), contract(2, date(2023, 1, 20), Plan.ANNUAL)]
    (annual, monthly), _ = run(terms(method=BillingMethod.CARD), accounts, date(2023, 1, 20), date(2023, 1, 20))
    assert (monthly.method, monthly.due_on) == (BillingMethod.CARD, date(2023, 1, 20))
    assert (annual.method, annual.due_on) == (BillingMethod.INVOICE, date(2023, 2, 20))


def test_without_a_chosen_method_nothing_is_left_unbilled():
    (bill,), _ = run(terms(method=None), [contract(1, date(2023, 1, 20))], date(2023, 1, 20), date(2023, 1, 20))
    assert bill.method == BillingMethod.INVOICE


def test_payment_day_31_is_the_last_of_every_month():
    bills, _ = run(terms(payment_day=31), [contract(1, date(2024, 1, 1))], date(2024, 1, 1), date(2024, 4, 30))
    assert [(bill.issued_on, bill.due_on) for bill in bills] == [
        (date(2024, 1, 31), date(2024, 2, 29)),
        (date(2024, 2, 29), date(2024, 3, 31)),
        (date(2024, 3, 31), date(2024, 4, 30)),
        (date(2024, 4, 30), date(2024, 5, 31)),
    ]


def test_an_earlier_payment_day_skips_a_month_and_loses_none():
    _, before = run(terms(payment_day=25), [contract(1, date(2023, 1, 1))], date(2023, 1, 1), date(2023, 2, 10))
    (bill,), _ = run(terms(payment_day=5), before.contracts, date(2023, 2, 11), date(2023, 3, 5))
    assert (bill.issued_on, days(bill)) == (date(2023, 3, 5), [(date(2023, 3, 1), date(2023, 5, 1))])


def test_a_later_payment_day_bills_again_only_whoever_came_meanwhile():
    accounts = [contract(1, date(2023, 1, 1)), contract(2, date(2023, 1, 8))]
    _, before = run(terms(payment_day=5), accounts[:1], date(2023, 1, 1), date(2023, 1, 10))
    (bill,), _ = run(terms(payment_day=25), [*before.contracts, accounts[1]], date(2023, 1, 11), date(2023, 2, 24))
    assert bill.covers == (Cover(2, date(2023, 1, 8), date(2023, 3, 1)),)


def test_a_year_is_billed_at_its_start_and_a_month_before_it_is_renewed():
    bills, _ = run(terms(), [contract(1, date(2024, 2, 29), Plan.ANNUAL)], date(2024, 2, 29), date(2028, 3, 1))
    assert [(bill.issued_on, bill.effective_on, bill.due_on) for bill in bills] == [
        (date(2024, 2, 29), date(2024, 2, 29), date(2024, 3, 29)),
        (date(2025, 1, 29), date(2025, 2, 28), date(2025, 3, 29)),
        (date(2026, 1, 29), date(2026, 2, 28), date(2026, 3, 29)),
        (date(2027, 1, 29), date(2027, 2, 28), date(2027, 3, 29)),
        (date(2028, 1, 29), date(2028, 2, 29), date(2028, 3, 29)),
    ]
    assert {bill.net_minor for bill in bills} == {12000}


def test_annual_subscriptions_of_one_day_share_a_bill_where_an_operator_said_so():
    accounts = [contract(n, date(2023, 1, 10), Plan.ANNUAL, excluded=n == 3) for n in (1, 2, 3)]
    bills, _ = run(terms(annual_together=True), accounts, date(2023, 1, 10), date(2023, 1, 10))
    assert [(bill.kind, [cover.account_id for cover in bill.covers]) for bill in bills] == [
        (BillKind.CONSOLIDATED, [1, 2]),
        (BillKind.ACCOUNT, [3]),
    ]
    apart, _ = run(terms(), accounts, date(2023, 1, 10), date(2023, 1, 10))
    assert len(apart) == 3


def test_an_account_off_the_consolidated_bill_is_billed_on_its_own_day():
    bills, _ = run(terms(), [contract(1, date(2023, 1, 31), excluded=True)], date(2023, 1, 31), date(2023, 3, 31))
    assert [(bill.kind, bill.issued_on, days(bill)[0], bill.net_minor) for bill in bills] == [
        (BillKind.ACCOUNT, date(2023, 1, 31), (date(2023, 1, 31), date(2023, 2, 28)), 1000),
        (BillKind.ACCOUNT, date(2023, 2, 28), (date(2023, 2, 28), date(2023, 3, 31)), 1000),
        (BillKind.ACCOUNT, date(2023, 3, 31), (date(2023, 3, 31), date(2023, 4, 30)), 1000),
    ]
    assert [bill.due_on for bill in bills] == [date(2023, 2, 28), date(2023, 3, 31), date(2023, 4, 30)]


def test_off_the_consolidated_bill_and_back_no_day_is_lost():
    _, outcome = run(terms(), [contract(1, date(2023, 1, 10))], date(2023, 1, 10), date(2023, 1, 25))
    off = [replace(each, excluded=True) for each in outcome.contracts]
    (own,), outcome = run(terms(), off, date(2023, 1, 26), date(2023, 3, 15))
    assert (own.issued_on, days(own)) == (date(2023, 3, 10), [(date(2023, 3, 1), date(2023, 4, 10))])
    back = [replace(each, excluded=False) for each in outcome.contracts]
    (bill,), _ = run(terms(), back, date(2023, 3, 16), date(2023, 4, 19))
    assert days(bill) == [(date(2023, 4, 10), date(2023, 5, 1))]
    assert bill.net_minor == 700


def test_an_account_taken_off_before_its_first_bill_is_billed_at_once():
    (bill,), _ = run(terms(), [contract(1, date(2023, 1, 20), excluded=True)], date(2023, 1, 23), date(2023, 2, 19))
    assert (bill.issued_on, bill.effective_on, bill.due_on) == (date(2023, 1, 23), date(2023, 1, 20), date(2023, 2, 23))
    assert days(bill) == [(date(2023, 1, 20), date(2023, 2, 20))]


def test_from_monthly_to_annual_at_the_end_of_what_is_covered():
    _, outcome = run(terms(), [contract(1, date(2023, 1, 10))], date(2023, 1, 10), date(2023, 2, 10))
    wished = [replace(each, next_plan=Plan.ANNUAL) for each in outcome.contracts]
    (bill,), after = run(terms(), wished, date(2023, 2, 11), date(2023, 3, 31))
    assert (bill.issued_on, bill.plan, days(bill)) == (
        date(2023, 3, 1),
        Plan.ANNUAL,
        [(date(2023, 3, 1), date(2024, 3, 1))],
    )
    assert (after.contracts[0].plan, after.contracts[0].next_plan) == (Plan.ANNUAL, None)


def test_from_annual_to_monthly_there_is_no_renewal_bill():
    account = contract(1, date(2023, 1, 10), Plan.ANNUAL)
    _, outcome = run(terms(), [account], date(2023, 1, 10), date(2023, 6, 1))
    wished = [replace(each, next_plan=Plan.MONTHLY) for each in outcome.contracts]
    (bill,), _ = run(terms(), wished, date(2023, 6, 2), date(2024, 2, 19))
    assert (bill.issued_on, bill.kind, days(bill)) == (
        date(2024, 1, 20),
        BillKind.CONSOLIDATED,
        [(date(2024, 1, 10), date(2024, 3, 1))],
    )


def test_a_cancelled_account_is_billed_no_further_and_ends_where_its_days_do():
    _, outcome = run(terms(), [contract(1, date(2023, 1, 10))], date(2023, 1, 10), date(2023, 2, 10))
    cancelled = [replace(each, ends=True) for each in outcome.contracts]
    assert cancelled[0].period_end(date(2023, 2, 10)) == date(2023, 3, 1)
    bills, before = run(terms(), cancelled, date(2023, 2, 11), date(2023, 2, 28))
    assert (bills, before.ended, before.contracts) == ([], (), tuple(cancelled))
    _, after = run(terms(), before.contracts, date(2023, 3, 1), date(2023, 3, 1))
    assert (after.ended, after.contracts, after.drafts) == ((1,), (), ())


def test_days_that_no_bill_covers_are_billed_before_an_end():
    account = contract(1, date(2023, 1, 21), ends=True)
    assert account.period_end(date(2023, 1, 25)) == date(2023, 2, 1)
    (bill,), after = run(terms(), [account], date(2023, 1, 25), date(2023, 2, 1))
    assert (bill.issued_on, bill.kind, days(bill)) == (
        date(2023, 1, 25),
        BillKind.ACCOUNT,
        [(date(2023, 1, 21), date(2023, 2, 1))],
    )
    assert after.ended == (1,)


def test_a_year_that_was_never_billed_is_billed_before_it_ends():
    account = contract(1, date(2023, 1, 21), Plan.ANNUAL, ends=True)
    (bill,), after = run(terms(), [account], date(2023, 1, 22), date(2024, 1, 21))
    assert days(bill) == [(date(2023, 1, 21), date(2024, 1, 21))]
    assert after.ended == (1,)


def test_an_end_taken_back_after_the_renewals_day_renews_at_once():
    _, outcome = run(terms(), [contract(1, date(2023, 1, 10), Plan.ANNUAL)], date(2023, 1, 10), date(2023, 1, 10))
    (bill,), _ = run(terms(), outcome.contracts, date(2023, 12, 28), date(2023, 12, 28))
    assert (bill.effective_on, bill.due_on) == (date(2024, 1, 10), date(2024, 2, 10))


def test_a_bill_of_nothing_is_not_issued_but_its_days_are_done():
    bills, outcome = run(
        terms(), [contract(1, date(2023, 1, 10))], date(2023, 1, 10), date(2023, 1, 20), used={1: seats(0)}
    )
    assert not bills
    assert outcome.contracts[0].covered_until == date(2023, 3, 1)


def test_an_account_without_usage_has_no_share_of_a_bill_that_covers_it():
    accounts = [contract(1, date(2023, 1, 20)), contract(2, date(2023, 1, 20))]
    (bill,), _ = run(terms(), accounts, date(2023, 1, 20), date(2023, 1, 20), used={1: seats(1)})
    assert [share.account_id for share in bill.shares] == [1]
    assert [cover.account_id for cover in bill.covers] == [1, 2]


def test_reverse_charge_has_no_tax():
    (bill,), _ = run(terms(reverse_charge=True), [contract(1, date(2023, 1, 20))], date(2023, 1, 20), date(2023, 1, 20))
    assert (bill.tax_bp, bill.tax_minor, bill.total_minor) == (0, 0, bill.net_minor)


def test_a_day_worked_on_twice_bills_once():
    accounts = [
        contract(1, date(2023, 1, 20)),
        contract(2, date(2023, 1, 20), Plan.ANNUAL),
        contract(3, date(2023, 1, 20), excluded=True),
    ]
    bills, outcome = run(terms(), accounts, date(2023, 1, 20), date(2023, 1, 20))
    assert len(bills) == 3
    again = plan.day(terms(), outcome.contracts, {}, book(), date(2023, 1, 20))
    assert (again.drafts, again.contracts) == ((), outcome.contracts)
