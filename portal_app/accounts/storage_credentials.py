"""What a customer types for an own storage: four kinds, each field checked before anything is sent anywhere."""

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping
from ipaddress import ip_address
from typing import Annotated, ClassVar, Literal
from urllib.parse import urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, TypeAdapter, ValidationError

from portal_app.errors import Invalid

FIELD_PREFIX = "storage-"
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_ACCOUNT_KEY_BYTES = 64


def _text(name: str, limit: int, pattern: str, hint: str) -> BeforeValidator:
    """A one-line field: `name` as in "Enter …", at most `limit` characters, all of it matching `pattern`."""
    compiled = re.compile(pattern, re.ASCII)

    def check(value: object) -> str:
        text = _plain(value, name, limit)
        if _CONTROL.search(text):
            raise ValueError("This holds a line break or another invisible character.")
        if not compiled.fullmatch(text):
            raise ValueError(hint)
        return text

    return BeforeValidator(check)


def _plain(value: object, name: str, limit: int) -> str:
    raw = value.get_secret_value() if isinstance(value, SecretStr) else value
    # Copying from a console often brings a space or a line break along at the ends; inside they are faults.
    text = raw.strip() if isinstance(raw, str) else ""
    if not text:
        raise ValueError(f"Enter {name}.")
    if len(text) > limit:
        raise ValueError(f"This is too long: at most {limit} characters.")
    return text


def endpoint(value: object) -> str:
    """An http(s) address without anything but host, port and path. Raises ValueError with a sentence."""
    text = _plain(value, "the endpoint's URL", 512)
    if _CONTROL.search(text):
        raise ValueError("This holds a line break or another invisible character.")
    try:
        parts = urlsplit(text)
        port, host = parts.port, (parts.hostname or "").lower()
    except ValueError:
        raise ValueError("This isn't a valid URL.") from None
    if parts.scheme not in ("http", "https") or not is_host(host) or port == 0:
        raise ValueError("Enter a URL with a host, such as https://s3.example.com.")
    if parts.username is not None or parts.password is not None:
        raise ValueError("Leave user names and passwords out of the URL; the keys have their own fields.")
    if parts.query or parts.fragment or not re.fullmatch(r"[A-Za-z0-9/_.~-]*", parts.path):
        raise ValueError("Enter only the address, without parameters or special characters.")
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}{f':{port}' if port else ''}{parts.path.rstrip('/')}"


def is_host(host: str) -> bool:
    """A DNS name or an address in its usual form; `127.1` and `0x7f000001` are neither."""
    labels = host.removesuffix(".").split(".")
    if ":" in host or labels[-1].isdigit() or labels[-1].startswith("0x"):
        try:
            return "%" not in host and bool(ip_address(host))
        except ValueError:
            return False
    return len(host) <= 253 and all(_LABEL.fullmatch(label) for label in labels)


def _account_key(value: object) -> str:
    text = _plain(value, "the account key", 256)
    try:
        if len(base64.b64decode(text, validate=True)) == _ACCOUNT_KEY_BYTES:
            return text
    except (binascii.Error, ValueError):
        pass
    raise ValueError("This isn't an account key: those have 88 characters and end in ==.")


def service_account(value: object) -> str:
    """Keep only what signs: `gcs_base_url` or `token_uri` of a crafted file would send us to another host."""
    text = _plain(value, "the service account's key file (JSON)", 16_384)
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("This isn't valid JSON. Paste the whole key file.") from None
    if not isinstance(data, dict) or data.get("type") != "service_account":
        raise ValueError('This isn\'t the key file of a service account ("type": "service_account").')
    kept = {name: data.get(name) for name in ("type", "client_email", "private_key_id", "private_key")}
    for name, part in kept.items():
        if not isinstance(part, str) or not part:
            raise ValueError(f'The key file lacks "{name}".')
    rsa_key(kept["private_key"])
    return json.dumps(kept)


def rsa_key(pem: str) -> RSAPrivateKey:
    """The RSA key of a service account. Raises ValueError with a sentence for the user."""
    try:
        key = load_pem_private_key(pem.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, RSAPrivateKey):
        raise ValueError('The "private_key" in the key file is damaged.')
    return key


_KEY_HINT = "Use the characters of the key only: no spaces, no accents."
_AwsBucket = _text(
    "the bucket's name", 63, r"[a-z0-9](?!.*\.\.)[a-z0-9.-]{1,61}[a-z0-9]", "Use 3 to 63 small letters, digits, - or ."
)
_AnyBucket = _text("the bucket's name", 255, r"(?!\.)[A-Za-z0-9._-]+", "Use letters, digits, -, _ or .")
_GcsBucket = _text(
    "the bucket's name", 222, r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]", "Use 3 to 222 small letters, digits, -, _ or ."
)
_Container = _text(
    "the container's name", 63, r"(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*", "Use 3 to 63 small letters, digits or single -."
)
_AccountName = _text("the account name", 24, r"[a-z0-9]{3,24}", "Use 3 to 24 small letters or digits.")
_AwsRegion = _text(
    "the region", 32, r"[a-z]{2,4}(-[a-z]+){1,3}-\d{1,2}", "Enter the region as AWS writes it, such as eu-central-1."
)
_AnyRegion = _text("the region", 64, r"[A-Za-z0-9-]+", "Use letters, digits or -.")
_AccessKey = _text("the access key ID", 128, r"[!-.0-~]+", _KEY_HINT)  # "/" parts the fields of a signature
_Secret = _text("the secret access key", 256, r"[!-~]+", _KEY_HINT)


def _optional(check: Callable[[object], str]) -> Callable[[object], str]:
    return lambda value: "" if value is None or (isinstance(value, str) and not value.strip()) else check(value)


class _Credentials(BaseModel):
    # A validation message must never quote what was typed: it may be the secret.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    role_fields: ClassVar[Mapping[str, str]]
    """Which field a fault of the `host`, `key`, `secret`, `bucket` or `region` is shown beside."""


class AwsS3(_Credentials):
    """A bucket of the customer at Amazon."""

    role_fields = {
        "host": "region",
        "key": "access_key_id",
        "secret": "secret_access_key",
        "bucket": "bucket",
        "region": "region",
    }
    kind: Literal["aws_s3"] = "aws_s3"
    bucket: Annotated[str, _AwsBucket]
    region: Annotated[str, _AwsRegion]
    access_key_id: Annotated[str, _AccessKey]
    secret_access_key: Annotated[SecretStr, _Secret]


class S3Compatible(_Credentials):
    """A bucket behind any server that speaks S3; `endpoint_url` is the customer's own."""

    role_fields = {**AwsS3.role_fields, "host": "endpoint_url"}
    kind: Literal["s3_compatible"] = "s3_compatible"
    endpoint_url: Annotated[str, BeforeValidator(endpoint)]
    bucket: Annotated[str, _AnyBucket]
    region: Annotated[str, BeforeValidator(_optional(_AnyRegion.func))] = ""
    access_key_id: Annotated[str, _AccessKey]
    secret_access_key: Annotated[SecretStr, _Secret]


class GoogleCloud(_Credentials):
    """A bucket at Google, reached as a service account."""

    role_fields = {
        "host": "bucket",
        "key": "service_account_key",
        "secret": "service_account_key",
        "bucket": "bucket",
        "region": "bucket",
    }
    kind: Literal["google_cloud"] = "google_cloud"
    bucket: Annotated[str, _GcsBucket]
    service_account_key: Annotated[SecretStr, BeforeValidator(service_account)]


class Azure(_Credentials):
    """A blob container at Azure, reached with the account's key."""

    role_fields = {
        "host": "account_name",
        "key": "account_key",
        "secret": "account_key",
        "bucket": "container",
        "region": "account_name",
    }
    kind: Literal["azure"] = "azure"
    account_name: Annotated[str, _AccountName]
    container: Annotated[str, _Container]
    account_key: Annotated[SecretStr, BeforeValidator(_account_key)]


Credentials = AwsS3 | S3Compatible | GoogleCloud | Azure
_KINDS: dict[str, type[Credentials]] = {
    "aws_s3": AwsS3,
    "s3_compatible": S3Compatible,
    "google_cloud": GoogleCloud,
    "azure": Azure,
}
_stored: TypeAdapter[Credentials] = TypeAdapter(Annotated[Credentials, Field(discriminator="kind")])


def from_form(typed: Mapping[str, str]) -> dict[str, str]:
    """The fields of a storage among all that a form sent: those whose names begin with FIELD_PREFIX."""
    return {key.removeprefix(FIELD_PREFIX): text for key, text in typed.items() if key.startswith(FIELD_PREFIX)}


def parse(kind: str, values: Mapping[str, object]) -> Credentials:
    """Checked credentials from a form's `values`. Raises Invalid with a sentence for each faulty field."""
    model = _KINDS.get(kind)
    if model is None:
        raise Invalid(storage="Choose one of the storages.")
    names = set(model.model_fields) - {"kind"}
    faults: dict[str, str] = {}
    try:
        # An absent field reads as an empty one, so that both get the same sentence.
        return model(**{name: values.get(name, "") for name in names})
    except ValidationError as fault:
        faults = {str(e["loc"][0]): e["msg"].removeprefix("Value error, ") for e in fault.errors(include_input=False)}
    raise Invalid(**faults)


def to_json(credentials: Credentials) -> bytes:
    """All of it, the secrets in clear: only to be handed to `crypto.seal`."""
    data = {name: getattr(credentials, name) for name in type(credentials).model_fields}
    shown = {name: v.get_secret_value() if isinstance(v, SecretStr) else v for name, v in data.items()}
    return json.dumps(shown).encode()


def from_json(stored: bytes) -> Credentials:
    """The credentials that `to_json` wrote."""
    return _stored.validate_json(stored)
