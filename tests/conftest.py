"""What all tests share: servers, and a data folder and a database of its own per test."""

pytest_plugins = ["tests.postgres", "tests.redis", "tests.stores"]
