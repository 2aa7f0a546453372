"""The handlers behind History, Unpaid Bills, the payment's result and Payment Details, through the guard."""

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session, select

from portal_app import clock, db
from portal_app.auth.permissions import Permission
from portal_app.billing import cards, payments
from portal_app.errors import Conflict
from portal_app.models import (
    AttemptKind,
    AttemptState,
    Bill,
    BillingProfile,
    BillState,
    Card,
    OutboxMail,
    PaymentAttempt,
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
        assert (answer.var("due_amount"), answer.var("invoices"), answer.var("may_pay")) == ("$30.00", 2, True)
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
        for act in ("pay", "email"):
            answer = await tab.send(name_of(f"bills_state.{act}"), {"bill_id": bills[0].id})
            assert answer.var("text") == "There is no such bill."

    play(scene)
    assert rows(OutboxMail) == rows(PaymentAttempt) == []


@pytest.mark.parametrize("act", ["pay", "email"])
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
    assert rows(OutboxMail) == rows(PaymentAttempt) == []


def test_filters_and_a_page_too_far_come_from_the_address(cast: Cast, bills: list[Bill]) -> None:
    async def scene(made: Pipeline) -> None:
        _, answer = await opened(made, cast.alice, f"{UNPAID}?status=overdue&page=9&size=50")
        assert [line["number"] for line in answer.var("lines")] == [bills[1].number]
        assert (answer.var("page"), answer.var("size"), answer.var("count")) == (1, 50, "1 of 2 bills")
        _, answer = await opened(made, cast.alice, f"{HISTORY}?search=birch")
        assert [line["number"] for line in answer.var("lines")] == [bills[2].number]
        assert answer.var("shown") == HISTORY

    play(scene)


def test_pay_leaves_for_the_processor_once(cast: Cast, bills: list[Bill], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payments, "start_checkout", lambda actor, bill_id: f"{PAGE}?{actor.email}&{bill_id}")

    async def scene(made: Pipeline) -> None:
        tab, _ = await opened(made, cast.carol, UNPAID)
        answer = await tab.send(name_of("bills_state.pay"), {"bill_id": bills[0].id})
        sent = [v for d in answer.deltas for s in d.values() for k, v in s.items() if k.startswith("leave_for")]
        assert sent == [f"{PAGE}?{cast.carol.email}&{bills[0].id}", ""]
        assert answer.var("paying_id") == 0

    play(scene)


def test_a_processor_that_cant_be_reached_is_told_of(
    cast: Cast, bills: list[Bill], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(*_: Any) -> str:
        raise Conflict("It can't be reached.")

    monkeypatch.setattr(payments, "start_checkout", unreachable)
    monkeypatch.setattr(cards, "start_adding", unreachable)

    async def scene(made: Pipeline) -> None:
        for path, act, given in (
            (UNPAID, "bills_state.pay", {"bill_id": bills[0].id}),
            (DETAILS, "payment_details_state.add_card", {}),
        ):
            tab, _ = await opened(made, cast.alice, path)
            answer = await tab.send(name_of(act), given)
            assert answer.var("text") == "It can't be reached."
            assert not answer.var("leave_for")
            assert not (answer.var("paying_id") or answer.var("adding"))

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


def attempt(session: Session, of: Bill, state: AttemptState, reason: str = "") -> str:
    key = f"key-{state}"
    values = {"key": key, "bill_id": of.id, "partner_id": of.partner_id, "kind": AttemptKind.CHECKOUT, "state": state}
    values |= {"gateway": "sandbox", "amount_minor": of.total_minor, "currency": of.currency, "reason": reason}
    factories.save(session, PaymentAttempt(**values, created_at=clock.now()))
    return key


@pytest.mark.parametrize(
    ("state", "outcome"),
    [("succeeded", "paid"), ("declined", "declined"), ("canceled", "canceled"), ("started", "waiting")],
)
def test_the_result_says_how_the_payment_went_to_whom_it_concerns(
    cast: Cast, bills: list[Bill], state: str, outcome: str
) -> None:
    key = db.write(attempt, bills[0], AttemptState(state), "The card has expired.")
    rita = db.write(make_rita, cast)

    async def scene(made: Pipeline) -> None:
        for user, told in ((cast.carol, outcome), (cast.mallory, "none"), (rita, "none")):
            tab = made.tab(cookie_of(user), path=f"/billing/result?attempt={key}")
            answer = await tab.send(name_of("payment_result_state.load"))
            assert answer.var("outcome") == told
            seen = (answer.var("amount"), answer.var("number"), answer.var("reason"))
            known = ("$30.00", str(bills[0].number), "The card has expired.")
            assert seen == (known if told == outcome else ("", "", ""))
        tab = made.tab(cookie_of(cast.carol), path="/billing/result?attempt=unknown")
        assert (await tab.send(name_of("payment_result_state.load"))).var("outcome") == "none"

    play(scene)


def test_who_waits_asks_once_more(cast: Cast, bills: list[Bill], monkeypatch: pytest.MonkeyPatch) -> None:
    key = db.write(attempt, bills[0], AttemptState.STARTED)

    def paid(session: Session) -> None:
        session.exec(select(PaymentAttempt)).one().state = AttemptState.SUCCEEDED

    monkeypatch.setattr(payments, "look_up", lambda _: db.write(paid))

    async def scene(made: Pipeline) -> None:
        tab = made.tab(cookie_of(cast.carol), path=f"/billing/result?attempt={key}")
        await tab.send(name_of("payment_result_state.load"))
        answer = await tab.send(name_of("payment_result_state.check"))
        assert answer.var("outcome") == "paid"
        stranger = made.tab(cookie_of(cast.mallory), path=f"/billing/result?attempt={key}")
        await stranger.send(name_of("payment_result_state.load"))
        monkeypatch.setattr(payments, "look_up", pytest.fail)
        await stranger.send(name_of("payment_result_state.check"))

    play(scene)


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


def test_the_way_back_tells_how_it_went(cast: Cast) -> None:
    async def scene(made: Pipeline) -> None:
        for word, told in (("added", "was added"), ("none", "No card"), ("late", "not confirmed"), ("x", "")):
            _, answer = await opened(made, cast.carol, f"{DETAILS}?card={word}")
            assert told in (answer.var("text") or "")
            assert bool(answer.var("text")) is bool(told)

    play(scene)


def make_cards(session: Session, cast: Cast) -> list[Card]:
    def card(partner_id: int, number: int, *, active: bool) -> Card:
        values = {"partner_id": partner_id, "gateway": "sandbox", "token": f"card_{number}", "brand": "Visa"}
        values |= {"last4": f"{number:04}", "expiry_month": 12, "expiry_year": 2040, "active": active}
        return factories.save(session, Card(**values, created_at=clock.now()))

    a, b = cast.partner_a.id or 0, cast.partner_b.id or 0
    return [card(a, 1, active=True), card(a, 2, active=False), card(b, 3, active=True)]


def test_cards_are_activated_and_deleted_by_their_partner_only(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    made_cards = db.write(make_cards, cast)
    forgotten: list[str] = []
    monkeypatch.setattr(cards, "gateway_named", lambda _: type("Gateway", (), {"forget": forgotten.append}))

    async def scene(made: Pipeline) -> None:
        tab, first = await opened(made, cast.carol, DETAILS)
        assert [(card.last4, card.active) for card in first.var("cards")] == [("0001", True), ("0002", False)]
        activate, ask, delete = (name_of(f"payment_details_state.{act}") for act in ("activate", "ask", "delete"))
        answer = await tab.send(activate, {"card_id": made_cards[1].id})
        assert [(card.last4, card.active) for card in answer.var("cards")] == [("0002", True), ("0001", False)]
        answer = await tab.send(activate, {"card_id": made_cards[2].id})
        assert answer.var("text") == "There is no such card."
        assert not (await tab.send(ask, {"card_id": made_cards[2].id})).var("asked")
        await tab.send(delete)
        await tab.send(ask, {"card_id": made_cards[1].id})
        answer = await tab.send(delete)
        assert answer.var("text") == "The card Visa ending in 0002 was deleted."
        assert [(card.last4, card.active) for card in answer.var("cards")] == [("0001", True)]

    play(scene)
    assert forgotten == ["card_2"]
    assert {card.token for card in rows(Card)} == {"card_1", "card_3"}


def test_a_card_waits_until_it_is_shown_who_asks(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    made_cards = db.write(make_cards, cast)
    later = clock.now() + timedelta(minutes=16)
    cookie = cookie_of(cast.carol)
    monkeypatch.setattr(clock, "now", lambda: later)

    async def scene(made: Pipeline) -> None:
        tab = made.tab(cookie, path=DETAILS)
        await tab.send(name_of("payment_details_state.load"))
        for act, given in (("add_card", {}), ("activate", {"card_id": made_cards[1].id}), ("delete", {})):
            answer = await tab.send(name_of(f"payment_details_state.{act}"), given)
            assert answer.var("asked") is True, act

    play(scene)
    assert [card.active for card in rows(Card)] == [True, False, True]


def test_beyond_an_operator_s_last_page_is_the_last(cast: Cast) -> None:
    db.write(make_bills, cast)

    async def scene(made: Pipeline) -> Any:
        tab = made.tab(cookie_of(cast.olga), path="/operator/partners/ALPHA001?page=9&apage=9")
        return await tab.send(name_of("partner_finance_state.load"))

    shown = play(scene)
    assert (shown.var("page"), shown.var("pages"), len(shown.var("bills"))) == (1, 1, 3)
