"""Where an account's backups are kept: what the provider gave its data centre, or the customer's own storage."""

import base64
import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sqlmodel import Session

from portal_app import crypto
from portal_app.accounts import data_centers, storage_credentials
from portal_app.accounts.storage_credentials import AwsS3, Azure, Credentials, GoogleCloud, S3Compatible
from portal_app.accounts.storage_relay import is_public
from portal_app.backups.engine import remotes
from portal_app.backups.engine.tools import Bench
from portal_app.errors import Conflict, Invalid
from portal_app.models import Account, CustomStorage, DataCenter
from portal_app.settings import settings

CENTER = "center_id"
_NOT_PUBLIC = "The storage's address isn't public. The portal connects to public addresses only."


@dataclass(frozen=True)
class Storage:
    """A data centre's folder, or the credentials of a storage. `ours`: the provider's, in its own network."""

    center: str = ""
    credentials: Credentials | None = field(default=None, repr=False)
    ours: bool = False

    @property
    def secrets(self) -> list[str]:
        """What must be in no log."""
        return _secrets(self.credentials) if self.credentials else []

    def folder(self, vault: str) -> Path:
        """Where a data centre keeps the vault."""
        return center_folder(self.center) / vault


@dataclass(frozen=True)
class Access:
    """A vault as the tools take it: restic's repository, rclone's path, and the environment for either."""

    repository: str
    path: str
    environment: Mapping[str, str] = field(repr=False)
    options: tuple[str, ...] = ()


def vault_root() -> Path:
    """The folder below which all data centres' folders are."""
    return (settings().vault_dir or settings().data_dir / "vaults").resolve()


def center_folder(name: str) -> Path:
    """Where the backups of a data centre's accounts are."""
    return vault_root() / name


def storage_of(session: Session, account: Account) -> Storage:
    """The account's own. Raises Unreadable when its credentials can't be opened."""
    return unpacked(session, packed(session, account))


def hold(session: Session, account: Account) -> None:
    """Until the transaction ends, nobody gives the account's data centre another storage."""
    if account.data_center_id is not None:
        session.get(DataCenter, account.data_center_id, with_for_update={"read": True})


def packed(session: Session, account: Account) -> dict[str, Any]:
    """All that is needed to reach the storage once the account is gone; what is secret stays sealed."""
    if account.data_center_id is not None:
        center = session.get_one(DataCenter, account.data_center_id)
        # A data centre stays, and its keys may change before the job is done.
        return {CENTER: center.id} if center.sealed else {"center": center.place or center.code}
    own = session.get(CustomStorage, account.id)
    if own is None:
        raise Conflict("The account has no storage.")
    return {
        "partner": account.partner_id,
        "account": account.id,
        "sealed": base64.b64encode(own.sealed).decode(),
    }


def unpacked(session: Session, told: Mapping[str, Any]) -> Storage:
    """The storage that `packed` described. Raises Unreadable."""
    if "center" in told:
        return Storage(center=told["center"])
    if CENTER in told:
        credentials = data_centers.credentials_of(session.get_one(DataCenter, told[CENTER]))
        return Storage(credentials=credentials, ours=credentials is not None and data_centers.is_ours(credentials))
    where = crypto.binding(told["partner"], "custom_storage", told["account"], "sealed")
    opened = crypto.unseal(base64.b64decode(told["sealed"]), binding=where)
    return Storage(credentials=storage_credentials.from_json(opened))


@contextmanager
def reached(storage: Storage, vault: str, at: Bench) -> Iterator[Access]:
    """The vault, reachable while the block lasts; an endpoint that a customer typed only by the relay."""
    own = storage.credentials
    if own is None:
        folder = storage.folder(vault)
        yield Access(str(folder), str(folder), {})
        return
    with ExitStack() as open_:
        way = "" if storage.ours else _way(open_, own)
        if isinstance(own, AwsS3 | S3Compatible):
            yield _s3(own, vault, at, way)
        elif isinstance(own, GoogleCloud):
            yield _google(own, vault, at)
        else:
            yield _azure(own, vault, at)


def _way(open_: ExitStack, own: Credentials) -> str:
    if not isinstance(own, S3Compatible):
        return ""
    _, way = remotes.guarded(open_, own.endpoint_url)
    host = urlsplit(own.endpoint_url).hostname or ""
    # Go's clients ask no proxy for what is called so, whatever the environment says.
    if way and (host == "localhost" or host.endswith(".localhost") or _is_private(host)):
        raise Invalid(_NOT_PUBLIC)
    return way


def _is_private(host: str) -> bool:
    try:
        return not is_public(host)
    except ValueError:
        return False


def _s3(own: AwsS3 | S3Compatible, vault: str, at: Bench, way: str) -> Access:
    if isinstance(own, S3Compatible):
        endpoint, region, provider = own.endpoint_url, own.region or "us-east-1", "Other"
    else:
        domain = "amazonaws.com.cn" if own.region.startswith("cn-") else "amazonaws.com"
        endpoint, region, provider = f"https://s3.{own.region}.{domain}", own.region, "AWS"
    secret = own.secret_access_key.get_secret_value()
    options = {
        "type": "s3",
        "provider": provider,
        "endpoint": endpoint,
        "region": region,
        "access_key_id": own.access_key_id,
        "secret_access_key": secret,
        "no_check_bucket": "true",
        "force_path_style": "true",
    }
    environment = remotes.options_as_environment("vault", options, at) | {
        "AWS_ACCESS_KEY_ID": own.access_key_id,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_DEFAULT_REGION": region,
    }
    if way:
        environment |= {"HTTP_PROXY": way, "HTTPS_PROXY": way, "RCLONE_HTTP_PROXY": way}
    place = f"{own.bucket}/{vault}"
    lookup = ("-o", "s3.bucket-lookup=path", "-o", "s3.connections=3")
    return Access(f"s3:{endpoint}/{place}", f"vault:{place}", environment, lookup)


def _google(own: GoogleCloud, vault: str, at: Bench) -> Access:
    key = own.service_account_key.get_secret_value()
    options = {"type": "google cloud storage", "service_account_credentials": key, "bucket_policy_only": "true"}
    environment = remotes.options_as_environment("vault", options, at) | {
        "GOOGLE_APPLICATION_CREDENTIALS": remotes.private_file(at, "google.json", key),
        "GOOGLE_PROJECT_ID": "unused",
    }
    return Access(f"gs:{own.bucket}:/{vault}", f"vault:{own.bucket}/{vault}", environment, ("-o", "gs.connections=3"))


def _azure(own: Azure, vault: str, at: Bench) -> Access:
    key = own.account_key.get_secret_value()
    options = {"type": "azureblob", "account": own.account_name, "key": key}
    environment = remotes.options_as_environment("vault", options, at) | {
        "AZURE_ACCOUNT_NAME": own.account_name,
        "AZURE_ACCOUNT_KEY": key,
    }
    place = f"{own.container}/{vault}"
    return Access(f"azure:{own.container}:/{vault}", f"vault:{place}", environment, ("-o", "azure.connections=3"))


def _secrets(own: Credentials) -> list[str]:
    if isinstance(own, GoogleCloud):
        return [json.loads(own.service_account_key.get_secret_value())["private_key"]]
    key = own.account_key if isinstance(own, Azure) else own.secret_access_key
    return [key.get_secret_value()]
