"""The migrated databases that tests copy: SQLite's, or PostgreSQL's beside a Redis in the wide run."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from portal_app import db, migrations
from portal_app.api import throttle
from portal_app.auth import limiter
from portal_app.settings import reset_settings
from tests import postgres, redis

WIDE = os.environ.get("TEST_WIDE") == "1"
# Each test that asks for one of them runs once on each.
BOTH = (pytest.param("sqlite", marks=pytest.mark.sqlite), pytest.param("postgresql", marks=pytest.mark.postgres))
Environment = dict[str, str]


class Template(Protocol):
    """A database that is copied, never used itself."""

    def copy(self, folder: Path) -> Environment:
        """A database of its own for the portal with this data folder: the settings that lead to it."""
        ...

    def bare(self, folder: Path) -> Environment:
        """The same without any table."""
        ...

    def of(self, copied: Environment) -> "Template":
        """What has become of a copy, as a template: nobody may use it any more."""
        ...


class SqliteTemplate:
    def __init__(self, path: Path) -> None:
        self.path = path

    def copy(self, folder: Path) -> Environment:
        shutil.copy(self.path, folder / "portal.db")
        return self.bare(folder)

    def bare(self, folder: Path) -> Environment:
        return {"PORTAL_DATA_DIR": str(folder), "PORTAL_DATABASE_URL": "", "PORTAL_REDIS_URL": ""}

    def of(self, copied: Environment) -> "SqliteTemplate":
        return SqliteTemplate(Path(copied["PORTAL_DATA_DIR"]) / "portal.db")


class PostgresTemplate:
    """Needs nobody connected to it. With a Redis server each copy has a Redis without keys, too."""

    def __init__(self, server: str, name: str, redis_server: str = "") -> None:
        self.server, self.name, self.redis_server = server, name, redis_server

    def copy(self, folder: Path) -> Environment:
        return self._new(folder, self.name)

    def bare(self, folder: Path) -> Environment:
        return self._new(folder, "template1")

    def _new(self, folder: Path, template: str) -> Environment:
        url = postgres.create(self.server, template)
        other = redis.take(self.redis_server) if self.redis_server else ""
        return {"PORTAL_DATA_DIR": str(folder), "PORTAL_DATABASE_URL": url, "PORTAL_REDIS_URL": other}

    def of(self, copied: Environment) -> "PostgresTemplate":
        return PostgresTemplate(self.server, postgres.name_of(copied["PORTAL_DATABASE_URL"]), self.redis_server)


def enter(environment: Environment, patch: pytest.MonkeyPatch) -> Environment:
    """From now on `portal_app.db` of this process reaches this database."""
    forget()
    for name, value in environment.items():
        patch.setenv(name, value)
    return environment


def forget() -> None:
    """Settings, connections and counts of the database before."""
    limiter.reset_limits()
    throttle.reset()
    db.reset_engine()
    reset_settings()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if WIDE:
        for item in items:
            for mark in item.iter_markers("sqlite"):
                item.add_marker(pytest.mark.skip(mark.kwargs.get("reason", "the other half is PostgreSQL's")))


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A data folder of its own for every test: no test touches the developer's."""
    folder = tmp_path / "data"
    folder.mkdir()
    enter({"PORTAL_DATA_DIR": str(folder), "PORTAL_DATABASE_URL": "", "PORTAL_REDIS_URL": ""}, monkeypatch)
    yield folder
    forget()


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> SqliteTemplate:
    """The newest shape and no rows."""
    path = tmp_path_factory.mktemp("migrated") / "portal.db"
    target = db.make_engine(f"sqlite:///{path}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PORTAL_DATA_DIR", str(path.parent))
        reset_settings()
        migrations.upgrade(target)
    with target.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    target.dispose()
    reset_settings()
    return SqliteTemplate(path)


@pytest.fixture(scope="session")
def migrated_postgres(request: pytest.FixtureRequest, postgres_server: str) -> PostgresTemplate:
    """The newest shape and no rows."""
    url = postgres.create(postgres_server)
    target = db.make_engine(url)
    migrations.upgrade(target)
    target.dispose()
    redis_server = request.getfixturevalue("redis_server") if WIDE else ""
    return PostgresTemplate(postgres_server, postgres.name_of(url), redis_server)


@pytest.fixture(scope="session")
def migrated(request: pytest.FixtureRequest) -> Template:
    """What the tests run on."""
    return request.getfixturevalue("migrated_postgres" if WIDE else "migrated_sqlite")


@pytest.fixture
def database(data_dir: Path, migrated: Template, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The test's own migrated database, reached through portal_app.db; where SQLite keeps it."""
    yield from within(migrated, data_dir, monkeypatch)


def within(template: Template, folder: Path, patch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Enter a copy that goes with the test."""
    environment = enter(template.copy(folder), patch)
    yield folder / "portal.db"
    postgres.drop(environment["PORTAL_DATABASE_URL"])


@pytest.fixture(params=BOTH)
def store(request: pytest.FixtureRequest) -> Environment:
    """A migrated database of each kind; the settings by which another process reaches it, too."""
    return request.getfixturevalue(f"{request.param}_store")


@pytest.fixture
def sqlite_store(data_dir: Path, migrated_sqlite: SqliteTemplate, monkeypatch: pytest.MonkeyPatch) -> Environment:
    return enter(migrated_sqlite.copy(data_dir), monkeypatch)


@pytest.fixture
def postgresql_store(
    data_dir: Path, migrated_postgres: PostgresTemplate, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Environment]:
    """For what only row locks can show, too."""
    environment = enter(migrated_postgres.copy(data_dir), monkeypatch)
    yield environment
    postgres.drop(environment["PORTAL_DATABASE_URL"])
