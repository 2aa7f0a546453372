"""The handlers behind History, Unpaid Bills, the payment's result and Payment Details, through the guard."""

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session, select

from portal_app import clock, db
from portal_app.auth.permissions import Permission
from portal_app.models import (
    Bill,
    BillingProfile,
    BillState,
    OutboxMail,
    Role,
    User,
)
from tests import factories
from tests.billing.factories import bill
from tests.cast import Cast, cookie_of
from tests.security.pipeline import Pipeline, Tab, name_of, play

UNPAID, HISTORY, DETAILS = "/billing/unpaid", "/billing/history", "/billing/payment-details"
PAGE = "https://pay.example/session/1"
FORM = {"company": "Alpha", "email": "bills@alpha.example", "country": "US", "payment_day": "5", "delivery": "link"}


def make_bills(session: Session, cast: Cast) -> list[Bill]:
    """A shared one that is due, Ash's own that is overdue, a paid one; and one of the other partner."""
    ash, birch, _ = cast.accounts_a
    late = clock.today() - timedelta(days=3)
    return [
        bill(session, cast.partner_a, [(ash, 1_000), (birch, 2_000)]),
        bill(session, cast.partner_a, [(ash, 500)], due_on=late, issued_on=late - timedelta(days=30)),
        bill(session, cast.partner_a, [(birch, 70)], state=BillState.PAID),
        bill(session, cast.partner_b, [(cast.accounts_b[0], 9_000)]),
    ]


def make_rita(session: Session, cast: Cast) -> User:
    """Sees and pays bills, of Alpha's first account only."""
    may = [str(Permission.BILLING_VIEW), str(Permission.BILLS_PAY)]
    rita = factories.user(session, cast.partner_a, role=Role.CUSTOM, permissions=may)
    factories.give_accounts(session, rita, cast.accounts_a[0])
    return rita


@pytest.fixture
def bills(cast: Cast) -> list[Bill]:
    return db.write(make_bills, cast)


async def opened(made: Pipeline, user: User, path: str) -> tuple[Tab, Any]:
    tab = made.tab(cookie_of(user), path=path)
    state = "payment_details_state" if path.startswith(DETAILS) else "bills_state"
    return tab, await tab.send(name_of(f"{state}.load"))


def rows(model: Any) -> list[Any]:
    return db.read(lambda session: list(session.exec(select(model))))


def test_unpaid_bills_say_what_is_owed_and_what_can_be_done(cast: Cast, bills: list[Bill]) -> None:
    async def scene(made: Pipeline) -> None:
        _, answer = await opened(made, cast.carol, UNPAID)
        shared, own = answer.var("lines")
        assert (shared["name"], shared["amount"], shared["status"]) == ("Consolidated bill", "$30.00", "Due")
        assert (shared["pdf"], shared["csv"]) == tuple(f"/billing/bills/{bills[0].number}.{x}" for x in ("pdf", "csv"))
        assert (own["name"], own["status"], own["csv"]) == ("Alpha Ash", "Overdue", "")
        assert (answer.var("total_amount"), answer.var("overdue_amount")) == ("$35.00", "$5.00")
        assert (answer.var("due_amount"), answer.var("invoices")) == ("$30.00", 2)
        assert [one.kind for one in answer.var("banners")] == ["red", "orange"]

    play(scene)


def test_who_sees_chosen_accounts_gets_their_part_and_no_document(cast: Cast, bills: list[Bill]) -> None:
    rita = db.write(make_rita, cast)

    async def scene(made: Pipeline) -> None:
        tab, answer = await opened(made, rita, UNPAID)
        shared, own = answer.var("lines")
        assert (shared["amount"], shared["note"]) == ("$10.00", "Your accounts' part of it")
        assert shared["pdf"] == shared["csv"] == ""
        assert own["pdf"]
        assert "30.00" not in str(answer.deltas)
        answer = await tab.send(name_of("bills_state.email"), {"bill_id": bills[0].id})
        assert answer.var("text") == "There is no such bill."

    play(scene)
    assert rows(OutboxMail) == []


@pytest.mark.parametrize("act", ["email"])
@pytest.mark.parametrize("which", [3, None])
def test_a_strangers_bill_is_as_unknown_as_one_that_isnt_there(
    cast: Cast, bills: list[Bill], act: str, which: int | None
) -> None:
    async def scene(made: Pipeline) -> Any:
        tab, _ = await opened(made, cast.alice, UNPAID)
        bill_id = 777 if which is None else bills[which].id
        return await tab.send(name_of(f"bills_state.{act}"), {"bill_id": bill_id})

    answer = play(scene)
    assert (answer.var("kind"), answer.var("text")) == ("red", "There is no such bill.")
    assert rows(OutboxMail) == []


def test_filters_and_a_page_too_far_come_from_the_address(cast: Cast, bills: list[Bill]) -> None:
    async def scene(made: Pipeline) -> None:
        _, answer = await opened(made, cast.alice, f"{UNPAID}?status=overdue&page=9&size=50")
        assert [line["number"] for line in answer.var("lines")] == [bills[1].number]
        assert (answer.var("page"), answer.var("size"), answer.var("count")) == (1, 50, "1 of 2 bills")
        _, answer = await opened(made, cast.alice, f"{HISTORY}?search=birch")
        assert [line["number"] for line in answer.var("lines")] == [bills[2].number]
        assert answer.var("shown") == HISTORY

    play(scene)


def test_an_invoice_goes_to_the_billing_address(cast: Cast, bills: list[Bill]) -> None:
    async def scene(made: Pipeline) -> None:
        tab, _ = await opened(made, cast.carol, DETAILS)
        await tab.send(name_of("payment_details_state.save"), {"form": FORM})
        tab, _ = await opened(made, cast.carol, UNPAID)
        answer = await tab.send(name_of("bills_state.email"), {"bill_id": bills[0].id})
        assert answer.var("text") == "The invoice is on its way to bills@alpha.example."

    play(scene)
    assert [one.recipient for one in rows(OutboxMail)] == ["bills@alpha.example"]


def test_details_keep_what_was_typed_and_say_what_is_wrong(cast: Cast) -> None:
    async def scene(made: Pipeline) -> None:
        tab, first = await opened(made, cast.carol, DETAILS)
        assert first.var("saved")["company"] == "Alpha"
        wrong = FORM | {"country": "DE", "tax_id": "DE136695977", "company": 7}
        answer = await tab.send(name_of("payment_details_state.save"), {"form": wrong})
        assert set(answer.var("errors")) == {"tax_id", "company"}
        assert rows(BillingProfile) == []
        answer = await tab.send(name_of("payment_details_state.save"), {"form": FORM})
        assert (answer.var("errors"), answer.var("text"), answer.var("saving")) == ({}, "Saved.", False)
        answer = await tab.send(name_of("payment_details_state.save"), {"form": FORM})
        assert answer.var("text") == "Nothing was changed."

    play(scene)
