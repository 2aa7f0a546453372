"""The API as one app: `routes` mounts it under /api, where the pages' server includes it."""

from typing import Any

from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Mount

from portal_app.api import accounts, audit, bills, entities, problems, runs, task_changes, tasks, users
from portal_app.api.body_limit import BodyLimit
from portal_app.api.headers import Headers
from portal_app.api.policy import GuardedRoute, public
from portal_app.api.reference import reference
from portal_app.brand import brand

PREFIX = "/api"
_ABOUT = (
    "Programs speak to the portal with a token: `Authorization: Bearer ppt_…`. A token sees what its permissions and"
    " those of who made it allow; everything else does not exist for it. Errors are problems (RFC 9457). Lists come in"
    " pages: pass `next` as `cursor`. Send an `Idempotency-Key` with a POST, and you may send it again: it is done"
    " once. Instants are in UTC, amounts in the currency's smallest unit. `RateLimit-Remaining` says how many requests"
    " the token has left in this minute."
)
_PARTS = (accounts, tasks, task_changes, entities, runs, bills, users, audit)


def _make() -> FastAPI:
    # FastAPI's own pages load scripts from another host, and bypass the guard: ours take their place.
    app = FastAPI(
        title=f"{brand().product} API",
        version="1",
        description=_ABOUT,
        openapi_url=None,
        servers=[{"url": PREFIX}],
    )
    app.router.route_class = GuardedRoute
    for part in _PARTS:
        part.add_to(app)
    app.add_middleware(BodyLimit)
    app.add_middleware(Headers)
    problems.install(app)
    app.openapi = lambda: _described(app)
    return app


def _described(app: FastAPI) -> dict[str, Any]:
    """The document of FastAPI, with what it does not know of: our tokens."""
    document = FastAPI.openapi(app)
    document["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    document["security"] = [{"token": []}]
    for methods in document["paths"].values():
        for operation in methods.values():
            for answer in operation["responses"].values():
                answer["description"] = answer["description"].replace("Successful Response", "What was asked for.")
    return document


api_app = _make()


@api_app.get("/openapi.json", include_in_schema=False)
@public("describes the API and holds no data")
async def openapi() -> dict[str, Any]:
    """The API as an OpenAPI document."""
    return api_app.openapi()


@api_app.get("/docs", include_in_schema=False)
@public("describes the API and holds no data")
async def docs(_request: Request) -> HTMLResponse:
    """The API for people."""
    policy = (
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    headers = {"Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff"}
    return HTMLResponse(reference(api_app.openapi()), headers=headers)


routes = [Mount(PREFIX, api_app)]
# The API without the pages: `uvicorn portal_app.api.app:alone`.
alone = Starlette(routes=routes)
