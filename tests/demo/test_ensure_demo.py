"""The demo is made once, only where it belongs, and its published password ends with it."""

import threading

import pytest
from sqlmodel import Session, func, select

from portal_app import clock, db
from portal_app.accounts.data_centers import ensure_data_centers
from portal_app.auth.actor import system
from portal_app.demo import generator, people
from portal_app.demo.service import ensure_demo, is_open
from portal_app.errors import Conflict
from portal_app.models import Account, AccountTotal, BackupRun, DataCenter, Partner, User, UserState
from portal_app.operator.service import NewPartner, create_operator, create_partner
from portal_app.settings import reset_settings
from tests import factories

PASSWORD = "a quiet harbour at dawn"
ACME = NewPartner("ACME01", "Acme", "EUR", "Europe/Paris", "admin@acme.test", "Ann", PASSWORD)


def _count(session: Session, model: type) -> int:
    return session.exec(select(func.count()).select_from(model)).one()


def _counts() -> dict[str, int]:
    with db.reading() as session:
        return {model.__name__: _count(session, model) for model in (Partner, User, Account, BackupRun, DataCenter)}


@pytest.mark.usefixtures("demo")
def test_the_second_call_changes_nothing() -> None:
    before = _counts()
    assert not ensure_demo()
    assert _counts() == before


@pytest.mark.usefixtures("database")
def test_of_two_at_once_one_makes_it() -> None:
    answers: list[bool] = []
    start = threading.Barrier(2)

    def make() -> None:
        start.wait()
        answers.append(ensure_demo())

    threads = [threading.Thread(target=make) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [False, True]
    assert _counts()["Account"] == 72


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("taken", ["user", "partner", "account"])
def test_a_taken_name_stops_it_whole(taken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTAL_DEMO", "1")
    reset_settings()
    with db.writing() as session:
        partner = factories.partner(session, **({"code": "RESEL001"} if taken == "partner" else {}))
        if taken == "user":
            factories.user(session, partner, email="Admin@Demo.Example")
        if taken == "account":
            factories.account(session, partner, email="Q@q-branch.example")
    before = _counts()
    with pytest.raises(Conflict, match=r"(?i)(admin@demo|RESEL001|q@q-branch).* in use"):
        ensure_demo()
    assert _counts() == before


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("present", ["partner", "operator", "setting"])
def test_a_real_deployment_gets_none(present: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if present == "setting":
        monkeypatch.setenv("PORTAL_DEMO", "0")
        reset_settings()
    with db.writing() as session:
        if present == "partner":
            factories.partner(session)
        if present == "operator":
            factories.user(session, kind="operator")
    before = _counts()
    assert not ensure_demo()
    with pytest.raises(Conflict, match="not a demo"):
        generator.generate(5)
    assert _counts() == before


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize("real", ["partner", "operator"])
def test_the_first_real_person_ends_the_published_password(real: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert db.read(is_open)
    if real == "partner":
        db.write(create_partner, system(), ACME)
    else:
        db.write(create_operator, system(), "ann@provider.test", "Ann", PASSWORD)
    with db.reading() as session:
        states = {user.email: user.state for user in session.exec(select(User)).all()}
    assert {state for email, state in states.items() if email in {p.email for p in people.PEOPLE}} == {
        UserState.DISABLED
    }
    assert UserState.ACTIVE in states.values()
    monkeypatch.setenv("PORTAL_DEMO", "1")
    reset_settings()
    assert not ensure_demo()
    assert db.read(is_open)


@pytest.mark.usefixtures("demo")
def test_turned_off_by_the_setting_it_closes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTAL_DEMO", "0")
    reset_settings()
    assert not ensure_demo()
    assert not db.read(is_open)


@pytest.mark.usefixtures("database")
def test_the_operators_own_places_stay() -> None:
    with db.writing() as session:
        factories.data_center(session, name="Own place")
        ensure_data_centers(session)
    assert _counts()["DataCenter"] == 1


@pytest.mark.postgres
@pytest.mark.usefixtures("postgresql_store")
def test_demo_and_generator_on_postgresql() -> None:
    assert ensure_demo()
    assert not ensure_demo()
    made = generator.generate(300, runs=2, entities=3)
    assert (made.added, made.total) == (300, 300)
    with db.reading() as session:
        assert _count(session, Account) == 372
        assert session.exec(select(func.sum(AccountTotal.accounts))).one() == 372
        # The next id comes from the sequence, not from the rows.
        factories.account(session, session.exec(select(Partner)).first(), created_at=clock.now())
