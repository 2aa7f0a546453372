"""What a server process does when it is told to stop, before it closes its connections."""

from collections.abc import Awaitable, Callable

first: list[Callable[[], Awaitable[None]]] = []
