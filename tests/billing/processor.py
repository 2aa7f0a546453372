"""The sandbox as a service of its own, over HTTP, and a shop that only keeps what it is told."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

from portal_app.build import ROOT
from portal_app.sandbox_processor import signing
from portal_app.sandbox_processor.ledger import FILE, Ledger
from tests.billing.payers import GOOD
from tests.e2e.servers import free_port

Message = tuple[bytes, dict[str, str]]
SECRET = "both know it"


class Processor:
    """`python -m portal_app.sandbox_processor` in a process of its own, and a shop that only keeps what it is told."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.heard: list[Message] = []
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, today: date | None = None) -> None:
        """Begin to serve, on a day of its own if told; the books go on."""
        # One for all: to make one takes longer than to ask.
        self.browser = httpx.Client(timeout=30)
        days = (today - datetime.now(UTC).date()).days if today else 0
        own = {"PORTAL_DATA_DIR": str(self.folder), "PORTAL_SANDBOX_SECRET": SECRET, "PYTHONPATH": str(ROOT)}
        own |= {"PORTAL_CLOCK_OFFSET_DAYS": str(days)}
        command = [sys.executable, "-m", "portal_app.sandbox_processor", "--port", str(self.port)]
        others = {name: value for name, value in os.environ.items() if not name.startswith("PORTAL_")}
        # A group of its own: the server has a worker, which would outlive it.
        self.process = subprocess.Popen(
            command, cwd=self.folder, env=others | own, stderr=subprocess.DEVNULL, start_new_session=True
        )
        ends = time.monotonic() + 60
        while not self._answers():
            assert self.process.poll() is None, "it did not start"
            assert time.monotonic() < ends, "it did not start in time"
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            return self.browser.get(f"{self.address}/pay/none").status_code == 404
        except httpx.HTTPError:
            return False

    def kill(self) -> None:
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(30)
            self.process = None
            self.browser.close()

    def use_page(self, url: str, number: str = GOOD, *, expiry: str = "12/40", way: str = "card") -> int:
        """Type a card on the hosted page, or choose PayPal."""
        return httpx.post(
            url, data={"number": number, "expiry": expiry, "code": "123", "way": way}, timeout=30
        ).status_code

    def told(self) -> list[Message]:
        """All messages so far in their order, once the last one is here."""
        with closing(sqlite3.connect(self.folder / FILE)) as books:
            bodies = [body.encode() for (body,) in books.execute("SELECT body FROM event ORDER BY rowid")]
        ends = time.monotonic() + 30
        while len(self.heard) < len(bodies):
            assert time.monotonic() < ends, "messages are missing"
            time.sleep(0.005)
        return sorted(self.heard, key=lambda one: bodies.index(one[0]))

    def payments(self) -> list[tuple[str, int, str, str]]:
        """What it was asked for and how that ended: the words of the order, amount, currency, status."""
        with closing(sqlite3.connect(self.folder / FILE)) as books:
            return sorted(books.execute("SELECT description, amount, currency, status FROM payment"))

    def ledger(self) -> list[dict[str, Any]]:
        """What its own books say that it took and gave back."""
        return Ledger(self.folder / FILE).taken()

    def taken(self) -> list[int]:
        return [row["amount"] for row in self.ledger()]


@contextmanager
def running(folder: Path, today: date) -> Iterator[tuple[Processor, dict[str, str]]]:
    """A processor with books of its own, and the settings of a portal that pays there."""
    folder.mkdir()
    processor = Processor(folder)
    processor.start(today)
    try:
        with listening(processor) as environment:
            yield processor, environment
    finally:
        processor.kill()


@contextmanager
def listening(processor: Processor) -> Iterator[dict[str, str]]:
    """Somebody who takes the processor's messages, and only keeps them; the settings of a portal that is this shop."""
    processor.heard = heard = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            heard.append((body, {signing.HEADER: self.headers[signing.HEADER]}))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Nothing is printed."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        own = f"http://127.0.0.1:{server.server_address[1]}"
        yield {"PORTAL_SANDBOX_URL": processor.address, "PORTAL_SANDBOX_SECRET": SECRET, "PORTAL_PUBLIC_URL": own}
        server.shutdown()
        thread.join()
