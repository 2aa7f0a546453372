"""How rclone reaches a source: everything through its environment, nothing on a command line.

**Where it may connect.** Clouds are reached at their providers' own hosts. An endpoint that a customer typed is reached
directly only if PORTAL_ALLOW_PRIVATE_STORAGE says that private addresses are fine; else through `storage_relay`, which
resolves once, refuses addresses that aren't public and knows no other target.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from portal_app.accounts.storage_relay import Blocked, Relay
from portal_app.backups.engine import tools
from portal_app.backups.engine.source_values import Source
from portal_app.backups.engine.tools import Bench
from portal_app.errors import Invalid
from portal_app.models import SourceKind
from portal_app.settings import settings

_NAME = "source"
# How long a connection may be silent.
_PATIENCE = 300.0


@dataclass(frozen=True)
class Remote:
    """A source as rclone takes it. `root` comes before every path; `relay` says why nothing went through."""

    root: str
    environment: Mapping[str, str] = field(repr=False)
    relay: Relay | None = None

    def at(self, path: str) -> str:
        """The path below the source's folder as rclone's argument."""
        return f"{self.root}/{path}".rstrip("/") if path and not self.root.endswith((":", "/")) else self.root + path

    @property
    def blocked(self) -> Blocked | None:
        return self.relay.blocked if self.relay else None


@contextmanager
def reached(source: Source, at: Bench) -> Iterator[Remote]:
    """The source, reachable while the block lasts."""
    options, path = _MAKERS[source.kind](source.values, at)
    environment = options_as_environment(_NAME, options, at)
    with ExitStack() as open_:
        relay = None
        if target := _target(source):
            relay, way = guarded(open_, target)
            environment |= _through(source.kind, way)
        yield Remote(f"{_NAME}:{path}", environment, relay)


def guarded(open_: ExitStack, target: str) -> tuple[Relay | None, str]:
    """The relay to an address that a customer typed, and its URL; none where every address is fine."""
    if settings().allow_private_storage:
        return None, ""
    relay = open_.enter_context(Relay(target, allow_private=False, timeout=_PATIENCE, most=None))
    return relay, relay.url


def options_as_environment(name: str, options: Mapping[str, str], at: Bench) -> dict[str, str]:
    """A remote's options for rclone's environment; its configuration file is in a folder of ours, and empty."""
    own = {"RCLONE_CONFIG": str(at.folder / "rclone.conf")}
    return own | {f"RCLONE_CONFIG_{name.upper()}_{key.upper()}": value for key, value in options.items() if value}


def _target(source: Source) -> str:
    """The address that the customer typed, if it is one."""
    values = source.values
    if source.kind == SourceKind.SFTP:
        host = f"[{values['host']}]" if ":" in values["host"] else values["host"]
        return f"https://{host}:{values['port'] or 22}"
    return {SourceKind.S3: values.get("endpoint", ""), SourceKind.WEBDAV: values.get("url", "")}.get(source.kind, "")


def _through(kind: SourceKind, way: str) -> dict[str, str]:
    if not way:
        return {}
    # Of rclone's own switch nothing is exempt; HTTP_PROXY would not be asked for loopback.
    return {"RCLONE_CONFIG_SOURCE_HTTP_PROXY": way} if kind == SourceKind.SFTP else {"RCLONE_HTTP_PROXY": way}


def _obscured(secret: str, at: Bench) -> str:
    # The form in which rclone wants passwords: no protection, only not readable over a shoulder.
    if not secret:
        return ""
    code, told = tools.said(["rclone", "obscure", "-"], at, {}, secret.encode())
    if code:
        raise OSError("rclone obscure failed")
    return told


def private_file(at: Bench, name: str, content: str) -> str:
    """The path of a file with this content that only we can read, gone with the bench."""
    place = at.folder / name
    place.touch(0o600)
    place.write_text(content)
    return str(place)


def _s3(values: Mapping[str, str], _at: Bench) -> tuple[dict[str, str], str]:
    return {
        "type": "s3",
        "provider": "Other" if values["endpoint"] else "AWS",
        "endpoint": values["endpoint"],
        "region": values["region"] or "us-east-1",
        "access_key_id": values["access_key_id"],
        "secret_access_key": values["secret_access_key"],
        "no_check_bucket": "true",
        "directory_markers": "true",
    }, "/".join(part for part in (values["bucket"], values["folder"]) if part)


def _webdav(values: Mapping[str, str], at: Bench) -> tuple[dict[str, str], str]:
    return {
        "type": "webdav",
        "url": values["url"],
        "vendor": values["vendor"],
        "user": values["user"],
        "pass": _obscured(values["password"], at),
    }, values["folder"]


def _sftp(values: Mapping[str, str], at: Bench) -> tuple[dict[str, str], str]:
    port = values["port"] or "22"
    known = f"[{values['host']}]:{port},{values['host']} {values['host_key']}\n"
    return {
        "type": "sftp",
        "host": values["host"],
        "port": port,
        "user": values["user"],
        "pass": _obscured(values["password"], at),
        "key_pem": values["key"].replace("\n", "\\n"),
        "known_hosts_file": private_file(at, "known_hosts", known) if values["host_key"] else "",
        # Nothing is run on the customer's machine.
        "shell_type": "none",
        "disable_hashcheck": "true",
    }, values["folder"]


def _microsoft(kind: str, values: Mapping[str, str], _at: Bench) -> tuple[dict[str, str], str]:
    return {
        "type": "onedrive",
        "client_credentials": "true",
        "tenant": values["tenant"],
        "client_id": values["client_id"],
        "client_secret": values["client_secret"],
        "drive_id": values["drive_id"],
        "drive_type": kind,
    }, values["folder"]


def _google(values: Mapping[str, str], _at: Bench) -> tuple[dict[str, str], str]:
    return {
        "type": "drive",
        "scope": "drive",
        "service_account_credentials": values["service_account_key"],
        "impersonate": values["person"],
        "team_drive": values["shared_drive"],
    }, values["folder"]


def _dropbox(values: Mapping[str, str], _at: Bench) -> tuple[dict[str, str], str]:
    # Long over: rclone gets itself an access token first.
    token = {"refresh_token": values["refresh_token"], "token_type": "bearer", "expiry": "2020-01-01T00:00:00Z"}
    return {
        "type": "dropbox",
        "client_id": values["app_key"],
        "client_secret": values["app_secret"],
        "token": json.dumps({"access_token": "over", **token}),
    }, values["folder"]


def _box(values: Mapping[str, str], at: Bench) -> tuple[dict[str, str], str]:
    options = {
        "type": "box",
        "box_sub_type": "enterprise",
        "box_config_file": private_file(at, "box.json", values["settings"]),
        "impersonate": values["user_id"],
    }
    # rclone gets the app's first token only when it makes the remote: into its configuration file, which is ours alone.
    made = [f"{name}={options[name]}" for name in ("box_sub_type", "box_config_file")]
    words = ["rclone", "config", "create", "--non-interactive", _NAME, "box", *made]
    code, _told = tools.said(words, at, options_as_environment(_NAME, {}, at))
    if code:
        raise Invalid(settings="Box refused the app, or can't be reached.")
    return options, values["folder"]


_MAKERS = {
    SourceKind.S3: _s3,
    SourceKind.WEBDAV: _webdav,
    SourceKind.SFTP: _sftp,
    SourceKind.ONEDRIVE: lambda values, at: _microsoft("business", values, at),
    SourceKind.SHAREPOINT: lambda values, at: _microsoft("documentLibrary", values, at),
    SourceKind.GOOGLE_DRIVE: _google,
    SourceKind.DROPBOX: _dropbox,
    SourceKind.BOX: _box,
}
