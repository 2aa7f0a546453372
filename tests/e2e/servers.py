"""The portal as people run it: `python -m portal_app.serve` on a free port, over a data folder of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from portal_app.build import ROOT
from tests.stores import Environment

READY_SECONDS = 60
STOP_SECONDS = 15


class Portal:
    """One server; it may be stopped and started again on the same port."""

    def __init__(self, store: Environment) -> None:
        self.settings: dict[str, str] = {}
        self.store = store
        self.data_dir = Path(store["PORTAL_DATA_DIR"])
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.log = self.data_dir / "server.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and wait until it is ready."""
        own = {
            "PORTAL_DEMO": "1",
            "PORTAL_PORT": str(self.port),
            # Accounts of a test owe what it says, not what the minute would bill them.
            "PORTAL_DAILY_WORK": "0",
            # The programs that webhooks tell run beside the tests.
            "PORTAL_ALLOW_PRIVATE_WEBHOOKS": "1",
            # All tests come from one address.
            "PORTAL_SIGN_IN_ATTEMPTS": "1000",
            # A browser of a test may say which address it plays.
            "PORTAL_TRUSTED_PROXIES": "127.0.0.1",
            # The pages of a test that ends are left open.
            "PORTAL_STOP_SECONDS": "1",
            "PYTHONPATH": str(ROOT),
        }
        if self.store["PORTAL_REDIS_URL"]:
            own["PORTAL_PROCESSES"] = "2"
        others = {name: value for name, value in os.environ.items() if not name.startswith("PORTAL_")}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "portal_app.serve"],
                cwd=ROOT,
                env=others | self.store | own | self.settings,
                stdout=log,
                stderr=log,
            )
        ends = time.monotonic() + READY_SECONDS
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > ends:
                raise AssertionError(f"The server did not start:\n{self.log.read_text()}")
            time.sleep(0.05)

    def replace_processes(self) -> None:
        """With several: begin to replace them, one by one."""
        assert self._process is not None
        self._process.send_signal(signal.SIGHUP)

    def stop(self) -> None:
        """Stop, and wait until it is gone."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def _is_ready(self) -> bool:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
