"""A file checked against the database, and saved whole or not at all."""

import time
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, select, update

from portal_app import clock, db
from portal_app.accounts import import_save, import_service, repository
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.errors import Conflict, Invalid, NotFound
from portal_app.jobs import cycle
from portal_app.models import (
    Account,
    AccountImport,
    AccountTotal,
    AuditEvent,
    DataCenter,
    ImportState,
    Partner,
    Role,
    SubscriptionType,
    User,
    UserAccount,
)
from portal_app.text import fold
from tests import factories
from tests.accounts.import_files import audit, emails, many, put, rows, sheet, silent
from tests.cast import Cast

GOOD = sheet("Ann,ann@x.example,,", "=Bob,BOB@x.example,,Monthly", "Cid,cid@x.example,,trial_annual")


@pytest.fixture
def alice(cast: Cast) -> Actor:
    return cast.actor("alice")


def of_import(name: str) -> Account:
    with db.reading() as session:
        return session.exec(select(Account).where(Account.name == name)).one()


def test_the_check_saves_nothing(alice: Actor) -> None:
    job = put(alice, GOOD)
    before = rows(Account), len(audit())
    checked = import_service.check(alice, job, silent)
    assert (len(checked.rows), checked.faults) == (3, [])
    assert (rows(Account), len(audit())) == before


@pytest.mark.parametrize(
    "email",
    ["alpha.ash@customers.example", "BETA.OAK@Customers.Example", "mallory@people.example", "dave@people.example"],
)
def test_an_address_that_anybody_in_the_portal_has_is_a_fault(alice: Actor, email: str) -> None:
    job = put(alice, sheet("Ann,ann@x.example,,", f"Bob,{email},,", f"Bob,{email},,"))
    faults = import_service.check(alice, job, silent).faults
    assert [(f.row, f.column, f.value) for f in faults] == [(3, "Account email", email), (4, "Account email", email)]
    assert faults[0].text.startswith("This email belongs to another account or user.")


def test_saving_makes_the_accounts_as_the_form_would(alice: Actor, cast: Cast) -> None:
    job = put(alice, GOOD)
    users = rows(User)
    assert import_service.save(alice, job, silent) == import_service.Saved(3)
    ann, bob, cid = of_import("Ann"), of_import("=Bob"), of_import("Cid")
    assert {a.partner_id for a in (ann, bob, cid)} == {cast.partner_a.id}
    assert (ann.status, ann.auto_subscribe) == ("trial_started", None)
    assert ann.trial_ends_at == ann.created_at + timedelta(days=14)
    assert ann.next_step_at == ann.created_at + timedelta(days=9)
    assert (bob.status, bob.subscribed_at, bob.trial_ends_at) == ("monthly", bob.created_at, None)
    assert (bob.email, bob.email_key, bob.name_key) == ("BOB@x.example", "bob@x.example", fold("=Bob"))
    assert (cid.status, cid.auto_subscribe) == ("trial_started", "annual")
    assert rows(User) == users


def test_totals_and_search_know_the_imported(alice: Actor, cast: Cast) -> None:
    import_service.save(alice, put(alice, GOOD), silent)
    with db.reading() as session:
        mine = select(AccountTotal.accounts).where(AccountTotal.partner_id == cast.partner_a.id)
        assert sum(session.exec(mine)) == 6
        assert [row.name for row in repository.first_matches(session, alice, "bob@x.ex", 5)] == ["=Bob"]


def test_the_partners_defaults_and_the_open_data_centers_count(alice: Actor, cast: Cast) -> None:
    with db.writing() as session:
        closed = factories.data_center(session, name="Closed", active=False)
        other = factories.data_center(session, name="Other", code="ot-her")
        partner = session.get(Partner, cast.partner_a.id)
        partner.default_data_center_id, partner.default_subscription = other.id, SubscriptionType.ANNUAL
        session.add(partner)
    form = db.read(import_service.form, alice)
    assert (form.place, form.subscription) == ("Other", "Annual")
    assert "Closed" not in form.places
    job = put(alice, sheet("Ann,ann@x.example,,", "Bob,bob@x.example,Closed,"))
    assert [f.column for f in import_service.check(alice, job, silent).faults] == ["Data center"]
    import_service.save(alice, put(alice, sheet("Ann,ann@x.example,,")), silent)
    assert (of_import("Ann").data_center_id, of_import("Ann").status) == (other.id, "annual")
    assert closed.id != other.id


def test_a_portal_without_an_open_data_center_says_so(alice: Actor) -> None:
    with db.writing() as session:
        session.execute(update(DataCenter).values(active=False))
    with pytest.raises(Conflict, match="No data center is open"):
        import_service.check(alice, put(alice, GOOD), silent)


def test_the_audit_tells_of_the_file_and_of_each_account(alice: Actor, cast: Cast) -> None:
    import_service.save(alice, put(alice, GOOD, "list.csv"), silent)
    told = [(e.activity, e.description, e.account_name) for e in audit()]
    assert sorted(told) == [
        ("Account added", "Added by an import.", "=Bob"),
        ("Account added", "Added by an import.", "Ann"),
        ("Account added", "Added by an import.", "Cid"),
        ("Account added", "Imported 3 accounts from list.csv.", ""),
        ("Subscribed", "Subscribed (monthly) from the start.", "=Bob"),
        ("Subscribed", "Subscribed 1 account by the import (1 monthly, 0 annual).", ""),
    ]
    ids = {of_import(name).id for name in ("Ann", "=Bob", "Cid")}
    assert {e.account_id for e in audit()} == ids | {None}
    assert {(e.partner_id, e.user_id, e.performed_by, e.address, e.completed) for e in audit()} == {
        (cast.partner_a.id, cast.alice.id, cast.alice.email, "192.0.2.7", True)
    }


def test_who_has_a_chosen_list_sees_what_they_imported_and_no_more(cast: Cast) -> None:
    with db.writing() as session:
        granted = [Permission.ACCOUNTS_ADD.value]
        eve = factories.user(session, cast.partner_a, role=Role.CUSTOM, permissions=granted, all_accounts=False)
    actor = factories.actor(eve)
    import_service.save(actor, put(actor, GOOD), silent)
    with db.reading() as session:
        seen = session.exec(select(UserAccount.account_id).where(UserAccount.user_id == eve.id))
        assert set(seen) == {of_import(name).id for name in ("Ann", "=Bob", "Cid")}


def test_a_second_save_does_nothing_more_and_says_so(alice: Actor) -> None:
    job = put(alice, GOOD)
    import_service.save(alice, job, silent)
    after = emails(), len(audit())
    assert import_service.save(alice, job, silent) == import_service.Saved(3, before=True)
    assert (emails(), len(audit())) == after


def test_what_was_imported_is_forgotten_but_for_its_number(alice: Actor) -> None:
    job = put(alice, GOOD)
    import_service.save(alice, job, silent)
    db.write(import_service.cancel, alice, job)
    with db.reading() as session:
        kept = session.exec(select(AccountImport)).one()
        assert (kept.content, kept.state, kept.accounts) == (b"", ImportState.DONE, 3)


def test_a_file_with_faults_is_not_saved(alice: Actor) -> None:
    job = put(alice, sheet("Ann,ann@x.example,,", "Bob,bad,,"))
    before = emails()
    assert [f.row for f in import_service.save(alice, job, silent).faults] == [3]
    assert emails() == before


def test_an_address_taken_between_check_and_save_rolls_all_back(alice: Actor, cast: Cast) -> None:
    job = put(alice, GOOD)
    assert import_service.check(alice, job, silent).faults == []
    with db.writing() as session:
        factories.account(session, cast.partner_b, email="bob@x.example")
    before = emails(), len(audit())
    assert [(f.row, f.value) for f in import_service.save(alice, job, silent).faults] == [(3, "BOB@x.example")]
    assert (emails(), len(audit())) == before
    assert not db.read(import_service.find, alice, job).done


def _take(session: Session, partner: Partner) -> None:
    factories.account(session, partner, email="cid@x.example")


@pytest.mark.parametrize("blind", [False, True])
def test_an_address_taken_after_the_last_check_rolls_all_back(
    alice: Actor, cast: Cast, monkeypatch: pytest.MonkeyPatch, blind: bool
) -> None:
    """The look inside the transaction finds it; were that blind, the database's own constraint would."""
    job, check, before = put(alice, GOOD), import_service._check, emails()
    if blind:
        monkeypatch.setattr(import_save, "taken", lambda _session, _keys: set())

    def check_then_take(*given):
        checked = check(*given)
        monkeypatch.setattr(import_service, "_check", check)
        db.write(_take, cast.partner_b)
        return checked

    monkeypatch.setattr(import_service, "_check", check_then_take)
    assert [f.row for f in import_service.save(alice, job, silent).faults] == [4]
    assert emails() == sorted([*before, "cid@x.example"])
    assert audit() == []


def test_a_row_that_cannot_be_written_takes_all_others_back(alice: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    job, before = put(alice, many(2_500)), emails()
    steps: list[float] = []

    def break_late(share: float) -> None:
        steps.append(share)
        if share > 0.8:
            raise RuntimeError("the process dies")

    with pytest.raises(RuntimeError):
        import_service.save(alice, job, break_late)
    assert len([share for share in steps if share > 0.3]) > 1
    assert (emails(), audit()) == (before, [])
    assert import_service.save(alice, job, silent).accounts == 2_500


def test_a_database_that_is_busy_for_too_long_is_told(alice: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    def locked(*_given: object) -> None:
        raise OperationalError("INSERT", {}, Exception("database is locked"))

    job = put(alice, GOOD)
    monkeypatch.setattr(import_service, "save_rows", locked)
    with pytest.raises(Conflict, match="Nothing was imported: please try again"):
        import_service.save(alice, job, silent)


def test_a_conflict_that_is_gone_at_the_second_look_asks_to_try_again(
    alice: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = put(alice, GOOD)
    monkeypatch.setattr(import_save, "taken", lambda _session, keys: set(keys))
    with pytest.raises(Conflict, match="Accounts changed while the file was imported"):
        import_service.save(alice, job, silent)


def test_a_new_file_takes_the_place_of_the_last(alice: Actor, cast: Cast) -> None:
    first, second, others = put(alice, GOOD), put(alice, GOOD, "b.csv"), put(cast.actor("mallory"), GOOD)
    assert len({first, second, others}) == 3
    assert db.read(import_service.form, alice).left.job == second
    with pytest.raises(NotFound):
        import_service.save(alice, first, silent)
    assert rows(AccountImport) == 2


def test_a_canceled_file_is_gone(alice: Actor) -> None:
    job = put(alice, GOOD)
    db.write(import_service.cancel, alice, job)
    assert rows(AccountImport) == 0
    with pytest.raises(NotFound):
        import_service.save(alice, job, silent)


def test_a_file_is_kept_for_a_day(alice: Actor, cast: Cast) -> None:
    job = put(alice, GOOD)
    with db.writing() as session:
        session.execute(update(AccountImport).values(created_at=clock.now() - timedelta(days=1)))
    assert db.read(import_service.form, alice).left is None
    for call in (import_service.check, import_service.save):
        with pytest.raises(NotFound):
            call(alice, job, silent)
    put(cast.actor("mallory"), GOOD)
    assert rows(AccountImport) == 1


def test_the_daily_work_forgets_old_files(alice: Actor) -> None:
    put(alice, GOOD)
    db.write(cycle.prune, clock.now())
    assert rows(AccountImport) == 1
    with db.writing() as session:
        session.execute(update(AccountImport).values(created_at=clock.now() - timedelta(days=1)))
    db.write(cycle.prune, clock.now())
    assert rows(AccountImport) == 0


def test_what_is_too_large_is_not_kept(alice: Actor) -> None:
    with pytest.raises(Invalid, match="larger than 10 MB"):
        put(alice, b"x" * (import_service.MOST_BYTES + 1))


def test_fifty_thousand_accounts_are_imported_in_seconds_of_processor(alice: Actor) -> None:
    job, steps = put(alice, many(50_000)), []
    begun = time.thread_time()
    assert import_service.save(alice, job, steps.append).accounts == 50_000
    assert time.thread_time() - begun < 25
    assert steps == sorted(steps)
    assert len(steps) > 100
    assert rows(Account) == 50_005
    assert rows(AuditEvent) == 50_000 + 5_000 + 2


def test_a_file_from_the_command_line(cast: Cast, tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_bytes(GOOD)
    before = emails()
    dry = import_service.import_file(file, "alpha001", dry_run=True)
    assert (dry.accounts, dry.faults, dry.saved, emails()) == (3, [], False, before)
    done = import_service.import_file(file, "ALPHA001", dry_run=False)
    assert (done.accounts, done.saved, len(emails())) == (3, True, len(before) + 3)
    again = import_service.import_file(file, "ALPHA001", dry_run=False)
    assert ([f.row for f in again.faults], again.saved) == ([2, 3, 4], False)
    assert {e.performed_by for e in audit()} == {"Portal"}
    assert {e.partner_id for e in audit()} == {cast.partner_a.id}


def test_the_command_line_is_told_what_it_got_wrong(cast: Cast, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="There is no partner NOBODY"):
        import_service.import_file(tmp_path / "x.csv", "nobody", dry_run=True)
    with pytest.raises(FileNotFoundError):
        import_service.import_file(tmp_path / "x.csv", "ALPHA001", dry_run=True)
    (tmp_path / "large.csv").write_bytes(b"x" * (import_service.MOST_BYTES + 1))
    with pytest.raises(Invalid, match="larger than 10 MB"):
        import_service.import_file(tmp_path / "large.csv", "ALPHA001", dry_run=True)
