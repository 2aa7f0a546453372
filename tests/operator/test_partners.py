"""Partners in the console: access first, then adding, changing, suspending; and what happens at the same moment."""

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlmodel import Session, select

from portal_app import db
from portal_app.auth import sessions, steps, tokens
from portal_app.auth.actor import Actor, ActorKind
from portal_app.auth.permissions import Permission
from portal_app.auth.steps import Method, StepKind
from portal_app.errors import Conflict, Denied, Invalid, NotFound
from portal_app.ip_restrictions import service as restrictions
from portal_app.models import AuditEvent, Partner, PartnerState, User, UserState
from portal_app.operator import partners
from portal_app.operator.query import PartnerQuery
from portal_app.operator.rows import PartnerForm
from portal_app.operator.service import NewPartner, create_partner
from portal_app.users import invitations
from tests import factories
from tests.api.conftest import new_token
from tests.billing import factories as billing
from tests.cast import HERE, Cast, cookie_of, token_of
from tests.operator.conftest import audited, now, written
from tests.security.pipeline import Pipeline, name_of, play
from tests.users.people import link_of

ACME = NewPartner("acme01", " Acme ", "eur", "Europe/Paris", "Bo@Acme.example", "Bo")
PASSWORD = "a rather odd phrase 7"
OUTSIDERS = ["alice", "bob", "carol", "nina", "dave", "mallory"]


def suspend(olga: Actor, code: str = "ALPHA001") -> None:
    db.write(partners.suspend, olga, code, "Unpaid")


@pytest.mark.parametrize("who", [*OUTSIDERS, "token"])
def test_nobody_of_a_partner_comes_in(cast: Cast, who: str) -> None:
    everything = new_token(cast.partner_a.id, *Permission)
    actor = db.read(tokens.find_token, everything) if who == "token" else cast.actor(who)
    form = PartnerForm()
    calls: list[tuple[Callable[..., Any], Any]] = [
        (partners.list_page, (PartnerQuery(),)),
        (partners.head, ("ALPHA001",)),
        (partners.opened, ("ALPHA001",)),
        (partners.details, ("ALPHA001",)),
        (partners.save, ("ALPHA001", form, form)),
        (partners.suspend, ("ALPHA001", "x")),
        (partners.reactivate, ("ALPHA001", "x")),
        (partners.resend, ("ALPHA001", cast.irene.id)),
        (restrictions.turn_off, ("ALPHA001",)),
        (create_partner, (ACME,)),
    ]
    for act, given in calls:
        with pytest.raises(Denied):
            db.write(act, actor, *given)


def test_a_disabled_operator_and_one_signed_out_do_nothing(cast: Cast, olga: Actor) -> None:
    cookie = cookie_of(cast.olga)

    async def scene(made: Pipeline) -> Any:
        tab = made.tab(cookie, path="/operator/partners/ALPHA001")
        await tab.send(name_of("partner_overview_state.load"))
        db.write(_disable, cast.olga.id)
        return await tab.send(name_of("partner_overview_state.ask"), {"act": "suspend"})

    assert play(scene).redirects


def _disable(session: Session, user_id: int) -> None:
    session.get_one(User, user_id).state = UserState.DISABLED


def test_the_administrator_is_invited_and_chooses_a_password(cast: Cast, olga: Actor) -> None:
    db.write(create_partner, olga, ACME, invited=True)
    assert audited("Partner ACME01 created") == {None, _partner("ACME01").id}
    bo = db.read(lambda s: s.exec(select(User).where(User.email == "Bo@Acme.example")).one())
    assert (bo.state, bo.password_hash, bo.role) == (UserState.INVITED, None, "administrator")
    guest = invitations.accept(link_of("Bo@Acme.example"), PASSWORD, PASSWORD, HERE)
    assert (guest.email, now(bo).state) == (bo.email, UserState.ACTIVE)
    step = db.write(steps.proceed, bo.id, HERE, method=Method.PASSWORD, second_factor_done=False)
    assert step.kind == StepKind.DONE


def _partner(code: str) -> Partner:
    return db.read(lambda s: s.exec(select(Partner).where(Partner.code == code)).one())


def test_a_code_and_an_address_count_once_and_say_so_at_their_field(cast: Cast, olga: Actor) -> None:
    for given, field in (
        (replace(ACME, code="alpha001"), "code"),
        (replace(ACME, admin_email=cast.bob.email.upper()), "admin_email"),
    ):
        with pytest.raises(Conflict) as refused:
            db.write(create_partner, olga, given, invited=True)
        assert list(refused.value.fields) == [field]


def test_of_two_with_the_same_code_at_once_one_is_made(office: Cast) -> None:
    olga = office.actor("olga")
    answers, start = [], threading.Barrier(2)

    def make(email: str) -> None:
        start.wait()
        try:
            db.write(create_partner, olga, replace(ACME, admin_email=email), invited=True)
            answers.append("made")
        except Conflict as refused:
            answers.append(str(list(refused.fields)))

    threads = [threading.Thread(target=make, args=(f"bo{number}@acme.example",)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == ["['code']", "made"]


def test_a_new_link_voids_the_one_before(cast: Cast, olga: Actor) -> None:
    db.write(create_partner, olga, ACME, invited=True)
    first = link_of("Bo@Acme.example")
    bo = db.read(lambda s: s.exec(select(User.id).where(User.email == "Bo@Acme.example")).one())
    assert db.write(partners.resend, olga, "acme01", bo) == "Bo@Acme.example"
    with pytest.raises(Denied):
        db.read(invitations.look, first, HERE)
    assert db.read(invitations.look, link_of("Bo@Acme.example"), HERE).name == "Bo"
    assert audited("a new invitation") == {None, _partner("ACME01").id}
    for code, user in (("ALPHA001", bo), ("ACME01", 99_999)):
        with pytest.raises(NotFound):
            db.write(partners.resend, olga, code, user)
    with pytest.raises(Conflict):
        db.write(partners.resend, olga, "ALPHA001", cast.alice.id)


def test_a_suspended_partner_is_out_at_its_next_event_and_its_customers_are_not(cast: Cast, olga: Actor) -> None:
    token, cookies = new_token(cast.partner_a.id), {who: cookie_of(cast.people[who]) for who in ("alice", "dave")}

    async def scene(made: Pipeline) -> dict[str, list[str]]:
        tabs = {who: made.tab(cookie) for who, cookie in cookies.items()}
        for tab in tabs.values():
            await tab.hydrate()
        suspend(olga)
        clear = name_of("shell_state.clear")
        return {who: (await tab.send(clear)).redirects for who, tab in tabs.items()}

    assert play(scene) == {"alice": ["/login"], "dave": []}
    assert db.read(tokens.find_token, token).kind == ActorKind.NOBODY
    step = db.write(steps.proceed, cast.alice.id, HERE, method=Method.PASSWORD, second_factor_done=True)
    assert step.kind == StepKind.REFUSED
    assert audited("suspended: Unpaid") == {None, cast.partner_a.id}
    assert written() == {cast.alice.email}
    with pytest.raises(Conflict):
        suspend(olga)


def test_a_reactivated_partner_comes_in_again(cast: Cast, olga: Actor) -> None:
    suspend(olga)
    db.write(partners.reactivate, olga, "ALPHA001", "Paid")
    assert db.read(sessions.identify, token_of(cast.alice), HERE).user_id == cast.alice.id
    assert audited("reactivated: Paid") == {None, cast.partner_a.id}
    with pytest.raises(Conflict):
        db.write(partners.reactivate, olga, "ALPHA001", "Again")


def test_both_ask_for_a_reason(cast: Cast, olga: Actor) -> None:
    for act in (partners.suspend, partners.reactivate):
        with pytest.raises(Invalid) as refused:
            db.write(act, olga, "ALPHA001", "  ")
        assert list(refused.value.fields) == ["reason"]
    assert now(cast.partner_a).state == PartnerState.ACTIVE


def test_contact_data_are_changed_and_the_currency_stays_once_it_counts(cast: Cast, olga: Actor) -> None:
    seen = db.read(partners.details, olga, "ALPHA001").form
    wanted = replace(seen, name="Alpha Two", phone="+33 1 23", time_zone="Asia/Tokyo", currency="jpy")
    assert db.write(partners.save, olga, "ALPHA001", seen, wanted) is True
    saved = now(cast.partner_a)
    assert (saved.name, saved.phone, saved.time_zone, saved.currency) == ("Alpha Two", "+33 1 23", "Asia/Tokyo", "JPY")
    assert audited("name, phone, time zone, currency changed") == {None, cast.partner_a.id}
    with pytest.raises(Conflict):
        db.write(partners.save, olga, "ALPHA001", seen, wanted)
    db.write(_bill, cast)
    found = db.read(partners.details, olga, "ALPHA001")
    assert found.currency_fixed
    faulty = replace(found.form, name="", email="x", time_zone="Nowhere", currency="EUR")
    with pytest.raises(Invalid) as refused:
        db.write(partners.save, olga, "ALPHA001", found.form, faulty)
    assert sorted(refused.value.fields) == ["currency", "email", "name", "time_zone"]


def _bill(session: Session, cast: Cast) -> None:
    billing.subscription(session, cast.accounts_a[1])


def test_opening_a_partner_is_in_both_audits_once_a_visit(cast: Cast, olga: Actor) -> None:
    async def scene(made: Pipeline) -> None:
        cookie = cookie_of(cast.olga)
        tab = made.tab(cookie, path="/operator/partners/ALPHA001")
        for ending in ("partner_overview_state", "partner_accounts_state", "partner_finance_state"):
            await tab.send(name_of(f"{ending}.load"))
        other = made.tab(cookie, path="/operator/audit?partner=alpha001")
        await other.send(name_of("operator_audit_state.load"))
        await other.send(name_of("operator_audit_state.answer"))

    play(scene)
    assert _times("Partner ALPHA001 opened.") == {None: 2, cast.partner_a.id: 2}


def _times(words: str) -> dict[int | None, int]:
    wanted = select(AuditEvent.partner_id).where(AuditEvent.description == words)
    return dict(Counter(db.read(lambda s: s.exec(wanted).all())))


def test_the_list_is_searched_filtered_and_turned(office: Cast) -> None:
    olga = office.actor("olga")
    db.write(lambda s: [factories.partner(s, name=f"Many {number}") for number in range(60)])
    found = db.read(partners.list_page, olga, PartnerQuery(search="many", page=3))
    assert (found.matching, found.total, len(found.rows)) == (60, 63, 10)
    shut = db.read(partners.list_page, olga, PartnerQuery(state="suspended"))
    assert [row.code for row in shut.rows] == ["SHUT0001"]
    first = db.read(partners.list_page, olga, PartnerQuery(sort="accounts", descending=True)).rows[0]
    assert (first.code, first.accounts, first.users) == ("ALPHA001", 3, 6)


def test_a_locked_out_partner_is_let_in_again(cast: Cast, olga: Actor) -> None:
    db.write(_restrict, cast.partner_a.id)
    assert db.read(partners.details, olga, "ALPHA001").ip_restricted
    assert db.write(restrictions.turn_off, olga, "ALPHA001") is True
    assert not now(cast.partner_a).ip_restricted
    assert audited("turned them off") == {None, cast.partner_a.id}


def _restrict(session: Session, partner_id: int) -> None:
    session.get_one(Partner, partner_id).ip_restricted = True
