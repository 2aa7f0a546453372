"""What all tests share: servers, and a data folder and a database of its own per test."""

import gc

pytest_plugins = ["tests.postgres", "tests.redis", "tests.stores"]


def pytest_configure() -> None:
    # What is collected stays to the end: looking for garbage in it took half of the collection, a fifth of the tests.
    gc.disable()


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()
    gc.enable()
