"""The storage check: really write, read back and delete a small file in a customer's own storage.

**Where it may connect.** Amazon, Google and Azure are reached at hosts made from checked parts (region, account), so
they need no guard. An S3-compatible endpoint is a stranger's text: it goes through `storage_relay`, which resolves
once, refuses every address that isn't public (unless PORTAL_ALLOW_PRIVATE_STORAGE) and carries to that one address
only; so neither a second DNS answer nor a redirect leads elsewhere. *Not covered*: public addresses that are ours (a
load balancer's outer side); a redirect within the same host and port; a proxy from HTTPS_PROXY, which the relay doesn't
use: there the S3-compatible check needs a direct way out. A redirect that Amazon, Google or Azure themselves sent would
be followed on reading.

**What it may leave behind.** A write whose answer never came may still have happened: then a file of a few bytes
below `portal-check/` remains.
"""

import contextlib
import json
import secrets
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from portal_app.accounts.storage_credentials import (
    AwsS3,
    Azure,
    Credentials,
    GoogleCloud,
    S3Compatible,
    from_json,
    parse,
    rsa_key,
    to_json,
)
from portal_app.accounts.storage_faults import Fault, Step, explain
from portal_app.accounts.storage_relay import Relay
from portal_app.errors import Invalid
from portal_app.later import Later
from portal_app.settings import settings

if TYPE_CHECKING:
    import obstore
    from obstore import store as stores
    from obstore.store import ClientConfig, RetryConfig

    _Store = stores.S3Store | stores.GCSStore | stores.AzureStore
else:
    obstore, stores = Later("obstore"), Later("obstore.store")

__all__ = [
    "AwsS3",
    "Azure",
    "Credentials",
    "GoogleCloud",
    "Limits",
    "Route",
    "S3Compatible",
    "from_json",
    "parse",
    "probe",
    "to_json",
]

PREFIX = "portal-check/"
_OPERATIONS = 3
_GOOGLE_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_NO_RETRIES: "RetryConfig" = {"max_retries": 0}


@dataclass(frozen=True)
class Limits:
    """Seconds for one operation and for the whole check."""

    operation: float = 5.0
    total: float = 15.0

    @property
    def each(self) -> float:
        """Seconds an operation gets, such that all three together keep the total."""
        return min(self.operation, self.total / _OPERATIONS)


@dataclass(frozen=True)
class Route:
    """Where the adapters of Amazon, Google and Azure connect instead of their own hosts: for tests only.

    Nothing a user types and no environment variable ends up here. `root_certificate`: a further CA to trust (PEM).
    """

    endpoint: str = ""
    root_certificate: str = ""


def probe(
    credentials: Credentials, *, limits: Limits = Limits(), route: Route = Route(), allow_private: bool = False
) -> None:
    """Check that these credentials may write, read and delete. Blocking: up to `limits.total` seconds.

    `allow_private`: the endpoint may lie in a private network, whatever PORTAL_ALLOW_PRIVATE_STORAGE says.
    Raises Invalid with one sentence beside the field that is most likely wrong; never with a secret in it.
    """
    with _connected(credentials, limits, route, allow_private) as attempt:
        path, content = f"{PREFIX}{secrets.token_hex(16)}", secrets.token_bytes(32)
        fault = attempt.write(path, content)
        if fault is None:
            fault = _merged(attempt.read(path, content), attempt.delete(path), path)
    if fault is not None:
        raise Invalid(**{credentials.role_fields[fault.role]: fault.sentence})


def _merged(reading: Fault | None, deleting: Fault | None, path: str) -> Fault | None:
    if deleting is None:
        return reading
    first = reading or deleting
    return Fault(first.role, f"{first.sentence} The check's small file {path} could not be deleted.")


@dataclass
class _Attempt:
    """The three operations; each gives a Fault instead of raising, so that no message of obstore travels on."""

    store: "_Store"
    seconds: float
    relay: Relay | None

    def write(self, path: str, content: bytes) -> Fault | None:
        return self._run(Step.WRITE, lambda: obstore.put(self.store, path, content, use_multipart=False))

    def read(self, path: str, content: bytes) -> Fault | None:
        found: list[bytes] = []
        fault = self._run(Step.READ, lambda: found.append(bytes(obstore.get(self.store, path).bytes())))
        if fault is None and found != [content]:
            return Fault("bucket", "The storage gave back something else than was written.")
        return fault

    def delete(self, path: str) -> Fault | None:
        return self._run(Step.DELETE, lambda: obstore.delete(self.store, path))

    def _run(self, step: Step, operation: Callable[[], object]) -> Fault | None:
        try:
            operation()
        except (obstore.exceptions.BaseError, OSError, ValueError) as fault:
            return explain(step, str(fault), self.relay.blocked if self.relay else None, self.seconds)
        return None


@contextlib.contextmanager
def _connected(credentials: Credentials, limits: Limits, route: Route, allow_private: bool) -> Iterator[_Attempt]:
    options = _client_options(limits, route)
    if not isinstance(credentials, S3Compatible):
        yield _Attempt(_store(credentials, options, route.endpoint), limits.each, None)
        return
    private = allow_private or settings().allow_private_storage
    with Relay(credentials.endpoint_url, allow_private=private, timeout=limits.each) as relay:
        options["proxy_url"] = relay.url
        if credentials.endpoint_url.startswith("http:"):
            # The relay carries one request a connection; a kept one would be found dead by the next.
            options["pool_max_idle_per_host"] = "0"
        yield _Attempt(_store(credentials, options, credentials.endpoint_url), limits.each, relay)


def _client_options(limits: Limits, route: Route) -> "ClientConfig":
    options: ClientConfig = {
        "timeout": timedelta(seconds=limits.each),
        "connect_timeout": timedelta(seconds=limits.each),
        "allow_http": True,  # only an endpoint can bring http in; the providers' own hosts are https
    }
    if route.root_certificate:
        options["root_certificate"] = route.root_certificate
    return options


def _store(credentials: Credentials, options: "ClientConfig", endpoint: str) -> "_Store":
    """The adapter. Keys come through a provider and the destination is explicit: else obstore would mix in
    AWS_…, GOOGLE_… and AZURE_… variables of the portal's own environment (a session token, another endpoint)."""
    if isinstance(credentials, AwsS3 | S3Compatible):
        return _s3(credentials, options, endpoint)
    if isinstance(credentials, GoogleCloud):
        return _gcs(credentials, options, endpoint)
    return _azure(credentials, options, endpoint)


def _s3(credentials: AwsS3 | S3Compatible, options: "ClientConfig", endpoint: str) -> "stores.S3Store":
    region = credentials.region or "us-east-1"
    domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    url = endpoint or f"https://s3.{region}.{domain}"
    return stores.S3Store(
        credentials.bucket,
        region=region,
        endpoint=url,
        aws_endpoint_url_s3=url,
        virtual_hosted_style_request=False,
        s3_express=False,
        skip_signature=False,
        request_payer=False,
        disable_bulk_delete=True,  # not every S3-compatible server has the bulk form
        client_options=options,
        retry_config=_NO_RETRIES,
        credential_provider=lambda: {
            "access_key_id": credentials.access_key_id,
            "secret_access_key": credentials.secret_access_key.get_secret_value(),
            "token": None,
            "expires_at": None,
        },
    )


def _gcs(credentials: GoogleCloud, options: "ClientConfig", endpoint: str) -> "stores.GCSStore":
    account = json.loads(credentials.service_account_key.get_secret_value())
    token = _self_signed_token(account)
    return stores.GCSStore(
        credentials.bucket,
        base_url=endpoint or "https://storage.googleapis.com",
        skip_signature=False,
        client_options=options,
        retry_config=_NO_RETRIES,
        credential_provider=lambda: {"token": token, "expires_at": datetime.now(UTC) + timedelta(minutes=5)},
    )


def _azure(credentials: Azure, options: "ClientConfig", endpoint: str) -> "stores.AzureStore":
    return stores.AzureStore(
        credentials.container,
        account_name=credentials.account_name,
        endpoint=endpoint or f"https://{credentials.account_name}.blob.core.windows.net",
        use_emulator=False,
        skip_signature=False,
        client_options=options,
        retry_config=_NO_RETRIES,
        credential_provider=lambda: {"access_key": credentials.account_key.get_secret_value(), "expires_at": None},
    )


def _self_signed_token(account: dict[str, str]) -> str:
    """A token Google takes without an exchange (AIP-4111), the form obstore makes of a key file itself."""
    now = int(time.time())  # Google judges it by the real clock, not by the portal's
    head = {"alg": "RS256", "typ": "JWT", "kid": account["private_key_id"]}
    email = account["client_email"]
    claims = {"iss": email, "sub": email, "scope": _GOOGLE_SCOPE, "iat": now, "exp": now + 300}
    signed = f"{_part(head)}.{_part(claims)}"
    signature = rsa_key(account["private_key"]).sign(signed.encode(), PKCS1v15(), SHA256())
    return f"{signed}.{_base64(signature)}"


def _part(data: dict[str, object]) -> str:
    return _base64(json.dumps(data).encode())


def _base64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
