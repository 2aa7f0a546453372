"""What payments need of plain HTTP: the ways to a processor's page and back, and its messages."""

import html
import re

from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route

from portal_app.auth import guard
from portal_app.auth.permissions import Permission
from portal_app.auth.routes import actor_of, from_here
from portal_app.billing import cards, orders, payments, webhooks
from portal_app.billing.gateways import sandbox
from portal_app.billing.gateways.chosen import gateway
from portal_app.billing.gateways.port import Forged, Refused, Silent
from portal_app.errors import Denied

LEAVE = "/billing/leave"
_HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
_POLICY = "default-src 'none'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
# A page that leads on, because the policy of ours would stop a form whose answer leads to another host.
_ON = """<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark">
<meta http-equiv="refresh" content="0; url={url}"><title>To the payment page</title></head>
<body><p><a href="{url}">Go on to the payment page</a></p></body></html>"""
_NAME = re.compile("[A-Za-z0-9_-]{1,200}")


@guard.requires(Permission.BILLS_PAY, Permission.PAYMENT_MANAGE)
async def leave(request: Request) -> Response:
    """POST /billing/leave: leads the browser to a hosted page of the processor, and nowhere else."""
    if not from_here(request):
        return PlainTextResponse("This form was sent from another site.", 403, headers=_HEADERS)
    try:
        await actor_of(request, leave)
    except Denied:
        return RedirectResponse("/login", 303, headers=_HEADERS)
    url = str((await request.form(max_files=0, max_fields=2)).get("url", ""))
    if not gateway().is_page(url):
        return RedirectResponse("/billing/unpaid", 303, headers=_HEADERS)
    shown = _ON.format(url=html.escape(url))
    return HTMLResponse(shown, headers=_HEADERS | {"Content-Security-Policy": _POLICY})


@guard.public("the processor sends people back here; it only asks how the payment stands that only they can name")
async def come_back(request: Request) -> Response:
    """GET /billing/return/{key}: books the outcome, and leads to the page that says it."""
    key = request.path_params["key"]
    if not _NAME.fullmatch(key):
        return RedirectResponse("/billing/unpaid", 303, headers=_HEADERS)
    await run_sync(payments.look_up, key)
    return RedirectResponse(f"{payments.RESULT}?attempt={key}", 303, headers=_HEADERS)


@guard.requires(Permission.PAYMENT_MANAGE)
async def card_stored(request: Request) -> Response:
    """GET /billing/cards/return: keeps the card that was stored, and leads to Payment Details."""
    setup = request.query_params.get("setup", "")
    try:
        await actor_of(request, card_stored)
        found = bool(_NAME.fullmatch(setup)) and await run_sync(cards.finish_adding, setup)
        ended = "added" if found else "none"
    except Denied:
        return RedirectResponse("/login", 303, headers=_HEADERS)
    except (Silent, Refused):
        ended = "late"
    return RedirectResponse(f"{cards.PAGE}?card={ended}", 303, headers=_HEADERS)


@guard.public("processors have no session: each message is signed")
async def webhook(request: Request) -> Response:
    """POST /webhooks/{gateway}: 200 once it is worked on, 503 when it shall come again."""
    body, name = await request.body(), request.path_params["gateway"]
    try:
        done = await run_sync(webhooks.take, name, body, dict(request.headers))
    except Forged:
        return PlainTextResponse("The signature is wrong.", 400, headers=_HEADERS)
    except Silent:
        return PlainTextResponse("There is no such processor.", 404, headers=_HEADERS)
    return PlainTextResponse("Done." if done else "Later, please.", 200 if done else 503, headers=_HEADERS)


routes = [
    Route(LEAVE, leave, methods=["POST"]),
    Route(f"{orders.RETURN}/{{key}}", come_back, methods=["GET"]),
    Route(cards.RETURN, card_stored, methods=["GET"]),
    Route("/webhooks/{gateway}", webhook, methods=["POST"]),
    Mount(
        sandbox.PREFIX,
        routes=sandbox.PROCESSOR.routes(guard.public("the sandbox: its own secret, and pages nobody can guess")),
    ),
]
