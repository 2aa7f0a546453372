"""The SELECT of a partner's tokens."""

from sqlalchemy import case, select
from sqlmodel import Session, col

from portal_app.api_tokens.rows import TokenRow, TokenState
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.auth.tokens import MOST_TOKENS, has_creator, not_ended
from portal_app.models import ApiToken, User

# All that live, and the latest of those that ended.
SHOWN = MOST_TOKENS + 50
_COMMAND = "Command line"


def tokens(session: Session, actor: Actor) -> list[TokenRow]:
    """The tokens of the actor's partner: those in use first, the newest first. Raises Denied."""
    actor.require(Permission.API_MANAGE)
    state = case(
        (col(ApiToken.revoked_at).is_not(None), TokenState.REVOKED.value),
        (~not_ended(), TokenState.EXPIRED.value),
        (~has_creator(), TokenState.STOPPED.value),
        else_=TokenState.ACTIVE.value,
    )
    found = session.execute(
        select(ApiToken, col(User.email), state)
        .outerjoin(User, col(User.id) == col(ApiToken.created_by_id))
        .where(col(ApiToken.partner_id) == actor.partner_id)
        .order_by(state.in_([TokenState.REVOKED.value, TokenState.EXPIRED.value]), col(ApiToken.id).desc())
        .limit(SHOWN)
    )
    return [_row(*row) for row in found]


def _row(token: ApiToken, email: str | None, state: str) -> TokenRow:
    return TokenRow(
        token.id or 0,
        token.name,
        tuple(token.permissions),
        email or _COMMAND,
        token.created_at,
        token.ends_at,
        token.used_at,
        TokenState(state),
    )
