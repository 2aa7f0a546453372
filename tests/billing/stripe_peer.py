"""A small server that speaks Stripe's API: forms in, JSON out, idempotency keys kept, and faults as the test wants."""

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

SECRET_KEY, WEBHOOK_SECRET = "sk_test_peer", "whsec_peer"
Row = dict[str, Any]


@dataclass
class Peer:
    """What it knows, and how it misbehaves."""

    address: str = ""
    rows: dict[str, Row] = field(default_factory=dict)
    kept: dict[str, tuple[int, Row]] = field(default_factory=dict)
    # Cards by token: what a charge of them answers.
    declines: set[str] = field(default_factory=set)
    # So many answers are lost after the work was done.
    lose: int = 0
    status: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, kind: str) -> list[Row]:
        return [row for row in self.rows.values() if row["object"] == kind]

    def taken(self) -> list[int]:
        paid = [row["amount"] for row in self.of("payment_intent") if row["status"] == "succeeded"]
        return sorted([*paid, *(-row["amount"] for row in self.of("refund"))])

    def pay(self, session: str, way: str = "card") -> None:
        """The customer pays on the hosted page."""
        page = self.rows[session]
        charge = {"object": "charge", "id": "ch_1", "payment_method_details": {"type": way}}
        given = {"amount": page["amount_total"], "status": "succeeded", "metadata": page["metadata"]}
        intent = self.add("pi", "payment_intent", given | {"latest_charge": charge})
        page.update(status="complete", payment_status="paid", payment_intent=intent)

    def store(self, session: str) -> None:
        """The customer stores a card on the hosted page."""
        card = {"brand": "visa", "last4": "4242", "exp_month": 7, "exp_year": 2031}
        method = self.add("pm", "payment_method", {"card": card, "customer": self.rows[session]["customer"]})
        intent = {"object": "setup_intent", "id": "seti_1", "payment_method": method}
        self.rows[session].update(status="complete", setup_intent=intent)

    def add(self, prefix: str, kind: str, row: Row) -> Row:
        made = {"id": f"{prefix}_{len(self.rows) + 1}", "object": kind} | row
        self.rows[made["id"]] = made
        return made

    def answer(self, method: str, path: str, form: Row, key: str) -> tuple[int, Row]:
        with self.lock:
            if self.status:
                return self.status, {"error": {"type": "api_error", "message": "No."}}
            if not key or method != "POST":
                return self.work(method, path, form)
            if key not in self.kept:
                self.kept[key] = self.work(method, path, form)
            return self.kept[key]

    def work(self, method: str, path: str, form: Row) -> tuple[int, Row]:
        what, _, rest = path.removeprefix("/v1/").removeprefix("checkout/").partition("/")
        ident, _, verb = rest.partition("/")
        if ident and ident not in self.rows:
            return 404, {"error": {"type": "invalid_request_error", "code": "resource_missing", "message": "No such."}}
        if verb == "expire":
            return self._expire(self.rows[ident])
        if verb == "detach":
            self.rows[ident]["customer"] = None
        if verb == "detach" or (method == "GET" and ident):
            return 200, self.rows[ident]
        return getattr(self, f"_{'list' if method == 'GET' else 'make'}_{what}")(form)

    def _expire(self, row: Row) -> tuple[int, Row]:
        if row["status"] != "open":
            return 400, {"error": {"type": "invalid_request_error", "message": "It is not open."}}
        row["status"] = "expired"
        return 200, row

    def _make_customers(self, form: Row) -> tuple[int, Row]:
        return 200, self.add("cus", "customer", form)

    def _make_sessions(self, form: Row) -> tuple[int, Row]:
        price = form.get("line_items", {}).get("0", {}).get("price_data", {})
        given = {"mode": form["mode"], "metadata": form["metadata"], "success_url": form["success_url"]}
        state = {"status": "open", "payment_status": "unpaid", "payment_intent": None, "setup_intent": None}
        given |= {"customer": form.get("customer"), "amount_total": int(price.get("unit_amount", 0))}
        page = self.add("cs", "checkout.session", given | state)
        page["url"] = f"{self.address}/c/pay/{page['id']}"
        return 200, page

    def _make_payment_intents(self, form: Row) -> tuple[int, Row]:
        given = {"amount": int(form["amount"]), "customer": form["customer"], "metadata": form["metadata"]}
        bad = form["payment_method"] in self.declines
        error = {"message": "Your card was declined."} if bad else None
        state = {"status": "requires_payment_method" if bad else "succeeded", "last_payment_error": error}
        intent = self.add("pi", "payment_intent", given | state)
        if bad:
            refusal = {"type": "card_error", "code": "card_declined", "message": "Your card was declined."}
            return 402, {"error": refusal | {"payment_intent": intent}}
        return 200, intent

    def _list_payment_intents(self, form: Row) -> tuple[int, Row]:
        mine = [row for row in self.of("payment_intent") if row.get("customer") == form["customer"]]
        return 200, {"object": "list", "data": mine, "has_more": False, "url": "/v1/payment_intents"}

    def _make_refunds(self, form: Row) -> tuple[int, Row]:
        given = {"payment_intent": form["payment_intent"], "metadata": form["metadata"]}
        return 200, self.add("re", "refund", given | {"amount": int(form["amount"]), "status": "succeeded"})

    def _list_refunds(self, form: Row) -> tuple[int, Row]:
        mine = [row for row in self.of("refund") if row["payment_intent"] == form["payment_intent"]]
        return 200, {"object": "list", "data": mine, "has_more": False, "url": "/v1/refunds"}


def message(ident: str, kind: str, about: Row, secret: str = WEBHOOK_SECRET) -> tuple[bytes, dict[str, str]]:
    """A webhook's body and headers, as Stripe signs them."""
    body = json.dumps({"id": ident, "object": "event", "type": kind, "data": {"object": about}}).encode()
    at = str(int(time.time()))
    mac = hmac.new(secret.encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()
    return body, {"stripe-signature": f"t={at},v1={mac}"}


def _nested(flat: dict[str, list[str]]) -> Row:
    """`a[b][0]=x` as it is meant."""
    made: Row = {}
    for name, (value, *_) in flat.items():
        *way, last = name.replace("]", "").split("[")
        place = made
        for part in way:
            place = place.setdefault(part, {})
        place[last] = value
    return made


@contextmanager
def running() -> Iterator[Peer]:
    """The server on a free port of this machine, until the block ends."""
    peer = Peer()

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            parts, length = urlsplit(self.path), int(self.headers.get("content-length", 0))
            form = _nested(parse_qs(parts.query or self.rfile.read(length).decode()))
            status, found = peer.answer(self.command, parts.path, form, self.headers.get("idempotency-key", ""))
            if self.headers["authorization"] != f"Bearer {SECRET_KEY}":
                status, found = 401, {"error": {"type": "invalid_request_error", "message": "Bad key."}}
            if peer.lose and self.command == "POST":
                peer.lose -= 1
                self.close_connection = True
                return
            body = json.dumps(found).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = _serve

        def log_message(self, *_: Any) -> None:
            """Nothing is printed."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        peer.address = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield peer
        server.shutdown()
        thread.join()
