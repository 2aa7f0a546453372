"""Who may import, what is done, and that it is done once."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import col, update

from portal_app import clock, db
from portal_app.auth.actor import NOBODY
from portal_app.auth.permissions import Permission
from portal_app.billing import account_bills
from portal_app.errors import Conflict, Denied, Invalid, NotFound
from portal_app.jobs import cycle
from portal_app.models import (
    Account,
    AuditEvent,
    BackupEntity,
    BackupTask,
    DataCenter,
    ImportedBill,
    Job,
    PortalImport,
    PortalLink,
    User,
    UserAccount,
)
from portal_app.portal_import import applying, service, work
from tests.backups.conftest import without
from tests.cast import Cast
from tests.portal_import.conftest import account, apply, bill, dry_run, look, rows, state, task, whole, worker
from tests.portal_import.portals import SECRETS, Portal

FORM = SECRETS | {"url": "https://portal.example", "version": "1"}


def change(model: Any, *where: Any, **values: Any) -> None:
    db.write(lambda session: session.execute(update(model).where(*where).values(values)))


def new() -> list[Account]:
    return rows(Account, col(Account.email).like("%@there.example"))


@pytest.mark.parametrize("who", ["bob", "carol", "nina", "dave", "olga"])
def test_only_who_may_add_accounts_imports(cast: Cast, portal: Portal, who: str) -> None:
    seen, _ = dry_run(cast, portal)
    actor = cast.actor(who)
    asked = (
        lambda: db.write(service.begin, actor, FORM),
        lambda: db.read(service.find, actor, seen.id),
        lambda: db.read(service.last, actor),
        lambda: db.read(service.dry_run, actor, seen.id),
        lambda: service.choose(actor, seen.id, {}),
        lambda: db.write(service.start, actor, seen.id, seen.digest),
        lambda: db.write(service.forget, actor, seen.id),
    )
    for ask in asked:
        with pytest.raises(Denied):
            ask()
    assert new() == []


def test_nobody_and_a_command_without_a_partner_import_nothing(cast: Cast) -> None:
    with pytest.raises(Denied):
        db.write(service.begin, NOBODY, FORM)


def test_a_strangers_import_is_like_an_unknown_one(cast: Cast, portal: Portal) -> None:
    seen, _ = dry_run(cast, portal)
    told = []
    for import_id in (seen.id, "nothing"):
        for ask in (service.find, service.dry_run, service.forget):
            with pytest.raises(NotFound) as found:
                db.write(ask, cast.actor("mallory"), import_id)
            told.append(found.value.sentence)
        with pytest.raises(NotFound):
            db.write(service.start, cast.actor("mallory"), import_id, seen.digest)
    assert len(set(told)) == 1
    assert db.read(service.last, cast.actor("mallory")) is None


def test_rights_taken_meanwhile_end_the_import(cast: Cast, portal: Portal) -> None:
    seen, _ = dry_run(cast, portal)
    db.write(service.start, cast.actor("alice"), seen.id, seen.digest)
    change(User, col(User.id) == cast.alice.id, role="custom", permissions=[])
    worker().run_due()
    assert new() == []
    assert rows(PortalImport)[0].fault == Permission.ACCOUNTS_ADD.refusal


def test_each_field_that_is_missing_is_told(cast: Cast) -> None:
    with pytest.raises(Invalid) as told:
        db.write(service.begin, cast.actor("alice"), {})
    assert set(told.value.fields) == {"url", "version", *SECRETS}
    with pytest.raises(Invalid) as told:
        db.write(service.begin, cast.actor("alice"), FORM | {"client_secret": "a\r\nX: 1", "version": "3"})
    assert set(told.value.fields) == {"client_secret", "version"}


@pytest.mark.parametrize(
    "url", ["", "portal", "ftp://x.example", "https://u:p@x.example", "https://x.example?a=1", "https://[", "https://"]
)
def test_what_is_no_address_is_refused(cast: Cast, url: str) -> None:
    with pytest.raises(Invalid) as told:
        db.write(service.begin, cast.actor("alice"), FORM | {"url": url})
    assert set(told.value.fields) == {"url"}


def test_a_dry_run_changes_nothing_and_tells_all(cast: Cast, portal: Portal) -> None:
    seen, report = dry_run(cast, portal)
    assert (seen.state, seen.fault) == ("ready", "")
    assert new() == rows(PortalLink) == rows(ImportedBill) == []
    (line,) = report.lines
    assert line[:4] == ["Firm 1", "firm1@there.example", "ACTIVE", "add"]
    assert line[4] == "Added: begins Monthly in Germany (Frankfurt)."
    assert line[5:] == [1, 1, 1, 7355928]
    assert (report.faults, report.oddities, report.names) == ([], [], [["Firm 1", "Firm"]])


def test_all_of_an_account_comes_over(cast: Cast, portal: Portal) -> None:
    portal.lists["states"] += [state("Old", status="ARCHIVED"), state("Broken", status="FAILED")]
    portal.lists["states"][2]["backupStatus"][0]["error"] = "No sign-in."
    seen, report = whole(cast, portal)
    assert (seen.state, report.failed) == ("done", [])
    (made,) = new()
    center = db.read(lambda session: session.get(DataCenter, made.data_center_id))
    assert (made.name, made.status, center.code) == ("Firm 1", "monthly", "de-frankfurt")
    at = datetime(2023, 3, 30, 20, 28, 12, tzinfo=UTC)
    assert (made.size_bytes, made.backup_status, made.last_backup_at) == (7355928, "partial", at)
    (kept,) = rows(BackupTask, col(BackupTask.account_id) == made.id)
    assert (kept.key, kept.name, kept.service, kept.last_finished_at) == ("t-1", "Sites 1", "sharepoint", at)
    assert (kept.engine, kept.last_outcome) == ("reported", "partial")
    told = {one.name: (one.standing, one.outcome, one.error) for one in rows(BackupEntity)}
    assert told == {
        "Team": ("active", "successful", ""),
        "Old": ("archived", None, ""),
        "Broken": ("active", "failed", "No sign-in."),
    }
    (old,) = rows(ImportedBill)
    assert (old.account_id, old.name, old.period, old.total, old.currency) == (
        made.id,
        "Firm 1",
        "2023-03",
        "2.50",
        "EUR",
    )
    assert old.lines[0]["service"] == "SharePoint"
    told = [(event.activity, event.description) for event in rows(AuditEvent)]
    assert ("Account added", "Added the account.") in told
    assert any(words.startswith(f"Imported from {portal.url}: 1 account added") for _, words in told)


def test_the_second_time_changes_nothing(cast: Cast, portal: Portal) -> None:
    whole(cast, portal)
    before = [one.model_dump() for model in (Account, BackupTask, BackupEntity, ImportedBill) for one in rows(model)]
    for version in (1, 2):
        seen, report = dry_run(cast, portal, version=version)
        assert report.totals == {"same": 1, "new tasks": 0, "new states": 0, "new bills": 0}
        assert report.lines[0][4] == "Left: nothing is new."
        apply(cast, seen)
    again = [one.model_dump() for model in (Account, BackupTask, BackupEntity, ImportedBill) for one in rows(model)]
    assert again == before


def test_what_is_new_there_comes_over_later(cast: Cast, portal: Portal) -> None:
    whole(cast, portal)
    portal.lists["accounts"][0]["name"] = "Firm One"
    portal.lists["tasks"] = [task(size=9, lastBackupDates={"X": 20230401000000}), task(2)]
    portal.lists["states"] = [state(size=6, lastBackupAttemptDate=20230401000000), state("New")]
    portal.lists["bills"] = [bill("Firm 1", total="3.00"), bill("Firm One", period="2023-04")]
    _, report = dry_run(cast, portal)
    assert report.totals["change"] == 1
    told = report.lines[0][4]
    for words in ("its name", "1 new task", "newer figures", "1 new state", "1 newer state", "1 new bill"):
        assert words in told
    whole(cast, portal)
    (made,) = new()
    assert (made.name, made.size_bytes) == ("Firm One", 9 + 7355928)
    assert {one.name: one.size_bytes for one in rows(BackupEntity)} == {"Team": 6, "New": 5}


def test_a_name_that_was_changed_here_stays(cast: Cast, portal: Portal) -> None:
    whole(cast, portal)
    change(Account, col(Account.id) == new()[0].id, name="Ours", name_key="ours")
    portal.lists["accounts"][0]["name"] = "Theirs"
    whole(cast, portal)
    assert new()[0].name == "Ours"


def test_what_was_reported_here_since_counts_more(cast: Cast, portal: Portal) -> None:
    whole(cast, portal)
    later = clock.now()
    change(BackupTask, col(BackupTask.key) == "t-1", size_bytes=1, last_finished_at=later)
    change(BackupEntity, size_bytes=1, last_attempt_at=later, standing="archived")
    portal.lists["tasks"] = [task(size=99)]
    portal.lists["states"] = [state(size=99)]
    _, report = dry_run(cast, portal)
    assert report.totals["same"] == 1


def test_an_account_that_is_here_already_is_taken_together(cast: Cast, portal: Portal) -> None:
    own = cast.accounts_a[0]
    portal.lists["accounts"][0]["email"] = own.email.upper()
    _, report = dry_run(cast, portal)
    assert report.lines[0][4].startswith("Taken together with the account here")
    whole(cast, portal)
    assert new() == []
    kept = db.read(lambda session: session.get(Account, own.id))
    assert (kept.name, kept.status, kept.email) == (own.name, own.status, own.email)
    assert len(rows(BackupTask, col(BackupTask.account_id) == own.id)) == 2
    _, report = dry_run(cast, portal)
    assert report.totals["same"] == 1


def test_what_an_engine_told_by_another_key_is_known_by_its_name(cast: Cast, portal: Portal) -> None:
    whole(cast, portal)
    change(BackupEntity, key="guid-1")
    _, report = dry_run(cast, portal)
    assert report.totals["same"] == 1


def test_anothers_address_is_left_out(cast: Cast, portal: Portal) -> None:
    portal.lists["accounts"] = [
        account(1, email=cast.accounts_b[0].email),
        account(2, email="bob@people.example"),
        account(3),
        account(4, email="firm3@there.example"),
        account(5, email="no address"),
        account(6, status="TRIAL_EXPIRED"),
    ]
    seen, report = dry_run(cast, portal)
    told = [line[4] for line in report.lines]
    assert told[0] == told[1] == "Left out: its email belongs to another account or user here."
    assert told[2].startswith("Added")
    assert told[3] == "Left out: another account of the portal has the same email."
    assert told[4] == "Left out: it has no email that can be read."
    assert told[5] == "Left out: accounts that are TRIAL_EXPIRED there."
    _, report = apply(cast, seen)
    assert [one.email for one in new()] == ["firm3@there.example"]
    assert rows(PortalLink, col(PortalLink.account_id) == cast.accounts_b[0].id) == []


def test_who_sees_chosen_accounts_sees_what_they_import_and_no_more(cast: Cast, portal: Portal) -> None:
    adds = [str(Permission.ACCOUNTS_ADD), str(Permission.DASHBOARD_VIEW)]
    change(User, col(User.id) == cast.bob.id, permissions=adds)
    cast.bob.permissions = adds
    portal.lists["accounts"] += [account(2, email=cast.accounts_a[1].email)]
    seen, report = dry_run(cast, portal, "bob")
    assert [line[3] for line in report.lines] == ["add", "left"]
    apply(cast, seen, "bob")
    theirs = rows_of_user(cast.bob)
    assert new()[0].id in theirs
    assert cast.accounts_a[1].id not in theirs
    whole(cast, portal)
    _, report = dry_run(cast, portal, "bob")
    assert [line[4] for line in report.lines] == [
        "Left: nothing is new.",
        "Left: it was imported before, and you may not see it.",
    ]


def rows_of_user(user: User) -> set[int]:
    mine = col(UserAccount.user_id) == user.id
    return set(db.read(lambda session: [row.account_id for row in session.query(UserAccount).filter(mine)]))


def test_choices_change_the_dry_run_and_the_import(cast: Cast, portal: Portal) -> None:
    portal.lists["accounts"] = [account(1, name="Bauer 204", region="MOON", status="SLEEPING")]
    portal.lists["bills"] = [bill("Bauer 204")]
    seen, report = dry_run(cast, portal)
    assert (report.statuses, report.regions) == ({"SLEEPING": 1}, {"MOON": 1})
    assert report.totals["left"] == 1
    paris = next(center.id for center in rows(DataCenter) if center.code == "fr-paris")
    actor = cast.actor("alice")
    service.choose(actor, seen.id, {"regions": {"MOON": paris}, "statuses": {"SLEEPING": "annual"}, "digits": True})
    with pytest.raises(Conflict):
        db.write(service.start, actor, seen.id, seen.digest)
    seen, report = look(cast, seen.id)
    assert report.lines[0][4] == "Added: begins Annual in France (Paris)."
    apply(cast, seen)
    (made,) = new()
    assert (made.name, made.status, made.data_center_id) == ("Bauer", "annual", paris)
    _, report = dry_run(cast, portal)
    assert report.totals["same"] == 1


@pytest.mark.parametrize(
    "given", [{"regions": {"EU_FRANKFURT": 9999}}, {"statuses": {"ACTIVE": "free"}}, {"regions": {"EU_FRANKFURT": "x"}}]
)
def test_a_choice_that_is_none_is_refused(cast: Cast, portal: Portal, given: dict[str, Any]) -> None:
    seen, _ = dry_run(cast, portal)
    with pytest.raises(Invalid):
        service.choose(cast.actor("alice"), seen.id, given)


def test_importing_twice_is_once(cast: Cast, portal: Portal) -> None:
    seen, _ = dry_run(cast, portal)
    actor = cast.actor("alice")
    for _ in range(2):
        db.write(service.start, actor, seen.id, seen.digest)
    assert len(rows(Job)) == 2
    assert worker().run_due() == 1
    db.write(service.start, actor, seen.id, seen.digest)
    assert worker().run_due() == 0
    assert len(new()) == 1


def test_accounts_that_changed_since_are_looked_at_again(cast: Cast, portal: Portal) -> None:
    seen, _ = dry_run(cast, portal)
    change(Account, col(Account.id) == cast.accounts_a[0].id, email="x", email_key="firm1@there.example")
    seen, report = apply(cast, seen)
    assert (seen.state, seen.fault) == ("ready", service.CHANGED)
    assert report.lines[0][3] == "change"
    assert rows(PortalLink) == []
    seen, _ = apply(cast, seen)
    assert seen.state == "done"


def test_a_worker_that_dies_is_followed_by_one_that_goes_on(cast: Cast, portal: Portal, monkeypatch: Any) -> None:
    portal.lists["accounts"] = [account(number) for number in range(1, 6)]
    seen, _ = dry_run(cast, portal)
    db.write(service.start, cast.actor("alice"), seen.id, seen.digest)
    real, done = applying._one, []

    class Killed(BaseException):
        pass

    def dies(session: Any, order: Any, customer: Any, *rest: Any) -> None:
        real(session, order, customer, *rest)
        done.append(customer)
        if len(done) == 3:
            raise Killed

    monkeypatch.setattr(applying, "_one", dies)
    with pytest.raises(Killed):
        worker().run_due()
    assert len(new()) == 2, "an account is whole or not there"
    monkeypatch.setattr(applying, "_one", real)
    change(Job, lease_until=clock.now() - timedelta(seconds=1))
    worker().run_due()
    assert len(new()) == 5
    assert look(cast, seen.id)[0].state == "done"


def test_a_worker_that_lost_the_job_writes_nothing_more(cast: Cast, portal: Portal, monkeypatch: Any) -> None:
    seen, _ = dry_run(cast, portal)
    db.write(service.start, cast.actor("alice"), seen.id, seen.digest)
    real = work.import_all

    def late(*given: Any, **more: Any) -> Any:
        change(Job, claim="another's")
        return real(*given, **more)

    monkeypatch.setattr(work, "import_all", late)
    worker().run_due()
    assert new() == []
    assert look(cast, seen.id)[0].state == "applying"


def test_one_that_cant_be_saved_does_not_stop_the_others(cast: Cast, portal: Portal, monkeypatch: Any) -> None:
    portal.lists["accounts"] = [account(1), account(2), account(3)]
    seen, _ = dry_run(cast, portal)
    real = applying._one

    def refuses(session: Any, order: Any, customer: Any, *rest: Any) -> None:
        if customer.foreign_id == "a-2":
            raise Conflict("Not this one.")
        real(session, order, customer, *rest)

    monkeypatch.setattr(applying, "_one", refuses)
    _, report = apply(cast, seen)
    assert report.failed == [["Firm 2", "Not this one."]]
    assert [one.name for one in new()] == ["Firm 1", "Firm 3"]


def test_the_credentials_are_kept_only_while_they_are_needed(cast: Cast, portal: Portal) -> None:
    actor = cast.actor("alice")
    import_id = db.write(service.begin, actor, SECRETS | {"url": portal.url, "version": "1"})
    kept = str([row.model_dump() for row in (*rows(PortalImport), *rows(Job))])
    assert not any(secret in kept for secret in SECRETS.values())
    assert rows(PortalImport)[0].sealed
    worker().run_due()
    assert rows(PortalImport)[0].sealed is None
    assert look(cast, import_id)[0].state == "ready"


def test_they_go_when_the_portal_refuses_them_too(cast: Cast, portal: Portal) -> None:
    portal.answer = lambda path, _query: (401, {}) if path.endswith("auth/partner") else None
    seen, _ = dry_run(cast, portal)
    assert seen.state == "failed"
    assert seen.fault.startswith("The portal refused to sign in")
    assert rows(PortalImport)[0].sealed is None


def test_one_reading_at_a_time_and_it_can_be_forgotten(cast: Cast, portal: Portal) -> None:
    actor, form = cast.actor("alice"), SECRETS | {"url": portal.url, "version": "1"}
    import_id = db.write(service.begin, actor, form)
    with pytest.raises(Conflict):
        db.write(service.begin, actor, form)
    db.write(service.forget, actor, import_id)
    assert worker().run_due() == 0
    assert rows(PortalImport) == []
    db.write(service.begin, actor, form)


def test_what_was_read_is_forgotten_after_a_day(cast: Cast, portal: Portal) -> None:
    seen, _ = dry_run(cast, portal)
    change(PortalImport, created_at=clock.now() - timedelta(days=1))
    with pytest.raises(NotFound):
        look(cast, seen.id)
    db.write(cycle.prune, clock.now())
    assert rows(PortalImport) == []


def test_imported_bills_are_read_by_who_sees_bills(cast: Cast, portal: Portal) -> None:
    seen, _ = whole(cast, portal)
    found, count = db.read(service.bills, cast.actor("alice"), seen.source, 1, 10)
    assert ([one.name for one in found], count) == (["Firm 1"], 1)
    assert db.read(service.bills, cast.actor("mallory"), seen.source, 1, 10) == ([], 0)
    with pytest.raises(Denied):
        db.read(service.bills, without(cast.actor("alice"), Permission.BILLING_VIEW), seen.source, 1, 10)


def test_the_accounts_page_in_billing_shows_them_and_owes_nothing_for_them(cast: Cast, portal: Portal) -> None:
    before = db.read(account_bills.account_page, cast.actor("alice"), cast.accounts_a[1].id)
    whole(cast, portal)
    found = db.read(account_bills.account_page, cast.actor("alice"), new()[0].id)
    assert [(one["period"], one["total"]) for one in found.imported] == [("2023-03", "2.50 EUR")]
    assert (found.bills, found.amount_minor, found.paid.amount_minor) == ([], 0, 0)
    assert db.read(account_bills.account_page, cast.actor("alice"), cast.accounts_a[1].id) == before


def test_imported_bills_outlive_their_account(cast: Cast, portal: Portal) -> None:
    whole(cast, portal)
    db.write(lambda session: session.delete(session.get(Account, new()[0].id)))
    assert [one.account_id for one in rows(ImportedBill)] == [None]
    whole(cast, portal)
    assert [one.account_id for one in rows(ImportedBill)] == [new()[0].id]
