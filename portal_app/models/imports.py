"""Files of accounts that were uploaded and wait to be imported."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, LargeBinary
from sqlmodel import Field, SQLModel

from portal_app.models.base import Instant, one_of


class ImportState(StrEnum):
    WAITING = "waiting"
    DONE = "done"


class AccountImport(SQLModel, table=True):
    """A user's last uploaded file. The id can't be guessed; `content` is emptied once its accounts are saved."""

    __tablename__ = "account_import"
    __table_args__ = (
        one_of("state", ImportState),
        CheckConstraint("accounts >= 0", name="not_negative"),
    )

    id: str = Field(primary_key=True, max_length=43)
    user_id: int = Field(foreign_key="portal_user.id", ondelete="CASCADE", unique=True)
    partner_id: int = Field(foreign_key="partner.id", ondelete="CASCADE", index=True)
    file_name: str = Field(max_length=120)
    content: bytes = Field(sa_type=LargeBinary)
    state: str = ImportState.WAITING
    accounts: int = 0
    created_at: datetime = Field(sa_type=Instant)
