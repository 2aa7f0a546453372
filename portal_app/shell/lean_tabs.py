"""What an open tab takes of the server's memory, where most of it held nothing.

Internals of Reflex 0.10.1; tests/running/test_lean_tabs.py holds them.
"""

from typing import Any

from reflex.state import BaseState

_bookkeeping = BaseState._init_bookkeeping


def use() -> None:
    """Have tabs of this process take less."""
    BaseState._init_bookkeeping = _init_bookkeeping


def _init_bookkeeping(self: BaseState, parent_state: BaseState | None = None) -> None:
    _bookkeeping(self, parent_state)
    if not self.get_substates():
        # Nearly all of a tab's states have no states below them: one empty set does for all.
        self.dirty_substates = _NONE


_NONE: Any = frozenset()
