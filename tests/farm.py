"""Several processes of the portal over one database and one Redis, without pages: for tabs that need none."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

from portal_app import db
from portal_app.build import ROOT
from portal_app.settings import reset_settings

SECONDS_TO_START = 120
# Tabs of this kind need no built pages.
PROGRAM = "from portal_app import listening; listening.serve()"
OWN = {"daily_work": "0", "worker": "0", "log_level": "WARNING", "sockets_per_address": "2000", "stop_seconds": "1"}
REFLEX = {"__REFLEX_SKIP_COMPILE": "true", "REFLEX_ENV_MODE": "prod", "REFLEX_TELEMETRY_ENABLED": "false"}


class Farm:
    """So many processes of the portal over the same database and Redis, each at a port of its own."""

    def __init__(self, folder: Path, number: int, **settings: str) -> None:
        self.folder = folder
        self.ports = [_free_port() for _ in range(number)]
        self.urls = [f"http://127.0.0.1:{port}" for port in self.ports]
        self.settings = settings
        self._running: dict[int, subprocess.Popen[bytes]] = {}

    def start(self, one: int) -> None:
        """Start the process with this number."""
        others = {name: value for name, value in os.environ.items() if not name.startswith("PORTAL_")}
        given = OWN | self.settings | {"port": str(self.ports[one])}
        own = {f"PORTAL_{name.upper()}": value for name, value in given.items()}
        environment = others | own | REFLEX | {"PORTAL_DATA_DIR": str(self.folder), "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-c", PROGRAM]
        with (self.folder / f"log-{one}").open("ab") as log:
            self._running[one] = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)

    def kill(self, one: int) -> None:
        """End it at once."""
        self._running[one].send_signal(signal.SIGKILL)
        self._running.pop(one).wait()

    def stop(self) -> None:
        """End all."""
        for process in self._running.values():
            process.terminate()
        for process in self._running.values():
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def wait(self) -> None:
        """Until all of them answer."""
        ends = time.monotonic() + SECONDS_TO_START
        waiting = list(self.urls)
        while waiting:
            assert time.monotonic() < ends, f"{waiting} did not start: see {self.folder}"
            with suppress(httpx.TransportError):
                if httpx.get(f"{waiting[0]}/readyz").status_code == 200:
                    del waiting[0]
                    continue
            time.sleep(0.05)


@contextmanager
def farm(folder: Path, number: int, **settings: str) -> Iterator[Farm]:
    """Started, until the block ends."""
    made = Farm(folder, number, **settings)
    try:
        for one in range(number):
            made.start(one)
        made.wait()
        yield made
    finally:
        made.stop()


@contextmanager
def use(url: str, folder: Path) -> Iterator[None]:
    """Within it `portal_app.db` reaches this database."""
    os.environ |= {"PORTAL_DATA_DIR": str(folder), "PORTAL_DATABASE_URL": url}
    reset_settings()
    db.reset_engine()
    try:
        yield
    finally:
        db.reset_engine()
        del os.environ["PORTAL_DATABASE_URL"], os.environ["PORTAL_DATA_DIR"]
        reset_settings()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
