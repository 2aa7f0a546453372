"""The two requests of a sign-in at a provider: away from here, and back."""

import logging

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from portal_app import db
from portal_app.auth import guard, limiter
from portal_app.auth.routes import HEADERS, go_on, local_path, origin_of
from portal_app.auth.steps import StepKind
from portal_app.errors import Denied
from portal_app.mail.links import absolute
from portal_app.oidc import exchange, providers, service
from portal_app.oidc.outcomes import Outcome
from portal_app.oidc.providers import TENANT, Provider

log = logging.getLogger("portal.oidc")
COOKIE = "portal_provider"
# `__Host-`: of this very host, so that no neighbour can plant one.
SECURE_COOKIE = "__Host-portal_provider"
# In characters; a provider's code may be long (Microsoft's has up to about 2,000).
LONGEST = 8_000


@guard.public("sends the browser to Microsoft or Google, where people who aren't signed in here sign in")
async def start(request: Request) -> Response:
    """GET /auth/oidc/{provider}/start: a page of this portal sends the browser away."""
    provider = providers.find(request.path_params["provider"])
    if provider is None or request.headers.get("sec-fetch-site") != "same-origin":
        return RedirectResponse("/login", 303, headers=HEADERS)
    try:
        limiter.count_departure(origin_of(request).address)
    except Denied:
        return _back(provider, Outcome.OFTEN)
    left = await db.work(service.depart, provider, local_path(request.query_params.get("next", "/")))
    try:
        url = await exchange.address_to_ask(provider, _redirect_uri(provider), left.state, left.secret)
    except exchange.Fault as fault:
        return _down(provider, fault)
    answer = RedirectResponse(url, 303, headers=HEADERS)
    name, secure = _cookie(request)
    life = int(service.LIFE.total_seconds())
    answer.set_cookie(name, left.secret, max_age=life, httponly=True, samesite="lax", path="/", secure=secure)
    return answer


@guard.public("people who signed in at Microsoft or Google come back here")
async def callback(request: Request) -> Response:
    """GET /auth/oidc/{provider}/callback: the provider sends the browser back."""
    provider = providers.find(request.path_params["provider"])
    if provider is None:
        return RedirectResponse("/login", 303, headers=HEADERS)
    answer = await _come_back(request, provider)
    name, secure = _cookie(request)
    answer.delete_cookie(name, path="/", httponly=True, samesite="lax", secure=secure)
    return answer


async def _come_back(request: Request, provider: Provider) -> Response:
    secret, given = request.cookies.get(_cookie(request)[0], ""), request.query_params
    if any(len(value) > LONGEST for value in given.values()):
        return _back(provider, Outcome.LATE)
    wanted = await db.work(service.come_back, provider, given.get("state", ""), secret)
    if wanted is None:
        return _back(provider, Outcome.LATE)
    if given.get("error") or not given.get("code"):
        cancelled = given.get("error") in {"access_denied", "consent_required", "interaction_required"}
        return _back(provider, Outcome.CANCELLED if cancelled else Outcome.DOWN)
    if TENANT not in provider.issuer and given.get("iss", provider.issuer) != provider.issuer:
        return _down(provider, exchange.Fault("the answer is another issuer's"))
    try:
        identity = await exchange.identify(provider, _redirect_uri(provider), given["code"], secret)
    except exchange.Fault as fault:
        return _down(provider, fault)
    return await _enter(request, provider, identity, wanted)


async def _enter(request: Request, provider: Provider, identity: exchange.Identity, wanted: str) -> Response:
    origin = origin_of(request)
    who = f"{identity.issuer} {identity.subject}"
    try:
        limiter.count_attempt(who, origin.address)
    except Denied:
        return _back(provider, Outcome.OFTEN)
    step = await db.work(service.enter, provider, identity, origin)
    if step.kind == StepKind.REFUSED:
        limiter.count_failure(origin.address)
        return _back(provider, Outcome.REFUSED)
    limiter.forgive(who, origin.address)
    return await go_on(request, step, wanted)


def _redirect_uri(provider: Provider) -> str:
    return absolute(f"/auth/oidc/{provider.key}/callback")


def _back(provider: Provider, outcome: Outcome) -> Response:
    return RedirectResponse(f"/login?with={provider.key}&ended={outcome}", 303, headers=HEADERS)


def _down(provider: Provider, fault: exchange.Fault) -> Response:
    # The fault's own text only: what the provider sent may hold a code or a token.
    log.warning("sign-in with %s failed: %s", provider.key, fault)
    return _back(provider, Outcome.DOWN)


def _cookie(request: Request) -> tuple[str, bool]:
    secure = request.url.scheme == "https"
    return (SECURE_COOKIE if secure else COOKIE), secure


routes = [
    Route("/auth/oidc/{provider}/start", start, methods=["GET"]),
    Route("/auth/oidc/{provider}/callback", callback, methods=["GET"]),
]
