"""Tells all processes over Redis that something was written, so that who watches looks at once.

A hint may be lost: whoever watches looks once a second anyway.
"""

import threading
import time
from contextlib import suppress
from functools import cache

from redis import Redis, RedisError

from portal_app.settings import settings

CHANNEL = "portal_written"
# Many changes in a row are told of once.
SECONDS_BETWEEN = 0.05


def written() -> None:
    """Say that a transaction is committed. Waits for nothing."""
    if url := settings().redis_url:
        _teller(url).set()


@cache
def _teller(url: str) -> threading.Event:
    told = threading.Event()
    client = Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1)
    threading.Thread(target=_tell, args=(client, told), daemon=True).start()
    return told


def _tell(client: Redis, told: threading.Event) -> None:
    while told.wait():
        told.clear()
        with suppress(RedisError):
            client.publish(CHANNEL, "")
        time.sleep(SECONDS_BETWEEN)
