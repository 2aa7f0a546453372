"""Name, address and place of an account: who may change them, and what may not be."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import delete
from sqlmodel import Session, col

from portal_app import clock, db
from portal_app.account_settings import service
from portal_app.account_settings.rows import SettingsForm
from portal_app.auth.permissions import Permission
from portal_app.errors import Conflict, Denied, Invalid, NotFound, PortalError
from portal_app.jobs import queue
from portal_app.models import Account, BackupRun, BackupTask, CustomStorage, StorageKind
from tests import factories
from tests.cast import Cast
from tests.customer_users.people import grant
from tests.users.people import audit, mails

CHANGES = Permission.ACCOUNTS_CHANGE


def now(account_id: int | None) -> Account:
    return db.read(lambda session: session.get_one(Account, account_id))


def seen(account: Account) -> SettingsForm:
    return SettingsForm(account.name, account.email, str(account.data_center_id or ""))


def save(cast: Cast, who: str = "alice", number: int = 0, **changes: str) -> bool:
    account = now(cast.accounts_a[number].id)
    before = seen(account)
    return db.write(service.save, cast.actor(who), account.id, before, replace(before, **changes))


def emptied(session: Session, account_id: int | None) -> int:
    """The account with nothing stored; gives another data centre's id."""
    for model in (BackupRun, BackupTask):
        session.execute(delete(model).where(col(model.account_id) == account_id))
    return factories.data_center(session).id or 0


@pytest.mark.parametrize("who", ["bob", "carol", "nina", "dave", "olga"])
def test_without_the_permission_nothing_is_shown_or_changed(cast: Cast, who: str) -> None:
    with pytest.raises(Denied, match="account settings"):
        save(cast, who, name="Mine")
    with pytest.raises(Denied, match="account settings"):
        db.read(service.show, cast.actor(who), cast.accounts_a[0].id)
    assert now(cast.accounts_a[0].id) == cast.accounts_a[0]


def test_another_account_is_as_if_there_were_none(cast: Cast) -> None:
    dave = grant(cast.dave, CHANGES)
    for actor, account in (
        (cast.actor("mallory"), cast.accounts_a[0]),
        (factories.actor(dave), cast.accounts_a[1]),
        (cast.actor("alice"), account_of_nobody(cast)),
    ):
        for act in (lambda a, n, f: db.write(service.save, a, n, f, f), lambda a, n, _: db.read(service.show, a, n)):
            with pytest.raises(NotFound, match=r"^There is no such account\.$"):
                act(actor, account.id, seen(account))


def account_of_nobody(cast: Cast) -> Account:
    return cast.accounts_a[0].model_copy(update={"id": 99_999})


def test_a_customers_user_with_the_permission_changes_their_own(cast: Cast) -> None:
    dave, account = factories.actor(grant(cast.dave, CHANGES)), cast.accounts_a[0]
    assert db.write(service.save, dave, account.id, seen(account), replace(seen(account), name="Alpha  Oak"))
    assert (now(account.id).name, now(account.id).name_key) == ("Alpha Oak", "alpha oak")
    told = audit()[-1]
    assert (told.activity, told.performed_by, told.account_id) == ("Account settings", dave.email, account.id)
    assert (told.description, told.partner_id) == ("Changed name Alpha Oak instead of Alpha Ash.", cast.partner_a.id)


def test_a_new_address_is_audited_and_mailed_to_the_old_one(cast: Cast) -> None:
    old = cast.accounts_a[0].email
    assert save(cast, email="New@Customers.example")
    assert now(cast.accounts_a[0].id).email_key == "new@customers.example"
    ((kind, letter),) = mails(old)
    assert (kind, "New@Customers.example from now on" in str(letter["paragraphs"])) == ("account settings", True)
    assert "email New@Customers.example instead of" in audit()[-1].description


def test_the_address_is_unique_in_the_whole_portal(cast: Cast) -> None:
    for taken in (cast.accounts_b[0].email.upper(), " mallory@PEOPLE.example ", cast.accounts_a[1].email):
        with pytest.raises(Invalid) as refused:
            save(cast, email=taken)
        assert "belongs to another" in refused.value.fields["email"]
    # That of its own user is its own.
    assert save(cast, email=cast.dave.email)


def test_faults_stand_by_their_fields_and_the_same_again_is_no_change(cast: Cast) -> None:
    with pytest.raises(Invalid) as refused:
        save(cast, name=" ", email="nobody", place="77")
    assert set(refused.value.fields) == {"name", "email", "place"}
    lines = len(audit())
    assert save(cast) is False
    assert len(audit()) == lines


def test_who_saves_over_a_colleague_is_told(cast: Cast) -> None:
    account = cast.accounts_a[0]
    before = seen(account)
    save(cast, name="First")
    with pytest.raises(Conflict, match="meanwhile"):
        db.write(service.save, cast.actor("alice"), account.id, before, replace(before, email="x@customers.example"))
    assert now(account.id).name == "First"


def test_the_place_can_be_chosen_until_something_is_stored(cast: Cast) -> None:
    account_id = cast.accounts_a[0].id
    assert db.read(service.show, cast.actor("alice"), account_id).places == ()
    other = db.write(emptied, account_id)
    assert str(other) in {one.value for one in db.read(service.show, cast.actor("alice"), account_id).places}
    assert save(cast, place=str(other))
    assert now(account_id).data_center_id == other
    assert "data center" in audit()[-1].description


@pytest.mark.parametrize("stored", ["run", "vault", "job"])
def test_nothing_moves_once_something_is_or_may_be_stored(cast: Cast, stored: str) -> None:
    account_id = cast.accounts_a[0].id or 0
    other = db.write(emptied, account_id)

    def store(session: Session) -> None:
        if stored == "job":
            queue.add(session, cast.actor("alice"), "backup", account_id=account_id)
            return
        vault = "v" if stored == "vault" else ""
        task = BackupTask(account_id=account_id, key="k", name="T", vault=vault, created_at=clock.now())
        factories.save(session, task)
        if stored == "run":
            at = {"started_at": clock.now(), "finished_at": clock.now(), "received_at": clock.now()}
            run = BackupRun(account_id=account_id, task_id=task.id, run_key="1", outcome="failed", **at)
            factories.save(session, run)

    db.write(store)
    with pytest.raises(Invalid) as refused:
        save(cast, place=str(other))
    assert set(refused.value.fields) == {"place"}


def test_a_storage_of_the_customers_own_stays(cast: Cast) -> None:
    account_id = cast.accounts_a[0].id or 0
    other = db.write(emptied, account_id)

    def own_storage(session: Session) -> None:
        account = session.get_one(Account, account_id)
        account.storage_kind, account.data_center_id = StorageKind.AWS_S3, None
        storage = CustomStorage(account_id=account_id, kind="aws_s3", place="b", sealed=b"x", checked_at=clock.now())
        session.add_all([account, storage])

    db.write(own_storage)
    shown = db.read(service.show, cast.actor("alice"), account_id)
    assert (shown.place, shown.places, shown.form.place) == ("b", (), "")
    with pytest.raises(Invalid):
        save(cast, place=str(other))


def test_two_accounts_that_want_one_address_at_the_same_moment(office: Cast) -> None:
    def take(number: int) -> str:
        try:
            return str(save(office, number=number, email="wanted@customers.example"))
        except PortalError as refusal:
            return refusal.fields.get("email", refusal.sentence)

    with ThreadPoolExecutor(2) as pool:
        answers = sorted(pool.map(take, (0, 1)))
    assert answers[1] == "True"
    assert "belongs to another" in answers[0]
