"""Who may use a route. Each endpoint declares it; one that declares nothing refuses everybody."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

import anyio.to_thread
from fastapi import Depends
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from portal_app import db
from portal_app.api import idempotency, problems, throttle
from portal_app.api.problems import Refusal
from portal_app.auth import denials, tokens
from portal_app.auth.actor import NOBODY, Actor, ActorKind, Origin, elsewhere_sentence
from portal_app.auth.browsers import browser_name
from portal_app.auth.permissions import Permission
from portal_app.ip_restrictions import refusals

F = TypeVar("F", bound=Callable[..., Any])
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="portal"'}
NO_TOKEN = "Send a valid token: Authorization: Bearer ppt_… It may be missing, unknown, expired or revoked."


@dataclass(frozen=True, slots=True)
class Policy:
    """What an endpoint asks of its caller: a permission, or nothing and the reason for that."""

    permission: Permission | None = None
    reason: str = ""

    def __str__(self) -> str:
        return f"permission {self.permission}" if self.permission else f"public: {self.reason}"


def requires(permission: Permission) -> Callable[[F], F]:
    """The endpoint is for tokens with this permission."""
    return _marked(Policy(permission))


def public(reason: str) -> Callable[[F], F]:
    """The endpoint is for everyone; the reason is for the reader."""
    if not reason:
        raise ValueError("say why anyone may call it")
    return _marked(Policy(reason=reason))


def _marked(policy: Policy) -> Callable[[F], F]:
    def mark(endpoint: F) -> F:
        endpoint.__policy__ = policy
        return endpoint

    return mark


class GuardedRoute(APIRoute):
    """Asks the endpoint's policy before anything of the body is read."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **given: Any) -> None:
        super().__init__(path, endpoint, **given)
        policy = getattr(endpoint, "__policy__", None)
        if policy is not None and policy.permission is not None:
            self.description += f"\n\nFor tokens with the permission “{policy.permission.label}”."
        if "POST" in (self.methods or ()):
            self.openapi_extra = {"parameters": [idempotency.PARAMETER]}

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:
        handle = super().get_route_handler()
        policy = getattr(self.endpoint, "__policy__", None)

        async def answered(request: Request) -> Response:
            # A refusal is an answer like another: it is kept under the request's key, too.
            try:
                return await handle(request)
            except Exception as fault:
                return problems.answer(fault)

        async def guarded(request: Request) -> Response:
            request.state.actor = await _admit(policy, request)
            if request.method != "POST":
                return await handle(request)
            return await idempotency.once(request, request.state.actor, lambda: answered(request))

        return guarded


def caller(request: Request) -> Actor:
    """Who sent the request, as the guard found them."""
    return request.state.actor


Caller = Annotated[Actor, Depends(caller)]


async def _admit(policy: Policy | None, request: Request) -> Actor:
    if policy is None:
        raise Refusal(403, "Nobody may use this address.")
    if policy.permission is None:
        return NOBODY
    actor = await identify(request, _token(request), NO_TOKEN)
    await check_right(request, actor, policy.permission)
    return actor


async def check_right(request: Request, actor: Actor, permission: Permission) -> None:
    """Raise Denied unless the actor has the permission; the audit hears of it."""
    if not actor.may(permission):
        what = f"{request.method} {request.url.path}"
        await anyio.to_thread.run_sync(denials.note, actor, what, permission.refusal)
    actor.require(permission)


async def identify(request: Request, token: str, otherwise: str) -> Actor:
    """The program behind the token, one request of it counted. Raises Refusal: 401 `otherwise`, 403, 429."""
    actor, stale = await db.look(tokens.identify, token, _origin(request))
    if actor is NOBODY:
        raise Refusal(401, otherwise, headers=CHALLENGE)
    if actor.kind == ActorKind.ELSEWHERE:
        await anyio.to_thread.run_sync(refusals.note, actor)
        raise Refusal(403, elsewhere_sentence(actor))
    if stale:
        await db.work(tokens.note_use, actor)
    request.state.standing = await anyio.to_thread.run_sync(throttle.count, actor.session_hash)
    throttle.check(request.state.standing)
    return actor


def _token(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _origin(request: Request) -> Origin:
    return Origin(request.client.host if request.client else "", browser_name(request.headers.get("user-agent", "")))
