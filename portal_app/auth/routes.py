"""The two requests that set and clear the session cookie, which no script and so no socket can do."""

from collections.abc import Awaitable, Callable
from urllib.parse import urlencode, urlsplit

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from portal_app import db
from portal_app.auth import denials, guard, service, sessions, steps
from portal_app.auth.actor import Actor, ActorKind, Origin
from portal_app.auth.browsers import browser_name
from portal_app.auth.cookies import mark_in
from portal_app.auth.steps import Step, StepKind
from portal_app.errors import Denied
from portal_app.ip_restrictions import refusals
from portal_app.shell.navigation import home_of

HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
# A ticket and a path; in bytes.
LARGEST_FORM = 16_384


def origin_of(request: Request) -> Origin:
    """Where a request comes from."""
    address, told = request.client.host if request.client else "", request.headers
    return Origin(address, browser_name(told.get("user-agent", "")), mark_in(told.get("cookie")))


async def actor_of(request: Request, handler: Callable[[Request], Awaitable[Response]]) -> Actor:
    """Who sends the request. Raises Denied unless the handler's own policy lets them."""
    actor = await db.look(sessions.identify, sessions.token_in(request.headers.get("cookie")), origin_of(request))
    if actor.kind == ActorKind.ELSEWHERE:
        await anyio.to_thread.run_sync(refusals.note, actor)
    try:
        handler.__policy__.check(actor)
    except Denied as refusal:
        if actor.signed_in:
            await anyio.to_thread.run_sync(
                denials.note, actor, f"{request.method} {request.url.path}", refusal.sentence
            )
        raise
    return actor


def local_path(target: str) -> str:
    """The path if it stays on this portal, else the start page."""
    try:
        parts = urlsplit(target)
    except ValueError:
        return "/"
    safe = target.startswith("/") and not target.startswith(("//", "/\\")) and not parts.netloc and "\\" not in target
    return target if safe and all(char.isprintable() for char in target) else "/"


def from_here(request: Request) -> bool:
    """Whether the form was sent by a page of this portal. Browsers always say where a form comes from."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    return host_of(request.headers.get("origin", "")) == request.headers.get("host")


def host_of(origin: str) -> str:
    """The host and port of an Origin header; empty when it names none."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


@guard.public("changes a one-time ticket into a session")
async def begin(request: Request) -> Response:
    """POST /auth/session: the ticket becomes the session cookie."""
    if not from_here(request):
        return PlainTextResponse("This form was sent from another site.", 403, headers=HEADERS)
    if not _is_small(request):
        return PlainTextResponse("This form is too large.", 413, headers=HEADERS)
    form = await request.form(max_files=0, max_fields=5)
    token = await db.work(sessions.redeem, str(form.get("ticket", "")), origin_of(request))
    if token is None:
        return RedirectResponse("/login?again=1", 303, headers=HEADERS)
    return await _let_in(request, token, local_path(str(form.get("next", ""))))


async def go_on(request: Request, step: Step, wanted: str) -> Response:
    """Answer a request that showed who somebody is: with the session, or the sign-in page for what is still asked for.

    `wanted` is a path of this portal (see `local_path`).
    """
    if step.kind == StepKind.DONE:
        token = await db.work(sessions.redeem, step.token, origin_of(request))
        return await _let_in(request, token or "", wanted)
    answer = RedirectResponse(f"/login?{urlencode({'next': wanted})}", 303, headers=HEADERS)
    life, secure = int(steps.LIFE.total_seconds()), request.url.scheme == "https"
    # The page's socket reads it: the step's token must be in no address.
    name = steps.SECURE_COOKIE if secure else steps.COOKIE
    answer.set_cookie(name, step.token, max_age=life, httponly=True, samesite="lax", path="/", secure=secure)
    return answer


async def _let_in(request: Request, token: str, wanted: str) -> Response:
    """Set the session's cookie and go on to the path, or to where the person starts."""
    actor = await db.look(sessions.identify, token, origin_of(request))
    if actor.kind == ActorKind.ELSEWHERE:
        return await _turned_away(actor)
    answer = RedirectResponse(home_of(actor) if wanted == "/" else wanted, 303, headers=HEADERS)
    secure = request.url.scheme == "https"
    name = sessions.SECURE_COOKIE if secure else sessions.COOKIE
    answer.set_cookie(name, token, httponly=True, samesite="lax", path="/", secure=secure)
    if step := next((name for name in (steps.COOKIE, steps.SECURE_COOKIE) if name in request.cookies), None):
        answer.delete_cookie(step, path="/", httponly=True, samesite="lax", secure=secure)
    return answer


async def _turned_away(actor: Actor) -> Response:
    """Everything they typed was right, but they come from elsewhere: there is no session."""
    await anyio.to_thread.run_sync(refusals.note, actor)
    await db.work(sessions.end, actor.session_hash)
    return RedirectResponse(guard.ACCESS_DENIED, 303, headers=HEADERS)


def _is_small(request: Request) -> bool:
    length = request.headers.get("content-length", "")
    return length.isascii() and length.isdecimal() and len(length) < 10 and int(length) <= LARGEST_FORM


@guard.public("ends the caller's own session, if there is one")
async def finish(request: Request) -> Response:
    """POST /auth/sign-out."""
    if not from_here(request):
        return PlainTextResponse("This form was sent from another site.", 403, headers=HEADERS)
    token = sessions.token_in(request.headers.get("cookie"))
    actor = await db.look(sessions.identify, token, origin_of(request))
    await db.work(service.sign_out, actor)
    answer = RedirectResponse("/login", 303, headers=HEADERS | {"Clear-Site-Data": '"storage"'})
    for name in (sessions.COOKIE, sessions.SECURE_COOKIE):
        answer.delete_cookie(name, path="/", httponly=True, samesite="lax", secure=name == sessions.SECURE_COOKIE)
    return answer


routes = [
    Route("/auth/session", begin, methods=["POST"]),
    Route("/auth/sign-out", finish, methods=["POST"]),
]
