"""Every setting of the portal, read once from environment variables `PORTAL_…`."""

import os
import re
from decimal import Decimal
from functools import cache
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import DirectoryPath, Field, FilePath, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from stdnum import iban

from portal_app import logos
from portal_app.text import email_fault

# About what 1,000 US dollars are; in other currencies the account is always shown.
_TRANSFER_FROM = "USD=1000,EUR=900,GBP=800,CHF=900,CAD=1400,AUD=1500,JPY=150000,KWD=300"


class Settings(BaseSettings):
    """Typed settings. A wrong value stops the start with one line per fault."""

    model_config = SettingsConfigDict(env_prefix="PORTAL_", extra="ignore")

    port: int = Field(3000, ge=1, le=65535, description="Port of the server.")
    host: str = Field("127.0.0.1", description="Address to listen on; 0.0.0.0 behind a proxy or in a container.")
    data_dir: Path = Field(Path("data"), description="Folder of the SQLite database, keys and state.")
    database_url: str = Field("", description="postgresql://… ; empty: SQLite in the data folder.")
    redis_url: str = Field(
        "", description="redis://… for state and limits of several processes; empty: in the process."
    )
    processes: int = Field(
        1, ge=1, le=64, description="Server processes on the one port; more than 1 need PORTAL_REDIS_URL."
    )
    origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Other origins that may open the socket, by comma; the portal's own always may."
    )
    public_url: str = Field(
        "",
        description="Address of the portal for links in mails, such as https://portal.acme.example; empty: localhost.",
    )
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Addresses or networks of proxies whose forwarded headers count, by comma."
    )
    operator_addresses: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Addresses or networks from which operators may come, by comma; empty: from any."
    )
    demo: bool | None = Field(
        None, description="1: demo data and demo conveniences; unset: only while no real partner exists."
    )
    clock_offset_days: int = Field(0, ge=-3650, le=3650, description="Moves the portal's clock (demo only).")
    encryption_key: SecretStr = Field(
        SecretStr(""), description="32 bytes in base64 for stored credentials; empty: a key file in the data folder."
    )
    allow_private_storage: bool = Field(
        False,
        description="1: a customer's S3-compatible endpoint may lie in a private network (demo, tests, own storage).",
    )
    allow_private_webhooks: bool = Field(
        False, description="1: webhooks may lead into a private network, and to http:// (demo, tests, own programs)."
    )
    session_idle_minutes: int = Field(120, ge=1, le=10080, description="A session ends after this long without use.")
    session_hours: int = Field(12, ge=1, le=720, description="A session ends after this long in any case.")
    sign_in_attempts: int = Field(
        5, ge=1, le=1000, description="Failed sign-ins a minute for one account from one address."
    )
    breached_passwords: FilePath | None = Field(
        None, description="File of stolen passwords' SHA-1 hashes in their order (Have I Been Pwned's); empty: none."
    )
    sockets: int = Field(2000, ge=1, le=100000, description="Open pages that one server process takes at most.")
    sockets_per_address: int = Field(
        200, ge=1, le=100000, description="Open pages from one address at most; an office may share one."
    )
    daily_work: bool = Field(True, description="Run the daily work inside the server process.")
    worker: bool = Field(True, description="Run a worker for backups, restores and reports beside the server.")
    backups_at_once: int = Field(2, ge=1, le=100, description="Backups and restores that one worker does at once.")
    backup_folders: Annotated[tuple[tuple[str, Path], ...], NoDecode] = Field(
        (),
        description="Folders of this machine that a partner may back up, with all below, such as ACME001=/srv/acme, "
        "by comma; empty: none.",
    )
    vault_dir: Path | None = Field(
        None, description="Folder for the backups of accounts in a data centre; empty: vaults in the data folder."
    )
    storage_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Hosts of a private network at which operators may keep a storage location, by comma; "
        "addresses of the open internet need no mention.",
    )
    content_dir: DirectoryPath | None = Field(
        None, description="Folder laid over the portal's articles, news and courses, file by file; empty: none."
    )
    smtp_host: str = Field("", description="Mail server; empty: mail stays in the outbox.")
    smtp_port: int = Field(587, ge=1, le=65535, description="Port of the mail server: 587, or 465 with tls.")
    smtp_security: str = Field("starttls", pattern="^(starttls|tls|none)$", description="starttls, tls or none.")
    smtp_username: str = Field("", description="Name for signing in to the mail server; empty: without signing in.")
    smtp_password: SecretStr = Field(SecretStr(""), description="Password for signing in to the mail server.")
    smtp_from: str = Field("", description="Address that mail comes from; empty: PORTAL_SUPPORT_EMAIL.")
    smtp_from_name: str = Field("", max_length=80, description="Name that mail comes from; empty: PORTAL_BRAND_NAME.")
    microsoft_client_id: str = Field("", description="App registration for Sign in with Microsoft; empty: not offered.")
    microsoft_client_secret: SecretStr = Field(SecretStr(""), description="Client secret of the app registration.")
    microsoft_tenant: str = Field(
        "organizations",
        pattern="^(organizations|common|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$",
        description="Whose people may come: organizations, common, or the id of one tenant.",
    )
    microsoft_issuer: str = Field("", description="Another issuer than Microsoft's own, such as a national cloud's.")
    google_client_id: str = Field("", description="OAuth client for Sign in with Google; empty: not offered.")
    google_client_secret: SecretStr = Field(SecretStr(""), description="Client secret of the OAuth client.")
    google_issuer: str = Field("", description="Another issuer than Google's own.")
    payment_gateway: str = Field(
        "sandbox", pattern="^(sandbox|stripe)$", description="Payment processor: sandbox or stripe."
    )
    sandbox_url: str = Field("", description="Address of a sandbox processor that runs alone; empty: in the process.")
    sandbox_secret: SecretStr = Field(
        SecretStr(""),
        validate_default=True,
        description="Known to the portal and a sandbox that runs alone.",
    )
    stripe_secret_key: SecretStr = Field(
        SecretStr(""), validate_default=True, description="Stripe's secret key; needed for stripe."
    )
    stripe_webhook_secret: SecretStr = Field(
        SecretStr(""),
        validate_default=True,
        description="Signs what Stripe sends to /webhooks/stripe.",
    )
    stripe_url: str = Field("", description="Another address than Stripe's own API.")
    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="DEBUG, INFO, WARNING or ERROR.")
    log_format: str = Field(
        "text", pattern="^(text|json)$", description="text, or json: one line of JSON for each record."
    )
    metrics_token: SecretStr = Field(
        SecretStr(""), description="Lets monitoring read /metrics from elsewhere; empty: only this machine may."
    )
    stop_seconds: int = Field(
        10, ge=1, le=300, description="How long requests and events may still run when the server is told to stop."
    )
    brand_name: str = Field(
        "Keelson Backup", max_length=40, description="Name shown in the header and on the sign-in page."
    )
    brand_product: str = Field("Partner Portal", max_length=40, description="What the portal itself is called.")
    brand_accent: str = Field(
        "#2f5fd0",
        pattern="^#[0-9a-fA-F]{6}$",
        description="Accent colour of the brand; shades that can't be read are moved to the nearest that can.",
    )
    brand_logo: FilePath | None = Field(None, description="SVG or PNG of the logo; empty: a sign in the accent colour.")
    brand_logo_dark: FilePath | None = Field(None, description="The logo for the dark theme; empty: the same.")
    brand_icon: FilePath | None = Field(
        None, description="Square SVG or PNG for the browser's tab; empty: made of the logo."
    )
    support_email: str = Field("support@portal.example", max_length=254, description="Where people turn for help.")
    support_emails: Annotated[tuple[tuple[str, str], ...], NoDecode] = Field(
        (), description="Further addresses, such as Billing=billing@acme.example, by comma."
    )
    support_phones: Annotated[tuple[tuple[str, str], ...], NoDecode] = Field(
        (), description="Phone numbers, such as Europe=+49 30 1234567, by comma."
    )
    chat_url: str = Field("", description="Address of a chat with the support; empty: there is none.")
    privacy_url: str = Field("", description="Address of the privacy notice.")
    terms_url: str = Field("", description="Address of the terms of use.")
    security_url: str = Field("", description="Address of what the provider says of security.")
    seller_name: str = Field("", max_length=120, description="Who sells: the name on bills; empty: PORTAL_BRAND_NAME.")
    seller_address: str = Field("", max_length=200, description="Street and number on bills.")
    seller_zip: str = Field("", max_length=20, description="Postal code on bills.")
    seller_city: str = Field("", max_length=80, description="City on bills.")
    seller_country: str = Field(
        "", pattern="^([A-Z]{2})?$", description="Country on bills, such as FR; empty: bills are no e-invoices."
    )
    seller_email: str = Field("", max_length=254, description="Address for bills; empty: PORTAL_SUPPORT_EMAIL.")
    seller_phone: str = Field("", max_length=40, description="Phone number on bills.")
    seller_tax_id: str = Field("", max_length=40, description="VAT number of who sells, such as FR83404833048.")
    seller_registration: str = Field("", max_length=120, description="Company register and number, as bills show it.")
    seller_tax_note: str = Field("", max_length=200, description="Why a bill has no tax, if the seller charges none.")
    seller_bank: str = Field("", max_length=200, description="Bank, and the account if it has no IBAN.")
    seller_iban: str = Field("", max_length=42, description="Account for bank transfers.")
    seller_bic: str = Field("", max_length=11, description="BIC of that account.")
    plan_changes: bool = Field(True, description="Whether partners change the plan of a subscription themselves.")
    bank_transfer_from: Annotated[dict[str, Decimal], NoDecode] = Field(
        _TRANSFER_FROM, description="Bills above this show the bank account; by currency, such as USD=1000,EUR=900."
    )

    @field_validator("origins", "operator_addresses", "storage_hosts", "trusted_proxies", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip().rstrip("/") for part in value.split(",") if part.strip())
        return value

    @field_validator("support_emails", "support_phones", mode="before")
    @classmethod
    def _ways(cls, value: object) -> object:
        if isinstance(value, str):
            parts = [part.strip().rpartition("=") for part in value.split(",") if part.strip()]
            return tuple((label.strip(), way.strip()) for label, _, way in parts)
        return value

    @field_validator("support_emails")
    @classmethod
    def _emails(cls, value: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
        if any(email_fault(address) for _, address in value):
            raise ValueError("must be such as Billing=billing@acme.example, by comma")
        return value

    @field_validator("support_phones")
    @classmethod
    def _phones(cls, value: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
        if not all(re.fullmatch(r"\+?[0-9 ()/.-]{3,30}", number) for _, number in value):
            raise ValueError("must be such as Europe=+49 30 1234567, by comma")
        return value

    @field_validator("chat_url", "privacy_url", "terms_url", "security_url")
    @classmethod
    def _public(cls, value: str) -> str:
        if value and not is_safe_address(value):
            raise ValueError("must be an https address")
        return value

    @field_validator("brand_logo", "brand_logo_dark", "brand_icon")
    @classmethod
    def _logo(cls, value: Path | None) -> Path | None:
        if value is not None:
            try:
                logos.read(value)
            except OSError:
                raise ValueError("can't be read") from None
        return value

    @field_validator("backup_folders", mode="before")
    @classmethod
    def _folders(cls, value: object) -> object:
        if isinstance(value, str):
            pairs = (part.partition("=")[::2] for part in value.split(",") if part.strip())
            return tuple((code.strip().upper(), path.strip()) for code, path in pairs)
        return value

    @field_validator("backup_folders")
    @classmethod
    def _whole_paths(cls, value: tuple[tuple[str, Path], ...]) -> tuple[tuple[str, Path], ...]:
        if any(not code or not path.is_absolute() or path == path.parent for code, path in value):
            raise ValueError("must be partners and whole paths such as ACME001=/srv/acme, and not the whole machine")
        return value

    @field_validator("bank_transfer_from", mode="before")
    @classmethod
    def _by_currency(cls, value: object) -> object:
        if isinstance(value, str):
            return dict(part.strip().partition("=")[::2] for part in value.split(",") if part.strip())
        return value

    @field_validator("seller_iban")
    @classmethod
    def _iban(cls, value: str) -> str:
        if value and not iban.is_valid(value):
            raise ValueError("must be an IBAN such as DE89370400440532013000")
        return iban.compact(value)

    @field_validator("public_url")
    @classmethod
    def _address(cls, value: str) -> str:
        found = urlsplit(value.strip().rstrip("/"))
        if value and not (found.scheme in {"http", "https"} and found.hostname):
            raise ValueError("must be such as https://portal.acme.example")
        if found.path or found.query or found.fragment or "@" in found.netloc:
            raise ValueError("must be without a path, a name or a password")
        return found.geturl()

    @field_validator("microsoft_issuer", "google_issuer")
    @classmethod
    def _issuer(cls, value: str) -> str:
        if value and not is_safe_address(value):
            raise ValueError("must be an https address, or http on this machine (127.0.0.1)")
        return value.rstrip("/")

    @field_validator("sandbox_url", "stripe_url")
    @classmethod
    def _processor(cls, value: str) -> str:
        if value and not is_safe_address(value):
            raise ValueError("must be an https address, or http on this machine (127.0.0.1)")
        return value.rstrip("/")

    @field_validator("sandbox_secret", "stripe_secret_key", "stripe_webhook_secret")
    @classmethod
    def _secret_is_there(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        alone, gateway = info.data.get("sandbox_url"), info.data.get("payment_gateway")
        if not value and (alone if info.field_name == "sandbox_secret" else gateway == "stripe"):
            raise ValueError("is needed with PORTAL_SANDBOX_URL, or with PORTAL_PAYMENT_GATEWAY=stripe")
        return value

    @field_validator("smtp_from")
    @classmethod
    def _sender(cls, value: str) -> str:
        if value and email_fault(value):
            raise ValueError("must be an address such as portal@acme.example")
        return value

    @field_validator("operator_addresses", "trusted_proxies")
    @classmethod
    def _addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for part in value:
            try:
                ip_network(part)
            except ValueError:
                # "*" too: whoever may name any address would walk through the IP restrictions.
                raise ValueError(f"{part} is not an address or a network such as 10.0.0.5 or 10.0.0.0/24") from None
        return value

    @field_validator("processes")
    @classmethod
    def _shared(cls, value: int, info: ValidationInfo) -> int:
        if value > 1 and not info.data.get("redis_url"):
            raise ValueError("more than 1 need PORTAL_REDIS_URL: any of them may get the next click of a page")
        return value

    @field_validator("database_url")
    @classmethod
    def _driver(cls, value: str) -> str:
        for prefix in ("postgresql://", "postgres://"):
            if value.startswith(prefix):
                return "postgresql+psycopg://" + value.removeprefix(prefix)
        if value and not value.startswith(("postgresql+psycopg://", "sqlite:///")):
            raise ValueError("must start with postgresql:// or sqlite:///")
        return value

    @property
    def demo_files(self) -> Path:
        """The folder that the demo's built-in task backs up; only where there is a demo."""
        return (self.data_dir / "demo-files").resolve()

    def readable_folders(self, partner_code: str) -> tuple[Path, ...]:
        """Those that this partner may back up."""
        return (*(path for code, path in self.backup_folders if code == partner_code), self.demo_files)

    @property
    def sqlalchemy_url(self) -> str:
        """Address of the database, SQLite in the data folder unless set."""
        return self.database_url or f"sqlite:///{(self.data_dir / 'portal.db').resolve()}"


def is_safe_address(url: str) -> bool:
    """Whether nobody on the way can read or change what is sent there: https, or http within this machine."""
    try:
        parts = urlsplit(url)
        local = parts.scheme == "http" and parts.hostname in {"127.0.0.1", "::1", "localhost"}
    except ValueError:
        return False
    return bool(parts.hostname) and (local or parts.scheme == "https") and "@" not in parts.netloc


@cache
def settings() -> Settings:
    """The settings of this process. Exits with one clear line per fault."""
    try:
        return Settings()
    except ValidationError as fault:
        lines = [
            f"PORTAL_{'_'.join(map(str, e['loc'])).upper()}: {e['msg'].removeprefix('Value error, ')}"
            for e in fault.errors()
        ]
        raise SystemExit("The settings can't be used:\n" + "\n".join(lines)) from None


def reset_settings() -> None:
    """Read the environment again (tests, and commands that set a variable for their own process)."""
    settings.cache_clear()


def environment_names() -> list[str]:
    """Names of all environment variables the portal reads, for the documentation test."""
    return sorted(f"PORTAL_{name.upper()}" for name in Settings.model_fields)


def unknown_names() -> list[str]:
    """PORTAL_… variables in the environment that no setting reads (usually a typing error)."""
    # The command `report` reads this one: it is not of the server.
    known = {*environment_names(), "PORTAL_API_TOKEN"}
    return sorted(name for name in os.environ if name.startswith("PORTAL_") and name not in known)
