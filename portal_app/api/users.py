"""GET /api/v1/users: the partner's own people."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import FastAPI, Query
from pydantic import BaseModel, Field
from sqlmodel import Session

from portal_app import db
from portal_app.api import repository
from portal_app.api.answers import reading
from portal_app.api.pages import Asked, Page, Turned
from portal_app.api.policy import Caller, requires
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission, effective
from portal_app.models import Role, SignInType, User, UserState


def add_to(app: FastAPI) -> None:
    """Put the routes of this module into the app."""
    app.get("/v1/users", responses=reading())(list_users)


class UserOut(BaseModel):
    """Somebody of the partner's own."""

    id: int = Field(description="The user's number.")
    email: str = Field(description="The address that they sign in with.")
    name: str = Field(description="Their name.")
    sign_in: SignInType = Field(description="How they sign in.")
    two_factor: bool = Field(description="Whether a second factor is asked of them.")
    role: Role = Field(description="An Administrator may do everything.")
    permissions: list[Permission] = Field(description="What they may do.")
    all_accounts: bool = Field(description="Whether they see all accounts, not only chosen ones.")
    state: UserState = Field(description="Whether they can sign in.")
    created: datetime = Field(description="When they were added.")
    last_sign_in: datetime | None = Field(description="When they last signed in; null for never.")


@requires(Permission.USERS_MANAGE)
async def list_users(asked: Annotated[Asked, Query()], actor: Caller, turn: Turned) -> Page[UserOut]:
    """List the partner's users, the oldest first."""
    rows = await db.look(_read, actor, asked)
    return turn.page(rows, asked.limit, _shown, lambda row: (row.id,))


def _read(session: Session, actor: Actor, asked: Asked) -> Any:
    actor.require(Permission.USERS_MANAGE)
    after = asked.place()
    return repository.user_rows(session, actor, after[0] if after else None, asked.limit + 1)


def _shown(user: User) -> UserOut:
    return UserOut(
        id=user.id or 0,
        email=user.email,
        name=user.name,
        sign_in=user.sign_in_type,
        two_factor=user.totp_enabled_at is not None,
        role=user.role,
        permissions=sorted(effective(user.role, user.permissions)),
        all_accounts=user.all_accounts,
        state=user.state,
        created=user.created_at,
        last_sign_in=user.last_sign_in_at,
    )
