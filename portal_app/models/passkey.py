"""Passkeys (WebAuthn): what is kept of them, and the questions that wait for an answer."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, LargeBinary
from sqlmodel import Field, SQLModel

from portal_app.models.base import Instant, one_of


class PasskeyUse(StrEnum):
    ADD = "add"
    CONFIRM = "confirm"
    SECOND_FACTOR = "second_factor"
    SIGN_IN = "sign_in"


class Passkey(SQLModel, table=True):
    """A key that somebody's device keeps; here is its public half. `user_handle` is random, the same for all of one."""

    __tablename__ = "passkey"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: int | None = Field(default=None, primary_key=True)
    user_id: int = Field(foreign_key="portal_user.id", ondelete="CASCADE", index=True)
    user_handle: str = Field(max_length=90)
    credential_id: str = Field(max_length=1400, unique=True)
    public_key: bytes = Field(sa_type=LargeBinary)
    sign_count: int = Field(default=0, sa_type=BigInteger)
    name: str = Field(max_length=120)
    created_at: datetime = Field(sa_type=Instant)
    used_at: datetime | None = Field(default=None, sa_type=Instant)


class PasskeyChallenge(SQLModel, table=True):
    """A question to a browser: good once, for one use, at the session or sign-in `bound`. Only the hash is kept."""

    __tablename__ = "passkey_challenge"
    __table_args__ = (one_of("use", PasskeyUse),)

    challenge_hash: str = Field(primary_key=True, max_length=64)
    use: str
    bound: str = Field(default="", max_length=64)
    user_handle: str = Field(default="", max_length=90)
    ends_at: datetime = Field(sa_type=Instant, index=True)
