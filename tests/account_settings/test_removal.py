"""The end of an account: who may, what goes, what stays, who is told; and how far the deletion of its data is."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, col, select, update

from portal_app import clock, db
from portal_app.account_settings import removal
from portal_app.accounts import service as accounts
from portal_app.accounts import trials
from portal_app.auth import sessions
from portal_app.auth.actor import ActorKind
from portal_app.auth.permissions import Permission
from portal_app.backups.engine import removal as data
from portal_app.billing import closing
from portal_app.errors import Conflict, Denied, NotFound, PortalError
from portal_app.files import service as files
from portal_app.jobs import queue
from portal_app.models import Account, BackupTask, DeletedAccount, Job, JobState, StoredFile, Subscription, User
from tests import factories
from tests.billing.test_subscriptions import billed, bills_of
from tests.cast import HERE, Cast, token_of
from tests.users.people import audit, mails

NAME = "Alpha Ash"
REMOVES = (Permission.ACCOUNTS_REMOVE, Permission.ACCOUNTS_ACCESS, Permission.DASHBOARD_VIEW)


def vault(session: Session, account_id: int | None, name: str = "vault-of-ash") -> None:
    """The account's task keeps data in the storage."""
    mine = update(BackupTask).where(col(BackupTask.account_id) == account_id)
    session.execute(mine.values(vault=name))


def remove(cast: Cast, who: str = "alice", number: int = 0, name: str = NAME, *, approved: bool = True) -> None:
    db.write(removal.remove, cast.actor(who), cast.accounts_a[number].id, name, approved=approved)


def there(model: type, key: Any) -> bool:
    return db.read(lambda session: session.get(model, key)) is not None


def jobs(account_id: int | None, kind: str) -> list[Job]:
    mine = select(Job).where(Job.account_id == account_id, Job.kind == kind).order_by(col(Job.id))
    return db.read(lambda session: list(session.exec(mine)))


def ended(state: JobState, result: Mapping[str, Any] | None = None, fault: str = "") -> None:
    """A worker does the deletion that waits."""

    def work(session: Session) -> None:
        job = queue.claim(session, [data.FORGET])
        assert job is not None
        queue.finish(session, job, state, result=result, fault=fault)

    db.write(work)


@pytest.mark.parametrize("who", ["bob", "carol", "nina", "dave", "olga"])
def test_without_the_permission_nothing_is_removed(cast: Cast, who: str) -> None:
    with pytest.raises(Denied, match="remove accounts"):
        remove(cast, who)
    with pytest.raises(Denied, match="remove accounts"):
        db.read(removal.standing, cast.actor(who), cast.accounts_a[0].id)
    assert there(Account, cast.accounts_a[0].id)


def test_another_partners_account_is_as_if_there_were_none(cast: Cast) -> None:
    with pytest.raises(NotFound, match="no such account"):
        remove(cast, "mallory")
    with pytest.raises(NotFound, match="no such account"):
        db.write(removal.remove, cast.actor("mallory"), 99_999, NAME, approved=True)


def test_it_takes_the_approval_and_the_name(cast: Cast) -> None:
    with pytest.raises(Conflict, match="approve"):
        remove(cast, approved=False)
    for name in ("", "alpha ash", "Alpha Birch"):
        with pytest.raises(Conflict, match="not the same"):
            remove(cast, name=name)
    assert there(Account, cast.accounts_a[0].id)


def test_users_sessions_files_and_running_work_go_with_it(cast: Cast, data_dir: Path) -> None:
    account_id = cast.accounts_a[0].id or 0
    token = token_of(cast.dave)
    db.write(vault, account_id)
    task = db.read(lambda session: session.exec(select(BackupTask).where(BackupTask.account_id == account_id)).one())
    about = {"account_id": account_id, "task_id": task.id}
    db.write(queue.add, cast.actor("alice"), "export", **about)
    db.write(lambda session: queue.claim(session, ["export"]))
    db.write(queue.add, cast.actor("alice"), "backup", **about)
    file_id = db.write(_file, account_id, cast.partner_a.id)
    remove(cast, name=f" {NAME} ")
    for model, key in ((Account, account_id), (User, cast.dave.id), (BackupTask, task.id)):
        assert not there(model, key)
    assert db.read(sessions.identify, token, HERE).kind == ActorKind.NOBODY
    assert jobs(account_id, "export")[0].cancel_requested
    assert jobs(account_id, "backup")[0].state == JobState.CANCELED
    (forget,) = jobs(account_id, data.FORGET)
    assert (forget.payload["vaults"], forget.state) == (["vault-of-ash"], JobState.WAITING)
    db.write(files.prune)
    assert not there(StoredFile, file_id)
    assert list((data_dir / "files").iterdir()) == []


def _file(session: Session, account_id: int, partner_id: int) -> int:
    place = files.new_place()
    place.write_bytes(b"export")
    about = {"partner_id": partner_id, "account_id": account_id, "permission": Permission.DATA_EXPORT}
    return files.keep(session, place, name="export.zip", kind="export", **about).id or 0


def test_the_tombstone_the_audit_and_the_mails_tell_of_it(cast: Cast) -> None:
    account_id = cast.accounts_a[0].id
    remove(cast)
    gone = db.read(lambda session: session.get_one(DeletedAccount, account_id))
    assert (gone.name, gone.reason, gone.partner_id) == (NAME, "removed by a user", cast.partner_a.id)
    told = audit()[-1]
    assert (told.activity, told.description, told.account_id) == ("Account removed", "Removed by a user", account_id)
    for to in (cast.alice.email, cast.accounts_a[0].email, cast.dave.email):
        ((kind, letter),) = mails(to)
        assert (kind, letter["subject"]) == ("account removed", f"The account {NAME} was removed")
        assert bool(letter["action"]) is (to == cast.alice.email)
    assert mails(cast.bob.email) == []


def test_a_subscription_ends_with_its_last_bill(database: Any) -> None:
    actor, [account_id] = db.write(billed, "monthly")
    name = db.read(lambda session: session.get_one(Account, account_id).name)
    db.write(removal.remove, actor, account_id, name, approved=True)
    assert not there(Account, account_id)
    assert not there(Subscription, account_id)
    assert len(bills_of(account_id)) == 1


@pytest.mark.parametrize("fails", [(data, "forget_account"), (removal, "queue_all"), (closing.trials, "_tombstone")])
def test_all_of_it_happens_or_nothing(cast: Cast, monkeypatch: pytest.MonkeyPatch, fails: tuple[Any, str]) -> None:
    db.write(vault, cast.accounts_a[0].id)

    def broken(*_: Any, **__: Any) -> None:
        raise OSError("away")

    monkeypatch.setattr(*fails, broken)
    with pytest.raises(OSError, match="away"):
        remove(cast)
    assert there(Account, cast.accounts_a[0].id)
    assert there(User, cast.dave.id)
    assert jobs(cast.accounts_a[0].id, data.FORGET) == []


def test_the_page_follows_the_deletion_to_its_proof(cast: Cast) -> None:
    account_id = cast.accounts_a[0].id
    db.write(vault, account_id)
    remove(cast)
    found = db.read(removal.standing, cast.actor("alice"), account_id)
    assert (found.name, found.ended, found.proof) == (NAME, False, "")
    ended(JobState.DONE, {"deleted": 1_234, "left": 0})
    found = db.read(removal.standing, cast.actor("alice"), account_id)
    assert (found.ended, found.fault) == (True, "")
    assert found.proof == "0 objects left in the storage. 1,234 were deleted."


def test_a_deletion_that_failed_says_why_and_proves_nothing(cast: Cast) -> None:
    account_id = cast.accounts_a[0].id
    db.write(vault, account_id)
    remove(cast)
    ended(JobState.FAILED, fault="The storage can't be reached.")
    found = db.read(removal.standing, cast.actor("alice"), account_id)
    assert (found.ended, found.fault, found.proof) == (True, "The storage can't be reached.", "")


def test_without_stored_data_there_is_nothing_to_wait_for(cast: Cast) -> None:
    remove(cast)
    found = db.read(removal.standing, cast.actor("alice"), cast.accounts_a[0].id)
    assert (found.ended, found.proof) == (True, removal.NOTHING_STORED)


def test_the_page_is_for_who_sees_all_accounts_and_for_who_removed_it(cast: Cast) -> None:
    account_id = cast.accounts_a[0].id
    db.write(vault, account_id)
    limited = [db.write(_limited, cast) for _ in range(2)]
    db.write(removal.remove, factories.actor(limited[0]), account_id, NAME, approved=True)
    for actor in (cast.actor("alice"), factories.actor(limited[0])):
        assert db.read(removal.standing, actor, account_id).name == NAME
    for actor in (cast.actor("mallory"), factories.actor(limited[1])):
        with pytest.raises(NotFound, match="no such account"):
            db.read(removal.standing, actor, account_id)


def _limited(session: Session, cast: Cast) -> User:
    made = factories.user(session, cast.partner_a, role="custom", permissions=[one.value for one in REMOVES])
    factories.give_accounts(session, made, session.get_one(Account, cast.accounts_a[0].id))
    return made


@pytest.mark.parametrize("by", ["a user", "the rules"])
def test_a_trial_takes_its_data_with_it_too(cast: Cast, by: str) -> None:
    account_id = cast.accounts_a[0].id or 0
    db.write(vault, account_id)
    if by == "a user":
        db.write(accounts.delete_trial, cast.actor("alice"), account_id, NAME)
    else:
        for days in (22, 24):
            db.write(trials.advance, clock.now() + timedelta(days=days))
    assert not there(Account, account_id)
    assert [job.payload["vaults"] for job in jobs(account_id, data.FORGET)] == [["vault-of-ash"]]


def test_of_two_who_remove_it_at_the_same_moment_one_does(office: Cast) -> None:
    db.write(vault, office.accounts_a[0].id)

    def act(_: int) -> str:
        try:
            remove(office)
        except PortalError as refusal:
            return refusal.sentence
        return "removed"

    with ThreadPoolExecutor(2) as pool:
        answers = sorted(pool.map(act, range(2)))
    assert answers == [accounts.NOT_FOUND, "removed"]
    assert len(jobs(office.accounts_a[0].id, data.FORGET)) == 1
