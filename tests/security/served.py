"""A server process without pages, and a client that speaks Socket.IO to it without any page."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import simple_websocket
from sqlmodel import Session

from portal_app import db
from tests.cast import Cast, make_cast
from tests.stores import Template
from tests.tables import Contents, contents

ROOT = Path(__file__).resolve().parents[2]
NAMESPACE = "/_event"
SECONDS = 20
# Others use the machine too.
SECONDS_TO_START = 180
TELL = "reflex___state____state.portal_app___shell___state____notice_state.tell"


# All that it can tell: tests read what it says.
_PROGRAM = """
import logging
from portal_app import listening, supervisor
from portal_app.settings import settings
logging.basicConfig(level=logging.DEBUG)
supervisor.supervise() if settings().processes > 1 else listening.serve(log_level="info", access_log=True)
"""


@dataclass(frozen=True)
class Served:
    """The process, its database and its log."""

    port: int
    pid: int
    url: str
    log: Path
    cast: Cast

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @contextmanager
    def here(self) -> Iterator[None]:
        """Within it, `portal_app.db` of the test's process reaches the server's database."""
        with pytest.MonkeyPatch.context() as patch:
            engine = db.make_engine(self.url)
            patch.setattr(db, "engine", lambda: engine)
            yield
            engine.dispose()

    def write(self, do: Callable[..., Any], *args: Any) -> Any:
        with self.here():
            return db.write(do, *args)

    def contents(self) -> Contents:
        with self.here():
            return contents()

    def said(self) -> str:
        return self.log.read_text(errors="replace")


@contextmanager
def serve(migrated: Template, folder: Path, **settings: str) -> Iterator[Served]:
    """Serve until the block ends. Only this process is ended, by its id."""
    log, store = folder / "server.log", migrated.copy(folder)
    url = store["PORTAL_DATABASE_URL"] or f"sqlite:///{folder / 'portal.db'}"
    engine = db.make_engine(url)
    with Session(engine, expire_on_commit=False) as session:
        cast = make_cast(session)
        session.commit()
    engine.dispose()
    port = _free_port()
    with log.open("wb") as out:
        environment = _environment(store | settings) | {"PORTAL_PORT": str(port)}
        process = subprocess.Popen([sys.executable, "-c", _PROGRAM], cwd=ROOT, env=environment, stdout=out, stderr=out)
    try:
        _wait_until_ready(process, port, log)
        yield Served(port, process.pid, url, log, cast)
    finally:
        process.terminate()
        try:
            process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _environment(settings: dict[str, str]) -> dict[str, str]:
    own = {"PORTAL_DAILY_WORK": "0", "PORTAL_WORKER": "0"}
    # What a test has left open is nobody's work (tests/running/test_stop.py waits for what is).
    own["PORTAL_STOP_SECONDS"] = "1"
    reflex = {"__REFLEX_SKIP_COMPILE": "true", "REFLEX_ENV_MODE": "prod", "REFLEX_TELEMETRY_ENABLED": "false"}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PORTAL_")}
    return kept | own | reflex | settings | {"PYTHONPATH": str(ROOT)}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < until:
        with suppress(httpx.TransportError):
            if httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200:
                return
        if process.poll() is not None:
            break
        time.sleep(0.05)
    raise AssertionError(f"the server did not start:\n{log.read_text()[-3000:]}")


class Raw:
    """One socket. `seen` holds every message that came, in order."""

    def __init__(self, of: Served, cookie: str = "", token: str = "", auth: Any = None, **headers: str) -> None:
        self.token = token or str(uuid4())
        self.seen: list[list[Any]] = []
        self.refused = False
        self.closed = False
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if cookie:
            sent["Cookie"] = cookie
        address = f"ws://127.0.0.1:{of.port}/_event/?token={self.token}&EIO=4&transport=websocket"
        self.socket = simple_websocket.Client.connect(address, headers=sent)
        self.connect(auth)

    def __enter__(self) -> "Raw":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        with suppress(simple_websocket.ConnectionClosed):
            self.socket.close()

    def connect(self, auth: Any = None) -> None:
        """Send the CONNECT packet and wait for its answer."""
        self.write(f"40{NAMESPACE}," + (json.dumps(auth) if auth is not None else ""))
        self.until(lambda: self._connected or self.refused or self.closed)

    _connected = False

    def write(self, text: str | bytes) -> None:
        self.socket.send(text)

    def call(self, message: str, *data: Any) -> None:
        """Send any Socket.IO event."""
        self.write(f"42{NAMESPACE}," + json.dumps([message, *data]))

    def send(self, name: str, payload: Any = None, path: str = "/", **more: Any) -> None:
        """Send a state event as a page at `path` would, and don't wait."""
        where = {"pathname": path.partition("?")[0], "asPath": path, "query": {}}
        self.call("event", {"name": name, "payload": payload or {}, "router_data": where} | more)

    def ask(self, name: str, payload: Any = None, path: str = "/") -> list[dict[str, Any]]:
        """Send a state event and gather what comes until a later event of the same socket was answered."""
        start = len(self.seen)
        self.send(name, payload, path)
        self.settle()
        return [message[1] for message in self.seen[start:] if message[0] == "event"]

    def settle(self) -> None:
        """Wait until all that was sent has been dealt with: events of one tab run one after the other."""
        mark, start = uuid4().hex, len(self.seen)
        self.send(TELL, {"kind": "grey", "text": mark})
        self.until(lambda: self.closed or any(mark in json.dumps(m) for m in self.seen[start:]))

    def until(self, done: Callable[[], bool], seconds: float = SECONDS) -> None:
        """Read until the condition holds; a failure when it doesn't in time."""
        end = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < end, f"nothing came; last: {self.seen[-3:]}"
            self._receive(0.05)

    def _receive(self, seconds: float) -> None:
        try:
            text = self.socket.receive(timeout=seconds)
        except simple_websocket.ConnectionClosed:
            self.closed = True
            return
        if text == "2":
            self.write("3")
        elif text == "49":
            # What no Socket.IO client can read: each closes the connection then, and connects anew.
            self.close()
            self.closed = True
        elif isinstance(text, str) and text.startswith(f"40{NAMESPACE}"):
            self._connected = True
        elif isinstance(text, str) and text.startswith(f"44{NAMESPACE}"):
            self.refused = True
        elif isinstance(text, str) and text.startswith(f"42{NAMESPACE},"):
            self.seen.append(json.loads(text.removeprefix(f"42{NAMESPACE},")))

    def heard(self) -> str:
        """Everything that came, as text."""
        return json.dumps(self.seen)
