"""What the pages of one ticket share, the partner's and the operators'."""

import reflex as rx

from portal_app.auth.actor import Actor
from portal_app.errors import Conflict, NotFound, PortalError
from portal_app.tickets.lines import NEW_MESSAGE, MessageLine


class TalkState(rx.State, mixin=True):
    """For a state whose `_show` reads the ticket anew."""

    missing: bool = False
    messages: list[MessageLine] = []
    news: str = ""

    async def _show(self, actor: Actor) -> None:
        raise NotImplementedError

    async def _refresh(self, actor: Actor) -> None:
        before = len(self.messages)
        try:
            await self._show(actor)
        except NotFound:
            self.missing = True
            return
        if len(self.messages) > before:
            self.news = NEW_MESSAGE

    async def _look_after(self, refusal: PortalError, actor: Actor) -> None:
        if isinstance(refusal, NotFound):
            self.missing = True
        elif isinstance(refusal, Conflict):
            # What happened meanwhile stands above the form now; what was typed is still in it.
            await self._show(actor)
