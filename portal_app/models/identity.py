"""Who a person is at another company that vouches for them, and sign-ins that are on their way there."""

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from portal_app.models.base import Instant


class ExternalIdentity(SQLModel, table=True):
    """A user's account at a provider, bound at the first sign-in.

    It holds as long as the user keeps the address `email_key`: who gets that user's place is somebody else.
    """

    __tablename__ = "external_identity"
    __table_args__ = (UniqueConstraint("issuer", "subject", name="uq_external_identity_issuer_subject"),)

    user_id: int = Field(primary_key=True, foreign_key="portal_user.id", ondelete="CASCADE")
    provider: str = Field(primary_key=True, max_length=20)
    issuer: str = Field(max_length=300)
    subject: str = Field(max_length=255)
    email_key: str = Field(max_length=800)
    bound_at: datetime = Field(sa_type=Instant)


class ProviderSignIn(SQLModel, table=True):
    """A browser that went to a provider and has not come back; good once. Only hashes are kept."""

    __tablename__ = "provider_sign_in"

    state_hash: str = Field(primary_key=True, max_length=64)
    browser_hash: str = Field(max_length=64)
    provider: str = Field(max_length=20)
    next_path: str = Field(default="/", max_length=2000)
    ends_at: datetime = Field(sa_type=Instant, index=True)
