"""The letter that asks the provider for another default storage location."""

from portal_app.auth.actor import Actor
from portal_app.mail.letter import Letter
from portal_app.models import Partner


def location_wanted(partner: Partner, actor: Actor, now: str, wanted: str, why: str) -> Letter:
    """Who asks, for what and why; the provider answers to them by mail."""
    return Letter(
        subject=f"{partner.code}: another default storage location",
        paragraphs=(
            f"{actor.name} ({actor.email}) of {partner.name}, partner ID {partner.code}, asks for another default "
            "storage location for new accounts.",
            f"Now: {now}. Wanted: {wanted}.",
            f"Why: {why}",
        ),
        small=(f"The answer is expected at {actor.email}.",),
    )
