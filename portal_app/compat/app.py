"""`/compat/v1` and `/compat/v2`: the addresses, headers and pages of an existing portal's partner API."""

import math
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import FastAPI, Query
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import Session
from starlette.requests import Request
from starlette.routing import Mount

from portal_app import db
from portal_app.api import problems
from portal_app.api.body_limit import BodyLimit
from portal_app.api.policy import CHALLENGE, Caller, public, requires
from portal_app.api.problems import Refusal
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.compat import access, repository, shapes
from portal_app.compat.access import Pass, Use
from portal_app.compat.policy import NO_PASS, ClientRoute, secret_of
from portal_app.compat.rows import Part
from portal_app.errors import NotFound

PREFIX = "/compat"
MOST, USUAL = 1000, 100
WRONG = "The email is not of your company, or the password is not the API token."
_NEEDS_TOKEN = "the API token in its headers is asked for by the route"

app = FastAPI(title="Compatible API", openapi_url=None)
app.router.route_class = ClientRoute
app.add_middleware(BodyLimit)
problems.install(app)
routes = [Mount(PREFIX, app)]

Number = Annotated[int, Query(ge=1, le=10**7)]
Shape = dict[str, Any]
Found = tuple[list[Shape], int]
Read = Callable[[Session, Actor, Part], Found]


class SignIn(BaseModel):
    """What a client signs in with."""

    model_config = ConfigDict(extra="ignore", str_max_length=500)

    email: str = ""
    password: str = Field("", repr=False)


class Refresh(BaseModel):
    """What a client got when it signed in."""

    model_config = ConfigDict(extra="ignore", str_max_length=2000)

    refresh_token: str = Field("", alias="refreshToken", repr=False)


@app.post("/v1/auth/partner")
@public(_NEEDS_TOKEN)
async def sign_in_1(given: SignIn, actor: Caller, request: Request) -> Shape:
    """Sign in; the answer can be renewed."""
    return _renewable(await _sign_in(given, actor, request))


@app.post("/v2/auth/partner")
@public(_NEEDS_TOKEN)
async def sign_in_2(given: SignIn, actor: Caller, request: Request) -> Shape:
    """Sign in."""
    return {"accessToken": (await _sign_in(given, actor, request)).access}


@app.post("/v1/auth/refresh")
@public(_NEEDS_TOKEN)
async def refresh(given: Refresh, actor: Caller) -> Shape:
    """Sign in once more with what the last sign-in gave."""
    if not access.holds(actor, given.refresh_token, Use.REFRESH):
        raise Refusal(401, NO_PASS, headers=CHALLENGE)
    return _renewable(access.issue(actor))


@app.get("/v1/partners")
@app.get("/v2/resellers/details")
@requires(Permission.DASHBOARD_VIEW)
async def partner(actor: Caller) -> Shape:
    """The partner whose token it is."""
    return shapes.partner(await db.look(repository.partner, actor))


@app.get("/v1/partners/resellers")
@requires(Permission.DASHBOARD_VIEW)
async def resellers() -> Shape:
    """Partners of the partner: this portal has none."""
    return _with_token(Part(1, USUAL), [], 0)


@app.get("/v1/partners/resellers/{partner_id}")
@requires(Permission.DASHBOARD_VIEW)
async def reseller(partner_id: str) -> Shape:
    """One of them."""
    raise NotFound("There is no such partner.")


def _accounts(session: Session, actor: Actor, part: Part) -> Found:
    of = repository.partner(session, actor).partner
    page = repository.accounts(session, actor, part)
    return [shapes.account(row, of.code, of.currency) for row in page.rows], page.total


def _tasks(session: Session, actor: Actor, part: Part) -> Found:
    page = repository.tasks(session, actor, part)
    return [shapes.task(row) for row in page.rows], page.total


def _states(session: Session, actor: Actor, part: Part) -> Found:
    page = repository.states(session, actor, part)
    return [shapes.state(row) for row in page.rows], page.total


def _bills(session: Session, actor: Actor, part: Part) -> Found:
    page = repository.bills(session, actor, part)
    return [shapes.bill(row) for row in page.rows], page.total


def _with_token(part: Part, data: list[Shape], total: int) -> Shape:
    pages = _pages(part, total)
    following = str(part.number + 1) if part.number < pages else None
    return {"page": part.number, "totalPages": pages, "total": total, "nextPageToken": following, "data": data}


def _plain(part: Part, data: list[Shape], total: int) -> Shape:
    # One client goes on until it has as many as `total` says, another until the last of `totalPages`.
    return {"page": part.number, "totalPages": _pages(part, total), "total": total, "data": data}


def _pages(part: Part, total: int) -> int:
    return max(1, math.ceil(total / part.size))


def _first_kind(read: Read) -> Any:
    async def listed(
        actor: Caller,
        size: Annotated[int, Query(ge=1, alias="pageSize")] = USUAL,
        page: Number | None = None,
        token: Annotated[str, Query(max_length=20, alias="nextPageToken")] = "",
    ) -> Shape:
        # Some send the page without the token, none the token without the page; either says where to go on.
        asked = int(token) if token.isdecimal() and len(token) < 8 else 1
        part = Part(page or max(1, asked), min(size, MOST))
        return _with_token(part, *await db.look(read, actor, part))

    return listed


def _second_kind(read: Read) -> Any:
    async def listed(actor: Caller, page: Number = 1, limit: Annotated[int, Query(ge=1)] = USUAL) -> Shape:
        part = Part(page, min(limit, MOST))
        return _plain(part, *await db.look(read, actor, part))

    return listed


_LISTS = (
    ("/v1/partners/users", "/v2/resellers/accounts", _accounts, Permission.DASHBOARD_VIEW),
    ("/v1/partners/tasks", "/v2/resellers/accounts/backup-tasks", _tasks, Permission.ACCOUNTS_ACCESS),
    ("/v1/partners/status", "/v2/resellers/accounts/backup-statuses", _states, Permission.ACCOUNTS_ACCESS),
    ("/v1/partners/bills", "/v2/resellers/bills", _bills, Permission.BILLING_VIEW),
)
for _first, _second, _read, _permission in _LISTS:
    app.get(_first)(requires(_permission)(_first_kind(_read)))
    app.get(_second)(requires(_permission)(_second_kind(_read)))


async def _sign_in(given: SignIn, actor: Actor, request: Request) -> Pass:
    right = access.is_secret(secret_of(request), given.password.strip())
    if not right or not await db.look(access.is_address_of, actor, given.email):
        raise Refusal(401, WRONG, headers=CHALLENGE)
    return access.issue(actor)


def _renewable(issued: Pass) -> Shape:
    return {
        "accessToken": issued.access,
        "refreshToken": issued.refresh,
        "tokenType": "Bearer",
        "expiresIn": issued.seconds,
    }
