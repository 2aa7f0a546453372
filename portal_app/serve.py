"""Starts the server: database up to date, pages built, everything on one port."""

import os
import sys

from portal_app import build, crypto, db, listening, locks, logs, migrations, supervisor
from portal_app.accounts.data_centers import ensure_data_centers
from portal_app.demo.service import ensure_demo
from portal_app.errors import PortalError
from portal_app.settings import settings, unknown_names


def main() -> None:
    """Serve until interrupted."""
    if unknown := unknown_names():
        raise SystemExit(f"No such setting: {', '.join(unknown)}. README lists them all.")
    logs.begin()
    os.umask(0o077)
    try:
        with locks.serving():
            _prepare()
            _say_where()
            if settings().processes > 1:
                supervisor.supervise()
            else:
                listening.serve()
    except PortalError as refusal:
        raise SystemExit(refusal.sentence) from None


def _prepare() -> None:
    crypto.current_key()
    migrations.upgrade()
    db.write(ensure_data_centers)
    ensure_demo()
    build.ensure_built()
    # Internal switches of Reflex 0.10.1, held by a test: serve the built pages without compiling them again.
    os.environ |= {
        "__REFLEX_SKIP_COMPILE": "true",
        "__REFLEX_MOUNT_FRONTEND_COMPILED_APP": "true",
        "REFLEX_ENV_MODE": "prod",
        "REFLEX_TELEMETRY_ENABLED": "false",
    }


def _say_where() -> None:
    host = settings().host
    shown = "localhost" if host in {"127.0.0.1", "0.0.0.0", "::"} else host  # noqa: S104 (compared, not bound)
    print(f"The portal is at http://{shown}:{settings().port}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
