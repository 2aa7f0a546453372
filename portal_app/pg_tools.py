"""PostgreSQL's own tools for a copy of the whole database: processes of their own, the password never on their line."""

import os
import shutil
import subprocess
from pathlib import Path

from sqlalchemy.engine import URL, make_url

from portal_app.errors import Invalid
from portal_app.logs import without_secrets
from portal_app.settings import settings

DUMP, RESTORE = "pg_dump", "pg_restore"


def dump(target: Path) -> None:
    """Write the database as it is at this moment. Raises Invalid."""
    _run(DUMP, "--format=custom", "--no-owner", "--no-privileges", f"--file={target}")


def restore(source: Path) -> None:
    """Put a dump in the place of all tables, wholly or not at all. Raises Invalid."""
    options = ("--clean", "--if-exists", "--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error")
    _run(RESTORE, *options, str(source))


def check(source: Path) -> None:
    """Raise Invalid unless the file is a dump whose list of contents can be read."""
    _called([_path(RESTORE), "--list", str(source)], dict(os.environ))


def missing() -> list[str]:
    """Those of the tools that are not installed."""
    return [name for name in (DUMP, RESTORE) if shutil.which(name) is None]


def _path(name: str) -> str:
    if found := shutil.which(name):
        return found
    advice = "Install PostgreSQL's client tools (postgresql-client), not older than the server."
    raise Invalid(f"{name} is not installed. {advice}")


def _run(name: str, *options: str) -> None:
    url = make_url(settings().sqlalchemy_url)
    command = [_path(name), *options, f"--dbname={_address(url)}", "--no-password"]
    secret = {"PGPASSWORD": str(url.password)} if url.password else {}
    _called(command, os.environ | secret)


def _address(url: URL) -> str:
    """Without the password: others of the machine see what a process was started with."""
    bare = URL.create("postgresql", url.username, None, url.host, url.port, url.database, url.query)
    return bare.render_as_string()


def _called(command: list[str], environment: dict[str, str]) -> None:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["no reason was given."]
        raise Invalid(f"{Path(command[0]).name} failed: {without_secrets(said[-1])}")
