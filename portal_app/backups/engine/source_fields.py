"""What a customer types for each kind of source, checked before anything is sent anywhere."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from portal_app import text
from portal_app.accounts import storage_credentials
from portal_app.models import SourceKind

Check = Callable[[str], str]
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class SourceField:
    """One field of the form. `input`: text, password, long (many lines) or choice (one of `choices`, value and label).

    A `secret` is never shown again. A field with `place` says where the data is: when it changes, secrets of before
    are not sent there.
    """

    name: str
    label: str
    input: str = "text"
    secret: bool = False
    optional: bool = False
    place: bool = False
    hint: str = ""
    limit: int = 300
    choices: tuple[tuple[str, str], ...] = ()
    check: Check | None = None

    def read(self, value: object) -> str:
        """The value in its stored form. Raises ValueError with a sentence."""
        given = value if isinstance(value, str) else ""
        given = given if self.input == "password" else given.strip()
        if not given:
            if self.optional or self.choices:
                return self.choices[0][0] if self.choices else ""
            raise ValueError("This can't be empty.")
        if len(given) > self.limit:
            raise ValueError(f"This is too long: at most {self.limit:,} characters.")
        if self.input != "long" and _CONTROL.search(given):
            raise ValueError("This holds a line break or another invisible character.")
        if self.choices and given not in dict(self.choices):
            raise ValueError("Choose one of these.")
        return self.check(given) if self.check else given


def _matching(pattern: str, hint: str) -> Check:
    compiled = re.compile(pattern, re.ASCII)

    def check(value: str) -> str:
        if not compiled.fullmatch(value):
            raise ValueError(hint)
        return value

    return check


def _host(value: str) -> str:
    if not storage_credentials.is_host(value.lower()):
        raise ValueError("Enter a host such as files.example.com.")
    return value.lower()


def _port(value: str) -> str:
    if not (value.isascii() and value.isdigit() and 0 < int(value[:6]) < 65536):
        raise ValueError("Enter a port from 1 to 65535.")
    return str(int(value))


def _folder(value: str) -> str:
    parts = value.strip("/").split("/")
    if "." in parts or ".." in parts:
        raise ValueError("Enter the folder from the top, without . and ..")
    return "/".join(part for part in parts if part)


def _path(value: str) -> str:
    if not value.startswith("/") or ".." in value.split("/") or "." in value.split("/"):
        raise ValueError("Enter the whole path, such as /srv/files.")
    return "/" + "/".join(part for part in value.split("/") if part)


def _key_file(value: str) -> str:
    if not re.fullmatch(r"-----BEGIN [A-Z ]*PRIVATE KEY-----[A-Za-z0-9+/=\s]+-----END [A-Z ]*PRIVATE KEY-----", value):
        raise ValueError("Paste the whole private key, from BEGIN to END. It must have no passphrase.")
    return "\n".join(line.strip() for line in value.splitlines() if line.strip())


def _host_key(value: str) -> str:
    words = value.split()
    kinds = ("ssh-", "ecdsa-", "sk-")
    found = next((at for at, word in enumerate(words[:-1]) if word.startswith(kinds)), None)
    if found is None or not re.fullmatch(r"[A-Za-z0-9+/]+=*", words[found + 1]):
        raise ValueError("Enter the key as ssh-keyscan prints it, such as: ssh-ed25519 AAAA…")
    return " ".join(words[found : found + 2])


def _box_settings(value: str) -> str:
    try:
        data = json.loads(value)
        app, auth = data["boxAppSettings"], data["boxAppSettings"]["appAuth"]
        kept = {
            "boxAppSettings": {
                "clientID": str(app["clientID"]),
                "clientSecret": str(app["clientSecret"]),
                "appAuth": {name: str(auth[name]) for name in ("publicKeyID", "privateKey", "passphrase")},
            },
            "enterpriseID": str(data["enterpriseID"]),
        }
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ValueError("This isn't the settings file (JSON) of a Box app with server authentication.") from None
    return json.dumps(kept)


def _id(label: str, name: str, hint: str, *, optional: bool = False) -> SourceField:
    check = _matching(r"[A-Za-z0-9!_.@-]+", "Use the characters of the ID only.")
    return SourceField(name, label, optional=optional, place=True, hint=hint, check=check)


_KEY = _matching(r"[!-~]+", "Use the characters of the key only: no spaces, no accents.")
_FOLDER = SourceField("folder", "Folder", optional=True, hint="Empty: everything.", limit=1000, check=_folder)
_MICROSOFT = (
    _id("Tenant ID", "tenant", "Of the app registration in Microsoft Entra."),
    _id("Application (client) ID", "client_id", "The app needs Files.ReadWrite.All or Sites.ReadWrite.All."),
    SourceField("client_secret", "Client secret", "password", secret=True, limit=500, check=_KEY),
)
_WEBDAV_KINDS = (
    ("other", "Other"),
    ("nextcloud", "Nextcloud"),
    ("owncloud", "ownCloud"),
    ("infinitescale", "ownCloud Infinite Scale"),
    ("fastmail", "Fastmail"),
)

LABELS: Mapping[SourceKind, str] = MappingProxyType(
    {
        SourceKind.FOLDER: "Folder on the server",
        SourceKind.S3: "S3 bucket",
        SourceKind.WEBDAV: "WebDAV",
        SourceKind.SFTP: "SFTP",
        SourceKind.ONEDRIVE: "Microsoft OneDrive",
        SourceKind.SHAREPOINT: "Microsoft SharePoint",
        SourceKind.GOOGLE_DRIVE: "Google Drive",
        SourceKind.DROPBOX: "Dropbox",
        SourceKind.BOX: "Box",
    }
)
FIELDS: Mapping[SourceKind, tuple[SourceField, ...]] = MappingProxyType(
    {
        SourceKind.FOLDER: (SourceField("path", "Path", place=True, limit=1000, check=_path),),
        SourceKind.S3: (
            SourceField(
                "endpoint",
                "Endpoint URL",
                optional=True,
                place=True,
                hint="Empty: Amazon S3.",
                limit=512,
                check=storage_credentials.endpoint,
            ),
            SourceField(
                "region",
                "Region",
                optional=True,
                limit=64,
                check=_matching(r"[A-Za-z0-9-]+", "Use letters, digits or -."),
            ),
            SourceField(
                "bucket",
                "Bucket",
                limit=255,
                check=_matching(r"(?!\.)[A-Za-z0-9._-]+", "Use letters, digits, -, _ or ."),
            ),
            _FOLDER,
            SourceField("access_key_id", "Access key ID", limit=128, check=_KEY),
            SourceField("secret_access_key", "Secret access key", "password", secret=True, limit=256, check=_KEY),
        ),
        SourceKind.WEBDAV: (
            SourceField("url", "URL", place=True, limit=512, check=storage_credentials.endpoint),
            SourceField("vendor", "Server", "choice", choices=_WEBDAV_KINDS),
            SourceField("user", "User name", optional=True),
            SourceField("password", "Password", "password", secret=True, optional=True),
            _FOLDER,
        ),
        SourceKind.SFTP: (
            SourceField("host", "Host", place=True, check=_host),
            SourceField("port", "Port", optional=True, place=True, hint="Empty: 22.", check=_port),
            SourceField("user", "User name"),
            SourceField("password", "Password", "password", secret=True, optional=True),
            SourceField("key", "Private key", "long", secret=True, optional=True, limit=20_000, check=_key_file),
            SourceField(
                "host_key",
                "Host key",
                optional=True,
                place=True,
                hint="As ssh-keyscan prints it. Without it, the server's identity isn't checked.",
                limit=2000,
                check=_host_key,
            ),
            _FOLDER,
        ),
        SourceKind.ONEDRIVE: (*_MICROSOFT, _id("Drive ID", "drive_id", "Of the person's drive."), _FOLDER),
        SourceKind.SHAREPOINT: (*_MICROSOFT, _id("Drive ID", "drive_id", "Of the document library."), _FOLDER),
        SourceKind.GOOGLE_DRIVE: (
            SourceField(
                "service_account_key",
                "Service account key",
                "long",
                secret=True,
                hint="The key file (JSON).",
                limit=16_384,
                check=storage_credentials.service_account,
            ),
            SourceField(
                "person",
                "Person's email",
                optional=True,
                hint="For whose drive the service account acts.",
                check=lambda value: value if not text.email_fault(value) else _refuse("Enter an email address."),
            ),
            _id("Shared drive ID", "shared_drive", "Empty: the person's own drive.", optional=True),
            _FOLDER,
        ),
        SourceKind.DROPBOX: (
            _id("App key", "app_key", "Of an app with full access."),
            SourceField("app_secret", "App secret", "password", secret=True, check=_KEY),
            SourceField("refresh_token", "Refresh token", "password", secret=True, limit=500, check=_KEY),
            _FOLDER,
        ),
        SourceKind.BOX: (
            SourceField(
                "settings",
                "App settings",
                "long",
                secret=True,
                hint="The settings file (JSON) of an app with server authentication.",
                limit=16_384,
                check=_box_settings,
            ),
            _id("User ID", "user_id", "Empty: the app's own folders.", optional=True),
            _FOLDER,
        ),
    }
)


def _refuse(sentence: str) -> str:
    raise ValueError(sentence)
