"""`python -m portal_app.sandbox_processor --port 4000`: the sandbox alone."""

import argparse
import contextlib
import os

from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server import Server

from portal_app.settings import settings


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m portal_app.sandbox_processor", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="the port to listen on, on this machine only")
    given = parser.parse_args()
    if not settings().sandbox_secret:
        raise SystemExit("PORTAL_SANDBOX_SECRET: set it, to the same as for the portal.")
    os.umask(0o077)
    target = "portal_app.sandbox_processor.alone:app"
    server = Server(target, port=given.port, interface=Interfaces.ASGI, log_level=LogLevels.warning)
    with contextlib.suppress(KeyboardInterrupt):
        server.serve()


if __name__ == "__main__":
    main()
