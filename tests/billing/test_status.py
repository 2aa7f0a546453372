"""Billing > Status: who sees which accounts and sums, and the first choice of how to be billed."""

from dataclasses import replace

import pytest
from sqlalchemy import update
from sqlmodel import Session, col, select

from portal_app import db
from portal_app.auth.permissions import Permission
from portal_app.billing import service
from portal_app.billing.query import StatusQuery
from portal_app.billing.rows import StatusPage
from portal_app.errors import Conflict, Denied, PortalError
from portal_app.models import AuditEvent, BackupTask, Basis, BillingProfile
from tests.billing import factories as billing
from tests.cast import Cast, cookie_of
from tests.security.pipeline import Answer, Pipeline, name_of, play


def _page(cast: Cast, name: str, query: StatusQuery | None = None) -> StatusPage:
    return db.read(service.status_page, cast.actor(name), query or StatusQuery())


def _bill_of_two(session: Session, cast: Cast) -> None:
    billing.bill(session, cast.partner_a, [(cast.accounts_a[0], 1_500), (cast.accounts_a[1], 2_500)])


@pytest.mark.parametrize("name", ["bob", "nina", "dave", "olga"])
def test_who_may_not_view_billing_is_refused(cast: Cast, name: str) -> None:
    with pytest.raises(Denied):
        _page(cast, name)


def test_everybody_sees_their_own_accounts_and_sums_only(cast: Cast) -> None:
    db.write(_bill_of_two, cast)
    carol, mallory = _page(cast, "carol"), _page(cast, "mallory")
    assert [row.name for row in carol.rows] == ["Alpha Ash", "Alpha Birch", "Alpha Elm"]
    assert (carol.total, carol.due_minor) == (3, 4_000)
    assert [row.name for row in mallory.rows] == ["Beta Oak", "Beta Pine"]
    assert mallory.due_minor == 0


def test_chosen_accounts_hide_the_rest_of_a_consolidated_bill(cast: Cast) -> None:
    db.write(_bill_of_two, cast)
    bob = replace(cast.actor("bob"), permissions=frozenset({Permission.BILLING_VIEW}))
    found = db.read(service.status_page, bob, StatusQuery())
    assert ([row.name for row in found.rows], found.total, found.due_minor) == (["Alpha Ash"], 1, 1_500)


def test_search_and_filters(cast: Cast) -> None:
    assert [row.name for row in _page(cast, "carol", StatusQuery(search="birch")).rows] == ["Alpha Birch"]
    assert [row.name for row in _page(cast, "carol", StatusQuery(billing="overdue")).rows] == ["Alpha Ash"]
    assert [row.name for row in _page(cast, "carol", StatusQuery(status="annual")).rows] == ["Alpha Elm"]


def test_the_method_is_chosen_once_and_audited(cast: Cast) -> None:
    db.write(service.choose_method, cast.actor("carol"), "invoice")
    assert _page(cast, "alice").method == "invoice"
    with pytest.raises(Conflict):
        db.write(service.choose_method, cast.actor("alice"), "card")
    told = db.read(lambda session: session.exec(select(AuditEvent).order_by(col(AuditEvent.id))).all())
    assert [(row.performed_by, row.description) for row in told] == [
        ("carol@people.example", "Billing method: Invoice")
    ]


@pytest.mark.parametrize(("name", "method"), [("bob", "card"), ("olga", "card"), ("alice", "barter")])
def test_no_other_choice(cast: Cast, name: str, method: str) -> None:
    with pytest.raises(PortalError):
        db.write(service.choose_method, cast.actor(name), method)
    assert db.read(lambda session: session.exec(select(BillingProfile)).all()) == []


def test_the_page(cast: Cast) -> None:
    db.write(_bill_of_two, cast)

    async def scene(made: Pipeline) -> tuple[Answer, Answer]:
        tab = made.tab(cookie_of(cast.carol), path="/billing/status?search=birch")
        loaded = await tab.send(name_of("status_state.load"))
        return loaded, await tab.send(name_of("status_state.choose"), {"method": "card"})

    loaded, chosen = play(scene)
    assert [line["name"] for line in loaded.var("lines")] == ["Alpha Birch"]
    assert (loaded.var("count"), loaded.var("due")) == ("1 of 3 accounts", "$40.00")
    assert loaded.var("billing_tabs")[0] == "/billing/status"
    assert chosen.var("method") == "card"


def test_the_forecasts_follow_the_lines(cast: Cast) -> None:
    db.write(billing.book, None, {"generic": (Basis.UNIT, 300)})
    db.write(lambda session: session.execute(update(BackupTask).values(billed_entities=7, service="generic")))

    async def scene(made: Pipeline) -> Answer:
        return await made.tab(cookie_of(cast.carol), path="/billing/status").send(name_of("status_state.load"))

    loaded, ids = play(scene), [account.id for account in cast.accounts_a]
    forecasts = {int(key): words for key, words in loaded.var("forecasts").items()}
    assert sorted(forecasts) == ids[1:]
    assert loaded.var("forecast").startswith("$")
    assert (
        len(loaded.var("billed").rows if hasattr(loaded.var("billed"), "rows") else loaded.var("billed")["rows"]) == 13
    )
