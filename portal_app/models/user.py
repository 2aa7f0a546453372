"""People who sign in: the partner's, the customer's and the provider's; and their sessions."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, CheckConstraint
from sqlmodel import Field, SQLModel

from portal_app.models.base import Instant, one_of


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


class User(SQLModel, table=True):
    """A person. The kind decides whether a partner or an account stands behind it."""

    __tablename__ = "portal_user"
    __table_args__ = (
        one_of("kind", UserKind),
        one_of("role", Role),
        one_of("state", UserState),
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
    password_hash: str | None = Field(default=None, max_length=200)
    role: str = Role.CUSTOM
    permissions: list[str] = Field(default_factory=list, sa_type=JSON)
    all_accounts: bool = True
    state: str = UserState.ACTIVE
    created_at: datetime = Field(sa_type=Instant)
    last_sign_in_at: datetime | None = Field(default=None, sa_type=Instant)


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


class LoginTicket(SQLModel, table=True):
    """Carries a sign-in from the socket to the request that sets the cookie; good once, for seconds."""

    __tablename__ = "login_ticket"

    ticket_hash: str = Field(primary_key=True, max_length=64)
    user_id: int = Field(foreign_key="portal_user.id", ondelete="CASCADE", index=True)
    ends_at: datetime = Field(sa_type=Instant)


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
