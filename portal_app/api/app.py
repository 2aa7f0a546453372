"""The API as one app: `routes` mounts it under /api, where the pages' server includes it."""

from typing import Any

from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Mount

from portal_app.api import problems, runs
from portal_app.api.body_limit import BodyLimit
from portal_app.api.policy import GuardedRoute, public
from portal_app.api.reference import reference

PREFIX = "/api"
_ABOUT = "Programs report to the portal with a token: `Authorization: Bearer ppt_…`. Errors are problems (RFC 9457)."


def _make() -> FastAPI:
    # FastAPI's own pages load scripts from another host, and bypass the guard: ours take their place.
    app = FastAPI(
        title="Partner Portal API",
        version="1",
        description=_ABOUT,
        openapi_url=None,
        servers=[{"url": PREFIX}],
    )
    app.router.route_class = GuardedRoute
    runs.add_to(app)
    app.add_middleware(BodyLimit)
    problems.install(app)
    return app


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
