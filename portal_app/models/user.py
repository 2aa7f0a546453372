"""People who sign in: the partner's, the customer's and the provider's; and their sessions."""

import secrets
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, Index, LargeBinary, false
from sqlmodel import Field, SQLModel

from portal_app.models.base import Instant, one_of
from portal_app.text import fold


class UserKind(StrEnum):
    PARTNER = "partner"
    CUSTOMER = "customer"
    OPERATOR = "operator"


class Role(StrEnum):
    ADMINISTRATOR = "administrator"
    CUSTOM = "custom"


class UserState(StrEnum):
    INVITED = "invited"
    ACTIVE = "active"
    DISABLED = "disabled"


class SignInType(StrEnum):
    """How a person shows who they are: with a password kept here, or at a provider."""

    AZURE = "azure"
    EMAIL = "email"
    GOOGLE = "google"


class LinkKind(StrEnum):
    INVITATION = "invitation"
    RESET = "reset"


def _name_key(context: Any) -> str:
    return fold(context.get_current_parameters()["name"])


def first_version() -> int:
    """Not 0: a row that gets the id of a deleted one must not pass for it in an editor that is still open."""
    return secrets.randbelow(1 << 30)


class User(SQLModel, table=True):
    """A person. The kind decides whether a partner or an account stands behind it."""

    __tablename__ = "portal_user"
    __table_args__ = (
        one_of("kind", UserKind),
        one_of("role", Role),
        one_of("sign_in_type", SignInType),
        one_of("state", UserState),
        Index(None, "partner_id", "email_key", "id"),
        CheckConstraint("(kind = 'partner') = (partner_id IS NOT NULL)", name="partner_of_kind"),
        CheckConstraint("(kind = 'customer') = (account_id IS NOT NULL)", name="account_of_kind"),
    )

    id: int | None = Field(default=None, primary_key=True)
    kind: str
    partner_id: int | None = Field(default=None, foreign_key="partner.id", index=True)
    account_id: int | None = Field(default=None, foreign_key="account.id", ondelete="CASCADE", index=True)
    email: str = Field(max_length=254)
    email_key: str = Field(max_length=800, unique=True)
    name: str = Field(max_length=120)
    # Searched; made of the name when the row is added, and by whoever changes the name.
    name_key: str | None = Field(default=None, max_length=400, sa_column_kwargs={"default": _name_key})
    sign_in_type: str = Field(default=SignInType.EMAIL, sa_column_kwargs={"server_default": SignInType.EMAIL.value})
    password_hash: str | None = Field(default=None, max_length=200)
    role: str = Role.CUSTOM
    permissions: list[str] = Field(default_factory=list, sa_type=JSON)
    all_accounts: bool = True
    state: str = UserState.ACTIVE
    # Grows with each change by a colleague: who saves over an older one is told.
    version: int = Field(default_factory=first_version, sa_column_kwargs={"server_default": "0"})
    created_at: datetime = Field(sa_type=Instant)
    last_sign_in_at: datetime | None = Field(default=None, sa_type=Instant)
    # The password's age counts from here; from `created_at` where it is empty.
    password_set_at: datetime | None = Field(default=None, sa_type=Instant)
    must_change_password: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    # Sealed (crypto.py). Asked for at sign-in only from `totp_enabled_at` on: before, the user is about to turn it on.
    totp_secret: bytes | None = Field(default=None, sa_type=LargeBinary)
    totp_enabled_at: datetime | None = Field(default=None, sa_type=Instant)
    # The last 30-second step whose code was taken: no code is taken twice.
    totp_used_step: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})


class UserAccount(SQLModel, table=True):
    """An account that a user with a chosen list may see."""

    __tablename__ = "user_account"

    user_id: int = Field(primary_key=True, foreign_key="portal_user.id", ondelete="CASCADE")
    account_id: int = Field(primary_key=True, foreign_key="account.id", ondelete="CASCADE", index=True)


class LoginSession(SQLModel, table=True):
    """A browser that is signed in. Only the token's hash is kept."""

    __tablename__ = "login_session"

    token_hash: str = Field(primary_key=True, max_length=64)
    user_id: int = Field(foreign_key="portal_user.id", ondelete="CASCADE", index=True)
    created_at: datetime = Field(sa_type=Instant)
    used_at: datetime = Field(sa_type=Instant)
    ends_at: datetime = Field(sa_type=Instant, index=True)
    address: str = Field(default="", max_length=64)
    browser: str = Field(default="", max_length=200)
    # When the person last showed that it is they; signing in shows it too.
    confirmed_at: datetime | None = Field(default=None, sa_type=Instant)


class LoginTicket(SQLModel, table=True):
    """Carries a sign-in from the socket to the request that sets the cookie; good once, for seconds."""

    __tablename__ = "login_ticket"

    ticket_hash: str = Field(primary_key=True, max_length=64)
    user_id: int = Field(foreign_key="portal_user.id", ondelete="CASCADE", index=True)
    ends_at: datetime = Field(sa_type=Instant)


class PendingSignIn(SQLModel, table=True):
    """A sign-in between its steps: `method` showed who it is, more is asked for. Only the token's hash is kept."""

    __tablename__ = "pending_sign_in"

    token_hash: str = Field(primary_key=True, max_length=64)
    user_id: int = Field(foreign_key="portal_user.id", ondelete="CASCADE", index=True)
    method: str = Field(max_length=40)
    second_factor_done: bool = False
    wrong_codes: int = 0
    ends_at: datetime = Field(sa_type=Instant, index=True)


class OneTimeLink(SQLModel, table=True):
    """A link in a mail that is good once. Only its token's hash is kept."""

    __tablename__ = "one_time_link"
    __table_args__ = (one_of("kind", LinkKind),)

    token_hash: str = Field(primary_key=True, max_length=64)
    user_id: int = Field(foreign_key="portal_user.id", ondelete="CASCADE", index=True)
    kind: str
    ends_at: datetime = Field(sa_type=Instant)


class RecoveryCode(SQLModel, table=True):
    """Stands in once for the second factor. Only its hash is kept; a used one is deleted."""

    __tablename__ = "recovery_code"

    user_id: int = Field(primary_key=True, foreign_key="portal_user.id", ondelete="CASCADE")
    code_hash: str = Field(primary_key=True, max_length=64)


class ApiToken(SQLModel, table=True):
    """A program's key to a partner's data. Only its hash is kept."""

    __tablename__ = "api_token"

    id: int | None = Field(default=None, primary_key=True)
    partner_id: int = Field(foreign_key="partner.id", index=True)
    name: str = Field(max_length=120)
    token_hash: str = Field(unique=True, max_length=64)
    permissions: list[str] = Field(default_factory=list, sa_type=JSON)
    created_at: datetime = Field(sa_type=Instant)
    ends_at: datetime | None = Field(default=None, sa_type=Instant)
    used_at: datetime | None = Field(default=None, sa_type=Instant)
    revoked_at: datetime | None = Field(default=None, sa_type=Instant)
    # Whose rights it has at most; none when a command made it.
    created_by_id: int | None = Field(default=None, foreign_key="portal_user.id", ondelete="CASCADE", index=True)
