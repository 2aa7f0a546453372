"""One server process: serves the built pages and the sockets of open ones, until it is told to stop.

`python -m portal_app.listening SOCKET READY PLACE FOLDER` is one of several that `portal_app.supervisor` starts: the
numbers of the socket to listen at and of the pipe that hears when it does; its place; where processes tell each other.
"""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvicorn

from portal_app import db, endings, logs, metrics, migrations, parents
from portal_app.settings import settings

TARGET = "portal_app.portal_app:app"
SECONDS_BETWEEN_FIGURES = 5.0
OPTIONS: dict[str, Any] = {
    "factory": True,
    "loop": "uvloop",
    # Bounds the head of a request; httptools does not.
    "http": "h11",
    # Compresses what goes over the socket.
    "ws": "websockets-sansio",
    # In bytes, unfolded. The socket's own limit is smaller, and answers politely.
    "ws_max_size": 1_000_000,
    "proxy_headers": False,
    "server_header": False,
    "log_config": None,
    "timeout_graceful_shutdown": settings().stop_seconds,
}


class Server(uvicorn.Server):
    """Says when it serves, and sends open pages elsewhere before it closes their sockets."""

    on_ready: Callable[[], object] = staticmethod(lambda: None)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._telling = asyncio.create_task(_tell_figures())
        self.on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for one in self.servers:
            one.close()
        for do in endings.first:
            await do()
        await super().shutdown(sockets)


async def _tell_figures() -> None:
    is_one_of_several = True
    while is_one_of_several:
        is_one_of_several = await asyncio.to_thread(metrics.write)
        await asyncio.sleep(SECONDS_BETWEEN_FIGURES)


def serve(listener: socket.socket | None = None, on_ready: Callable[[], object] = lambda: None, **more: Any) -> None:
    """Serve until SIGTERM or SIGINT: on the socket, or on the port of the settings."""
    place = {"host": settings().host, "port": settings().port, "log_level": "warning", "access_log": False}
    server = Server(uvicorn.Config(TARGET, **place | OPTIONS | more))
    server.on_ready = on_ready
    with contextlib.suppress(KeyboardInterrupt):
        server.run([listener] if listener else None)
    if not server.started:
        raise SystemExit(3)


def main(number: str, ready: str, place: str, folder: str) -> None:
    """Serve as one of several."""
    logs.begin()
    os.umask(0o077)
    with db.engine().connect() as connection:
        if not migrations.is_current(connection):
            raise SystemExit("The database is of another version of the portal: stop all processes, then start.")
    parents.at_end(lambda: os.kill(os.getpid(), signal.SIGTERM))
    metrics.share(Path(folder), place)
    listener = socket.socket(fileno=int(number))
    serve(listener, lambda: os.write(int(ready), b"."))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
