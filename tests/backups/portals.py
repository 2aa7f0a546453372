"""Portals for the report command: the real API in a process of its own, and one that answers as it is told."""

import http.client
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(condition: Callable[[], Any], seconds: float = 30) -> Any:
    """What the condition gives once it is true; fails loudly when it never is."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError("waited in vain")


@contextmanager
def real_portal(log: Path) -> Iterator[str]:
    """The API over the test's database, served. Gives its address."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "--port", str(port), "portal_app.api.app:alone"]
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output)
        try:
            wait_for(lambda: process.poll() is not None or _answers(port))
            assert process.poll() is None, log.read_text()
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(timeout=20)


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/api/openapi.json")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


class FakePortal:
    """Keeps what it is sent; answers with the statuses it was given, the last one for ever."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses) or [201]
        self.bodies: list[dict[str, Any]] = []
        self.tokens: list[str] = []
        self.problem: dict[str, Any] | None = {
            "detail": "Told so.",
            "errors": [{"field": "finished", "detail": "Late."}],
        }

    def take(self, headers: Any, body: bytes) -> int:
        self.tokens.append(headers["Authorization"])
        self.bodies.append(json.loads(body))
        return self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]

    @contextmanager
    def serving(self) -> Iterator[str]:
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def _handler(portal: FakePortal) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status = portal.take(self.headers, self.rfile.read(int(self.headers["Content-Length"])))
            body = json.dumps(portal.problem).encode() if portal.problem else b"<html>"
            self.send_response(status)
            self.send_header("Content-Type", "application/problem+json" if portal.problem else "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            pass

    return Handler
