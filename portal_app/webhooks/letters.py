"""The letter about a webhook that nobody answers."""

from portal_app.mail.letter import Letter
from portal_app.mail.links import absolute


def turned_off(address: str, why: str, days: int) -> Letter:
    """Tells who made it that the portal sends nothing there any more."""
    return Letter(
        subject="A webhook was turned off",
        paragraphs=(
            f"For {days} days no message could be delivered to {address}, so the portal turned this webhook off.",
            f"The last attempt ended like this: {why}",
            "Mend the address, turn the webhook on again, and send what was missed from its deliveries.",
        ),
        action=("Open API", absolute("/settings/api")),
        small=("You get this because you made this webhook, or because you are an administrator.",),
    )
