"""Who may use an address of the facade: an API token as the client's secret, and after signing in its pass too."""

from collections.abc import Awaitable, Callable

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from portal_app import db
from portal_app.api.policy import CHALLENGE, Policy, check_right, identify
from portal_app.api.problems import Refusal
from portal_app.auth.actor import Actor
from portal_app.compat import access
from portal_app.compat.access import Use

CLIENT_ID, CLIENT_SECRET = "client-id", "client-secret"
NO_CLIENT = (
    "Send the API token's name or number as client-id and the token (ppt_…) as client-secret. "
    "One of them may be missing, unknown, expired or revoked."
)
NO_PASS = "Sign in with POST auth/partner, and send the accessToken as Authorization. It is good for an hour."


class ClientRoute(APIRoute):
    """Asks who the client is before anything of the body is read; where a permission is asked for, for its pass too."""

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:
        handle = super().get_route_handler()
        policy = getattr(self.endpoint, "__policy__", None)

        async def guarded(request: Request) -> Response:
            request.state.actor = await _admit(policy, request)
            answer = await handle(request)
            answer.headers["Cache-Control"] = "no-store"
            return answer

        return guarded


def secret_of(request: Request) -> str:
    """The API token that the client sends."""
    return request.headers.get(CLIENT_SECRET, "").strip()


async def _admit(policy: Policy | None, request: Request) -> Actor:
    if policy is None:
        raise Refusal(403, "Nobody may use this address.")
    actor = await identify(request, secret_of(request), NO_CLIENT)
    if not await db.look(access.is_named, actor, request.headers.get(CLIENT_ID, "")):
        raise Refusal(401, NO_CLIENT, headers=CHALLENGE)
    if policy.permission is not None:
        if not access.holds(actor, _pass(request), Use.ACCESS):
            raise Refusal(401, NO_PASS, headers=CHALLENGE)
        await check_right(request, actor, policy.permission)
    return actor


def _pass(request: Request) -> str:
    # One kind of client puts "Bearer " before it, the other does not.
    given = request.headers.get("authorization", "").strip()
    return given[7:].strip() if given[:7].lower() == "bearer " else given
