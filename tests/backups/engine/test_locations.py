"""A storage location of the provider in a bucket: accounts in it are backed up there, and nothing of them is left."""

from pathlib import Path

import boto3
import pytest
from sqlmodel import Session, select

from portal_app import clock, db
from portal_app.auth.actor import Actor, system
from portal_app.backups.engine import recovery, removal, tools
from portal_app.backups.engine.sources import parse
from portal_app.errors import Conflict
from portal_app.models import Account, BackupTask, DataCenter, JobState, SourceKind
from portal_app.operator import places
from portal_app.operator.place_rows import StorageForm
from portal_app.settings import reset_settings
from tests.accounts.storage_servers import S3Server, s3_server  # noqa: F401 (a fixture)
from tests.backups.conftest import Cast
from tests.backups.engine.conftest import back_up, built_in, contents, job_of, work_off

OPERATOR = system()


@pytest.fixture(autouse=True)
def _own_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Customers' storages have to be public; the provider's may lie in its own network."""
    monkeypatch.setenv("PORTAL_ALLOW_PRIVATE_STORAGE", "0")
    monkeypatch.setenv("PORTAL_STORAGE_HOSTS", "127.0.0.1")
    reset_settings()


def bucket(server: S3Server, user: str = "full", name: str = "location") -> StorageForm:
    key, secret = server.users[user]
    fields = {"endpoint_url": server.url, "bucket": name, "access_key_id": key, "secret_access_key": secret}
    return StorageForm("s3_compatible", fields=fields)


@pytest.fixture
def client(s3_server: S3Server):  # noqa: F811
    key, secret = s3_server.users["full"]
    keys = {"aws_access_key_id": key, "aws_secret_access_key": secret, "region_name": "us-east-1"}
    client = boto3.client("s3", endpoint_url=s3_server.url, **keys)
    client.create_bucket(Bucket="location")
    return client


def objects(client) -> list[str]:
    return [one["Key"] for one in client.list_objects_v2(Bucket="location").get("Contents", [])]


@pytest.fixture
def task(cast: Cast, files: Path, client, s3_server: S3Server) -> int:  # noqa: F811
    """A task of an account in a new location."""
    places.add(OPERATOR, "eu-bucket", "Bucket", bucket(s3_server))
    assert objects(client) == []

    def settle(session: Session) -> int:
        center = session.exec(select(DataCenter).where(DataCenter.code == "eu-bucket")).one()
        account = session.get_one(Account, cast.account)
        account.data_center_id = center.id
        session.add(account)
        return built_in(session, cast.account, parse(SourceKind.FOLDER, {"path": str(files)})).id or 0

    return db.write(settle)


def restored(actor: Actor, task: int, run: int, files: Path) -> dict[str, bytes | None]:
    number = db.write(recovery.start_restore, actor, task, run, [])
    work_off()
    assert job_of(number).state == JobState.DONE, job_of(number).fault
    return contents(files / job_of(number).result["folder"])


def removed(session: Session, account_id: int, actor: Actor) -> int | None:
    account = session.get_one(Account, account_id)
    job = removal.forget_account(session, actor, account)
    session.delete(account)
    return job


def test_there_and_back_and_nothing_left(cast: Cast, task: int, files: Path, client, s3_server: S3Server) -> None:  # noqa: F811
    run = back_up(cast.alice, task)
    assert run is not None
    assert run.outcome == "successful", run.log
    vault = db.read(lambda session: session.get_one(BackupTask, task)).vault
    kept = objects(client)
    assert len(kept) > 5
    assert all(one.startswith(f"{vault}/") for one in kept)
    assert s3_server.users["full"][1] not in run.log

    before = contents(files)
    assert restored(cast.alice, task, run.id or 0, files) == before

    mark = db.read(places.one, OPERATOR, "eu-bucket").mark
    with pytest.raises(Conflict, match="holds the backups of 1 backup task"):
        places.set_storage(OPERATOR, "eu-bucket", mark, StorageForm())

    job = db.write(removed, cast.account, cast.alice)
    assert "secret" not in str(job_of(job or 0).payload)
    work_off()
    done = job_of(job or 0)
    assert (done.state, done.result["deleted"], done.result["left"]) == (JobState.DONE, len(kept), 0), done.fault
    assert objects(client) == []
    places.set_storage(OPERATOR, "eu-bucket", mark, StorageForm())


def test_keys_that_were_changed_serve_what_was_kept_before(
    cast: Cast,
    task: int,
    files: Path,
    client,
    s3_server: S3Server,  # noqa: F811
) -> None:
    run = back_up(cast.alice, task)
    assert run is not None
    before = contents(files)

    def spoil(session: Session) -> None:
        """As if the provider had taken the old key back."""
        center = session.exec(select(DataCenter).where(DataCenter.code == "eu-bucket")).one()
        center.sealed = places.data_centers.seal(center, _parsed(bucket(s3_server, "nothing")))
        session.add(center)

    db.write(spoil)
    refused = back_up(cast.alice, task)
    assert refused is not None
    assert (refused.outcome, refused.message) == ("failed", "The storage refused access.")
    mark = db.read(places.one, OPERATOR, "eu-bucket").mark
    places.set_storage(OPERATOR, "eu-bucket", mark, bucket(s3_server))
    assert restored(cast.alice, task, run.id or 0, files) == before
    job = db.write(removed, cast.account, cast.alice)
    work_off()
    assert job_of(job or 0).state == JobState.DONE
    assert objects(client) == []


def test_a_deletion_waits_for_a_storage_with_the_wrong_key(
    cast: Cast,
    task: int,
    client,
    s3_server: S3Server,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    back_up(cast.alice, task)
    monkeypatch.setattr(tools, "PATIENT", tools.HASTY)
    job = db.write(removed, cast.account, cast.alice) or 0
    with monkeypatch.context() as wrong:
        wrong.setattr(places.data_centers, "credentials_of", lambda _: _parsed(bucket(s3_server, "nothing")))
        work_off()
    waiting = job_of(job)
    assert (waiting.state, waiting.fault) == (JobState.WAITING, "The storage refused access.")
    assert objects(client)
    monkeypatch.setattr(clock, "now", lambda: waiting.run_at)
    work_off()
    assert job_of(job).state == JobState.DONE
    assert objects(client) == []


def test_a_folder_of_another_name_is_used(cast: Cast, files: Path) -> None:
    places.add(OPERATOR, "eu-disk", "Disk", StorageForm(folder="disk-2/eu"))

    def settle(session: Session) -> int:
        account = session.get_one(Account, cast.account)
        account.data_center_id = session.exec(select(DataCenter.id).where(DataCenter.code == "eu-disk")).one()
        session.add(account)
        return built_in(session, cast.account, parse(SourceKind.FOLDER, {"path": str(files)})).id or 0

    task = db.write(settle)
    run = back_up(cast.alice, task)
    assert run is not None
    assert run.outcome == "successful", run.log
    vault = db.read(lambda session: session.get_one(BackupTask, task)).vault
    folder = places.storages.center_folder("disk-2/eu") / vault
    assert (folder / "config").is_file()
    job = db.write(removed, cast.account, cast.alice)
    work_off()
    assert job_of(job or 0).state == JobState.DONE
    assert not folder.exists()


def _parsed(form: StorageForm):
    return places.storage_credentials.parse(form.kind, form.fields)
