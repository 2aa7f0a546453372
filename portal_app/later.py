"""Packages that most processes never use: loaded at the first use, not at the start.

Each takes megabytes and a tenth of a second. So they are used in threads alone: on the event loop, everybody would wait
for the first use.
"""

from importlib import import_module
from importlib.util import find_spec
from typing import Any


class Later:
    """Stands for a module. Loading takes the lock that every import takes, so threads may come at once."""

    def __init__(self, name: str) -> None:
        if find_spec(name.partition(".")[0]) is None:
            raise ModuleNotFoundError(name)
        self._name = name

    def __getattr__(self, name: str) -> Any:
        return getattr(import_module(self._name), name)
