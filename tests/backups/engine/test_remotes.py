"""Sources that are servers: really looked into, backed up, and brought back byte by byte."""

import io
import json
import os
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest
from sqlmodel import Session, select

from portal_app import clock, crypto, db
from portal_app.accounts import storage_credentials, storage_relay
from portal_app.backups.engine import recovery, removal, sources, tools
from portal_app.backups.engine.sources import parse
from portal_app.errors import Invalid
from portal_app.files import service as stored
from portal_app.models import Account, BackupEntity, BackupTask, CustomStorage, JobState, StorageKind
from portal_app.settings import reset_settings, settings
from tests.accounts.storage_servers import S3Server, s3_server  # noqa: F401 (a fixture)
from tests.backups.conftest import Cast
from tests.backups.engine.conftest import back_up, built_in, contents, job_of, work_off
from tests.backups.engine.servers import PASSWORD, USER, serving

# moto takes another name's first part for a bucket.
NAME = "s3.us-east-1.amazonaws.com"
FILES = {
    "Letters/one.txt": b"one",
    "Letters/old/two & größe.txt": b"two two",
    "Pictures/big.bin": os.urandom(300_000),
    "Empty name/ü/x": b"",
    "readme.txt": b"at the top",
}


@pytest.fixture(autouse=True)
def _private_is_fine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTAL_ALLOW_PRIVATE_STORAGE", "1")
    reset_settings()


@dataclass(frozen=True)
class Place:
    """A source with FILES; `now` reads all that it holds, `put` changes it."""

    kind: str
    values: dict[str, str]
    secrets: list[str]
    now: Callable[[], dict[str, bytes]]
    put: Callable[[str, bytes], None]


@pytest.fixture(params=["s3", "webdav", "sftp"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param == "s3":
        yield _bucket(request.getfixturevalue("s3_server"), tmp_path.name)
        return
    folder = tmp_path / "served"
    for name, content in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    home = tmp_path / "home"
    home.mkdir()
    with serving(request.param, folder, home) as port:
        values = {"user": USER, "password": PASSWORD}
        if request.param == "webdav":
            values |= {"url": f"http://127.0.0.1:{port}"}
        else:
            values |= {"host": "127.0.0.1", "port": str(port)}
        yield Place(
            request.param,
            values,
            [PASSWORD],
            lambda: {name: data for name, data in contents(folder).items() if data is not None},
            lambda name, data: (folder / name).write_bytes(data),
        )


def _bucket(server: S3Server, name: str) -> Place:
    key, secret = server.users["full"]
    name = "".join(char for char in name if char.isalnum())[-40:].lower()
    client = boto3.client(
        "s3", endpoint_url=server.url, aws_access_key_id=key, aws_secret_access_key=secret, region_name="us-east-1"
    )
    client.create_bucket(Bucket=name)
    for path, content in FILES.items():
        client.put_object(Bucket=name, Key=f"in/{path}", Body=content)

    def now() -> dict[str, bytes]:
        found = client.list_objects_v2(Bucket=name, Prefix="in/").get("Contents", [])
        keys = [one["Key"] for one in found if not one["Key"].endswith("/")]
        return {one[3:]: client.get_object(Bucket=name, Key=one)["Body"].read() for one in keys}

    values = {"endpoint": server.url, "bucket": name, "folder": "in", "access_key_id": key, "secret_access_key": secret}
    return Place(
        "s3", values, [secret], now, lambda path, data: client.put_object(Bucket=name, Key=f"in/{path}", Body=data)
    )


@pytest.fixture
def task(cast: Cast, place: Place) -> int:
    return db.write(built_in, cast.account, parse(place.kind, place.values)).id


def test_it_is_really_looked_into(place: Place) -> None:
    sources.check(parse(place.kind, place.values))
    wrong = {"secret_access_key": "x" * 40} if place.kind == "s3" else {"password": "wrong"}
    with pytest.raises(Invalid) as refusal:
        sources.check(parse(place.kind, place.values | wrong))
    assert list(refusal.value.fields) == list(wrong)
    assert "refused access" in refusal.value.fields[next(iter(wrong))]
    if place.kind != "s3":
        with pytest.raises(Invalid) as refusal:
            sources.check(parse(place.kind, place.values | {"folder": "nowhere"}))
        assert refusal.value.fields == {"folder": "There is no such folder."}


def test_back_and_forth(cast: Cast, place: Place, task: int, tmp_path: Path) -> None:
    run = back_up(cast.alice, task)
    assert (run.outcome, run.message, run.entities) == ("successful", "", 4), run.log
    assert run.size_bytes == sum(map(len, FILES.values()))
    place.put("Letters/one.txt", b"two")
    copy = db.write(recovery.start_restore, cast.alice, task, run.id, [])
    work_off()
    assert job_of(copy).state == JobState.DONE, job_of(copy).fault
    folder = job_of(copy).result["folder"]
    now = place.now()
    assert {name.partition("/")[2]: data for name, data in now.items() if name.startswith(folder)} == FILES
    assert now["Letters/one.txt"] == b"two"
    original = db.write(recovery.start_restore, cast.alice, task, run.id, [], "original")
    work_off()
    assert job_of(original).state == JobState.DONE, job_of(original).fault
    assert place.now()["Letters/one.txt"] == b"one"
    export = db.write(recovery.start_export, cast.alice, task, run.id, [])
    work_off()
    file = db.read(stored.find, cast.alice, job_of(export).result["file"])
    with zipfile.ZipFile(io.BytesIO(stored.path_of(file).read_bytes())) as archive:
        assert {one: archive.read(one) for one in archive.namelist() if not one.endswith("/")} == FILES
    # Nothing of the customer's is left on the machine.
    assert not list((settings().data_dir / "work").glob("*"))


def test_a_source_that_is_away_is_a_failed_run_with_a_cause(
    cast: Cast, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = {"endpoint": "http://127.0.0.1:9", "url": "http://127.0.0.1:9", "port": "9"}
    source = parse(place.kind, {**place.values, **{name: v for name, v in gone.items() if name in place.values}})
    monkeypatch.setattr(tools, "PATIENT", tools.HASTY)
    run = back_up(cast.alice, db.write(built_in, cast.account, source).id)
    assert (run.outcome, run.message) == ("failed", "The source can't be reached.")


def test_secrets_are_in_no_command_and_no_log(
    cast: Cast, place: Place, task: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    commands: list[str] = []
    popen = tools.subprocess.Popen

    def note(command: list[str], **given: object):
        commands.append(json.dumps(command))
        assert not any(name.startswith(("PORTAL_DATA", "AWS_PROFILE")) for name in given["env"])
        return popen(command, **given)

    monkeypatch.setenv("AWS_PROFILE", "the developer's")
    monkeypatch.setattr(tools.subprocess, "Popen", note)
    run = back_up(cast.alice, task)
    row = db.read(lambda session: session.get(BackupTask, task))
    key = crypto.unseal(
        row.vault_sealed, binding=crypto.binding(cast.partner_id, "backup_task", task, "vault_sealed")
    ).decode()
    told = "".join(commands) + run.log + caplog.text
    assert len(commands) > 4
    assert not [secret for secret in [key, *place.secrets] if secret in told or json.dumps(secret)[1:-1] in told]


# --- the storage ----------------------------------------------------------------------------------


def own_storage(session: Session, account_id: int, server: S3Server, user: str = "full") -> None:
    account = session.get(Account, account_id)
    key, secret = server.users[user]
    values = {"endpoint_url": server.url, "bucket": "backups", "access_key_id": key, "secret_access_key": secret}
    told = storage_credentials.to_json(storage_credentials.parse("s3_compatible", values))
    where = crypto.binding(account.partner_id, "custom_storage", account.id, "sealed")
    sealed = crypto.seal(told, binding=where)
    account.storage_kind, account.data_center_id = StorageKind.S3_COMPATIBLE, None
    session.add(account)
    session.add(
        CustomStorage(
            account_id=account.id, kind="s3_compatible", place="backups", sealed=sealed, checked_at=clock.now()
        )
    )
    session.flush()


def objects(server: S3Server) -> list[str]:
    key, secret = server.users["full"]
    client = boto3.client(
        "s3", endpoint_url=server.url, aws_access_key_id=key, aws_secret_access_key=secret, region_name="us-east-1"
    )
    return [one["Key"] for one in client.list_objects_v2(Bucket="backups").get("Contents", [])]


@pytest.fixture
def in_bucket(cast: Cast, files: Path, s3_server: S3Server) -> int:  # noqa: F811
    db.write(own_storage, cast.account, s3_server)
    return db.write(built_in, cast.account, parse("folder", {"path": str(files)})).id


def test_data_in_the_customers_bucket_is_readable_for_nobody_and_goes_with_the_account(
    cast: Cast,
    in_bucket: int,
    s3_server: S3Server,  # noqa: F811
    files: Path,
) -> None:
    run = back_up(cast.alice, in_bucket)
    assert run.outcome == "successful", run.log
    vault = db.read(lambda session: session.get(BackupTask, in_bucket)).vault
    kept = objects(s3_server)
    assert len(kept) > 5
    assert all(one.startswith(f"{vault}/") for one in kept)
    assert "customer" not in vault
    before = contents(files)
    number = db.write(recovery.start_restore, cast.alice, in_bucket, run.id, [])
    work_off()
    assert contents(files / job_of(number).result["folder"]) == before

    def remove(session: Session) -> int:
        account = session.get(Account, cast.account)
        job = removal.forget_account(session, cast.alice, account)
        session.delete(account)
        return job

    job = db.write(remove)
    work_off()
    done = job_of(job)
    assert (done.state, done.result["deleted"], done.result["left"]) == (JobState.DONE, len(kept), 0), done.fault
    assert objects(s3_server) == []
    assert not db.read(lambda session: list(session.exec(select(BackupEntity))))


def test_a_storage_that_is_away_is_tried_again(
    cast: Cast,
    in_bucket: int,
    s3_server: S3Server,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    back_up(cast.alice, in_bucket)
    job = db.write(lambda session: removal.forget_task(session, cast.alice, session.get(BackupTask, in_bucket)))
    monkeypatch.setattr(tools, "PATIENT", tools.HASTY)
    with monkeypatch.context() as away:
        away.setattr(storage_credentials, "from_json", lambda _: _nowhere())
        work_off()
    waiting = job_of(job)
    assert (waiting.state, waiting.fault) == (JobState.WAITING, "The storage can't be reached.")
    assert waiting.run_at > clock.now()
    monkeypatch.setattr(clock, "now", lambda: waiting.run_at)
    work_off()
    assert job_of(job).state == JobState.DONE
    assert objects(s3_server) == []


def _nowhere() -> storage_credentials.Credentials:
    values = {"endpoint_url": "http://127.0.0.1:9", "bucket": "b", "access_key_id": "k", "secret_access_key": "s"}
    return storage_credentials.parse("s3_compatible", values)


def test_a_bucket_that_refuses_is_a_failed_run(
    cast: Cast,
    files: Path,
    s3_server: S3Server,  # noqa: F811
) -> None:
    db.write(own_storage, cast.account, s3_server, "nothing")
    run = back_up(cast.alice, db.write(built_in, cast.account, parse("folder", {"path": str(files)})).id)
    assert (run.outcome, run.message) == ("failed", "The storage refused access.")


# --- through the relay ----------------------------------------------------------------------------


def test_a_public_name_is_reached_through_the_relay(cast: Cast, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where private addresses are refused, everything goes to the one address that was judged."""
    monkeypatch.setenv("PORTAL_ALLOW_PRIVATE_STORAGE", "0")
    reset_settings()
    look_up, asked = storage_relay.look_up, []

    def fake(host: str, *given: object, **more: object):
        asked.append(host)
        return look_up("127.0.0.1" if host == NAME else host, *given, **more)

    monkeypatch.setattr(storage_relay, "look_up", fake)
    monkeypatch.setattr(storage_relay, "is_public", lambda _address: True)
    named = {name: value.replace("127.0.0.1", NAME) for name, value in place.values.items()}
    run = back_up(cast.alice, db.write(built_in, cast.account, parse(place.kind, named)).id)
    assert run.outcome == "successful", run.log
    assert set(asked) == {NAME}


def test_a_name_that_leads_inside_is_refused(cast: Cast, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTAL_ALLOW_PRIVATE_STORAGE", "0")
    reset_settings()
    look_up = storage_relay.look_up
    monkeypatch.setattr(
        storage_relay,
        "look_up",
        lambda host, *given, **more: look_up("127.0.0.1" if host == NAME else host, *given, **more),
    )
    named = {name: value.replace("127.0.0.1", NAME) for name, value in place.values.items()}
    with pytest.raises(Invalid) as refusal:
        sources.check(parse(place.kind, named))
    assert "isn't public" in next(iter(refusal.value.fields.values()))
