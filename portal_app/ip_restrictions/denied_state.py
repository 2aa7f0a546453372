"""The state of the access-denied page."""

import reflex as rx

from portal_app.auth import guard
from portal_app.shell.navigation import home_of


class AccessDeniedState(rx.State):
    """Where the visitor comes from."""

    address: str = ""

    @rx.event
    @guard.public("says to the visitor where they come from, and nothing else")
    async def load(self):
        """Show the address; whom nothing keeps out goes on."""
        actor = guard.actor()
        self.address = actor.origin.address or "an unknown address"
        return rx.redirect(home_of(actor), replace=True) if actor.signed_in else None
