"""A process beside another one ends with it, however that ends."""

import os
import threading
from collections.abc import Callable


def at_end(do: Callable[[], object]) -> None:
    """Call `do` when the process at the other end of the standard input is gone."""
    threading.Thread(target=_wait, args=(do,), daemon=True).start()


def _wait(do: Callable[[], object]) -> None:
    # Not through sys.stdin: its lock, held while we wait, would break the end of the process.
    while os.read(0, 4096):
        pass
    do()
