"""Two processes over one PostgreSQL and one Redis, started once for all tests of this folder."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from portal_app import db, migrations
from portal_app.settings import reset_settings
from tests import restartable
from tests.cast import Cast, make_cast
from tests.farm import Farm, farm, use
from tests.security.pipeline import ROOT

_MOVED_AWAY = (
    "UPDATE partner SET code = 'OLD' || lpad(id::text, 5, '0')",
    "UPDATE portal_user SET email = id || '@before.example', email_key = id || '@before.example'",
    "UPDATE account SET email = id || '@before.example', email_key = id || '@before.example'",
)


@dataclass(frozen=True)
class Place:
    """Where a tab connects."""

    port: int


@dataclass(frozen=True)
class Wide:
    """Processes A and B and what they share."""

    farm: Farm
    postgres: restartable.Postgres
    redis: restartable.Redis

    @property
    def a(self) -> Place:
        return Place(self.farm.ports[0])

    @property
    def b(self) -> Place:
        return Place(self.farm.ports[1])


def boot(path: str = "/") -> dict[str, Any]:
    """What a page sends while it connects."""
    where = {"pathname": path, "asPath": path, "query": {}}
    return {"event": {"name": f"{ROOT}.hydrate_and_load", "payload": {}, "router_data": where}}


@pytest.fixture(scope="package")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wide]:
    folder = tmp_path_factory.mktemp("wide")
    with restartable.both(folder) as (postgres, redis):
        with use(postgres.url, folder):
            migrations.upgrade()
        with farm(folder, 2, database_url=postgres.url, redis_url=redis.url) as servers:
            yield Wide(servers, postgres, redis)


@pytest.fixture(autouse=True)
def shared(wide: Wide, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test does through portal_app.db, both processes see."""
    monkeypatch.setenv("PORTAL_DATA_DIR", str(wide.farm.folder))
    monkeypatch.setenv("PORTAL_DATABASE_URL", wide.postgres.url)
    reset_settings()
    db.reset_engine()


@pytest.fixture
def cast(wide: Wide) -> Cast:
    """Everybody. Those of the test before are still there, under other names."""
    with db.engine().begin() as connection:
        for statement in _MOVED_AWAY:
            connection.exec_driver_sql(statement)
    return db.write(make_cast)
