"""The sandbox as a web service: an API for shops, hosted pages for their customers, messages about what happened."""

import hmac
import json
import logging
from collections.abc import Callable
from typing import Any

from anyio.to_thread import run_sync
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from portal_app import clock
from portal_app.sandbox_processor import pages, signing
from portal_app.sandbox_processor.cards import REASONS, Behaviour, understand
from portal_app.sandbox_processor.ledger import Fault, Ledger

log = logging.getLogger("portal.sandbox_processor")
# Hands a message over: its address, body and signature. True when it was taken.
Tell = Callable[[str, bytes, str], bool]
# What a page and a charge are made of.
_PAGE = {
    "mode": str, "amount": int, "currency": str, "description": str, "customer": str,
    "return_url": str, "cancel_url": str, "notify_url": str,
}  # fmt: skip
_CHARGE = {"amount": int, "currency": str, "description": str, "customer": str, "card": str, "notify_url": str}
LONGEST = 600


class Processor:
    """One sandbox: its books, the secret that it shares with the shop, and how it tells the shop of something."""

    def __init__(self, ledger: Callable[[], Ledger], secret: Callable[[], bytes], tell: Tell) -> None:
        self.ledger, self.secret, self.tell = ledger, secret, tell
        self.app = Starlette(routes=self.routes(lambda endpoint: endpoint))

    def routes(self, mark: Callable[[Any], Any]) -> list[Route]:
        """The addresses; each endpoint goes through `mark` first."""
        found = (
            ("/v1/orders/{key}", self.order, "GET"),
            ("/v1/pages", self.open_page, "POST"),
            ("/v1/pages/{ident}", self.page, "GET"),
            ("/v1/pages/{ident}/close", self.close_page, "POST"),
            ("/v1/charges", self.charge, "POST"),
            ("/v1/refunds", self.refund, "POST"),
            ("/v1/cards/{token}", self.forget, "DELETE"),
            ("/pay/{ident}", self.show, "GET"),
            ("/pay/{ident}", self.submit, "POST"),
        )
        return [Route(path, mark(_plain(do)), methods=[method]) for path, do, method in found]

    async def order(self, request: Request) -> Response:
        return await self._answer(request, lambda books: books.order(request.path_params["key"]))

    async def open_page(self, request: Request) -> Response:
        given = await _given(request, _PAGE)
        return await self._answer(request, lambda books: books.open_page(_key(request), given, clock.now()))

    async def page(self, request: Request) -> Response:
        return await self._answer(request, lambda books: books.page(request.path_params["ident"], clock.now()))

    async def close_page(self, request: Request) -> Response:
        return await self._answer(request, lambda books: books.close_page(request.path_params["ident"]))

    async def charge(self, request: Request) -> Response:
        given, lost = await _given(request, _CHARGE), []

        def do(books: Ledger) -> Any:
            made, is_lost = books.charge(_key(request), given, clock.now())
            lost.append(is_lost)
            return made

        answer = await self._answer(request, do)
        return PlainTextResponse("No answer", 504, background=answer.background) if any(lost) else answer

    async def refund(self, request: Request) -> Response:
        given = await _given(request, {"payment": str, "amount": int})
        what = given["payment"], given["amount"]
        return await self._answer(request, lambda books: books.refund(_key(request), *what, clock.now()))

    async def forget(self, request: Request) -> Response:
        return await self._answer(request, lambda books: books.forget(request.path_params["token"]) or {})

    async def show(self, request: Request) -> Response:
        page = await run_sync(self._page, request)
        return pages.show(page, {}, {}) if page else PlainTextResponse("There is no such page.", 404)

    async def submit(self, request: Request) -> Response:
        page = await run_sync(self._page, request)
        if page is None:
            return PlainTextResponse("There is no such page.", 404)
        form = await request.form(max_files=0, max_fields=6)
        typed = {name: str(value)[:60] for name, value in form.items()}
        if page["status"] != "open":
            return pages.show(page, {}, {})
        return await run_sync(self._use, page, typed)

    def _page(self, request: Request) -> dict[str, Any] | None:
        return self.ledger().page(request.path_params["ident"], clock.now())

    def _use(self, page: dict[str, Any], typed: dict[str, str]) -> Response:
        paypal = typed.get("way") == "paypal" and page["mode"] == "payment"
        fields = [typed.get(name, "") for name in ("number", "expiry", "code")]
        found, faults = (None, {}) if paypal else understand(*fields, clock.today())
        if faults:
            return pages.show(page, typed, faults)
        declined = found.card.behaviour if found else Behaviour.PAYS
        if declined in REASONS and (declined != Behaviour.NEEDS_OWNER):
            return pages.show(page, typed, {}, REASONS[declined])
        try:
            if found and page["mode"] == "setup":
                self.ledger().store_card(page["id"], found)
            else:
                self.ledger().pay_page(page["id"], "paypal" if paypal else "card", clock.now())
        except Fault:
            # Another tab was sooner.
            return pages.show(self.ledger().page(page["id"], clock.now()) or page, {}, {})
        back = page["return_url"].replace("{page}", page["id"])
        return RedirectResponse(back, 303, background=BackgroundTask(self.tell_all))

    async def _answer(self, request: Request, do: Callable[[Ledger], Any]) -> Response:
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(given.encode(), self.secret().hex().encode()):
            return JSONResponse({"fault": "Who are you?"}, 401)
        try:
            found = await run_sync(lambda: do(self.ledger()))
        except Fault as fault:
            return JSONResponse({"fault": str(fault)}, 422)
        if found is None:
            return JSONResponse({"fault": "There is no such thing."}, 404)
        # Asking changes nothing; whoever is told of something asks at once.
        told = BackgroundTask(self.tell_all) if request.url.path.endswith("/charges") else None
        return JSONResponse(found, background=told)

    def tell_all(self) -> None:
        """Tell the shop what it has not heard yet; what it doesn't take waits for the next time."""
        ledger = self.ledger()
        while event := ledger.next_message():
            body = event["body"].encode()
            if not self.tell(event["url"], body, signing.sign(self.secret(), body)):
                ledger.put_back(event["id"])
                log.info("a message waits: the shop did not take it")
                return


def _plain(do: Any) -> Any:
    """A function of its own for each address, which can be marked; bound methods can't."""

    async def endpoint(request: Request) -> Response:
        try:
            return await do(request)
        except Fault as fault:
            return JSONResponse({"fault": str(fault)}, 422)

    return endpoint


def _key(request: Request) -> str:
    key = request.headers.get("idempotency-key", "")
    if not 16 <= len(key) <= 64:
        raise Fault("An order needs an idempotency key of 16 to 64 characters.")
    return key


async def _given(request: Request, shape: dict[str, type]) -> dict[str, Any]:
    """The fields of the order, each of its kind. Fault when they are others."""
    try:
        given = json.loads(await request.body())
    except ValueError:
        raise Fault("The order is not JSON.") from None
    fits = isinstance(given, dict) and given.keys() == shape.keys()
    if not fits or any(type(given[name]) is not kind for name, kind in shape.items()):
        raise Fault(f"An order has: {', '.join(shape)}.")
    if any(isinstance(value, str) and len(value) > LONGEST for value in given.values()):
        raise Fault("The order is too long.")
    return given
