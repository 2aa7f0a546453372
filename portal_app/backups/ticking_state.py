"""What is ticked in a list of tasks or entities: lines of the page that is shown."""

from typing import Any

import reflex as rx

from portal_app.auth import guard
from portal_app.auth.permissions import Permission


class TickedLines(rx.State, mixin=True):
    """For a state whose `lines` have an id."""

    ticked: list[int] = []

    @rx.event
    @guard.requires(Permission.TASKS_MANAGE)
    async def tick(self, line_id: int, ticked: bool):
        """Tick or untick one line."""
        rest = [other for other in self.ticked if other != line_id]
        self.ticked = [*rest, line_id] if ticked and line_id in _ids(self) else rest

    @rx.event
    @guard.requires(Permission.TASKS_MANAGE)
    async def tick_page(self, ticked: bool):
        """Tick or untick all lines of this page."""
        self.ticked = _ids(self) if ticked else []

    @rx.event
    @guard.requires(Permission.TASKS_MANAGE)
    async def untick(self):
        """Clear the selection."""
        self.ticked = []


def _ids(state: Any) -> list[int]:
    return [line["id"] for line in state.lines]
