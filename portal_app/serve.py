"""Starts the one server process: database up to date, pages built, everything on one port."""

import contextlib
import os
import sys
from typing import Any

import uvicorn

from portal_app import build, crypto, db, locks, logs, migrations
from portal_app.accounts.data_centers import ensure_data_centers
from portal_app.demo.service import ensure_demo
from portal_app.errors import PortalError
from portal_app.settings import settings, unknown_names

TARGET = "portal_app.portal_app:app"
OPTIONS: dict[str, Any] = {
    "factory": True,
    "app_dir": str(build.ROOT),
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


def main() -> None:
    """Serve until interrupted."""
    if unknown := unknown_names():
        raise SystemExit(f"No such setting: {', '.join(unknown)}. README lists them all.")
    logs.begin()
    os.umask(0o077)
    try:
        with locks.serving():
            _prepare()
            _serve()
    except PortalError as refusal:
        raise SystemExit(refusal.sentence) from None


def _prepare() -> None:
    crypto.current_key()
    migrations.upgrade()
    db.write(ensure_data_centers)
    ensure_demo()
    build.ensure_built()


def _serve() -> None:
    # Internal switches of Reflex 0.10.1, held by a test: serve the built pages without compiling them again.
    os.environ |= {
        "__REFLEX_SKIP_COMPILE": "true",
        "__REFLEX_MOUNT_FRONTEND_COMPILED_APP": "true",
        "REFLEX_ENV_MODE": "prod",
        "REFLEX_TELEMETRY_ENABLED": "false",
    }
    host = settings().host
    shown = "localhost" if host in {"127.0.0.1", "0.0.0.0", "::"} else host  # noqa: S104 (compared, not bound)
    print(f"The portal is at http://{shown}:{settings().port}", flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.run(TARGET, host=host, port=settings().port, log_level="warning", access_log=False, **OPTIONS)


if __name__ == "__main__":
    sys.exit(main())
