"""What is written to users about themselves."""

from portal_app.mail.letter import Letter
from portal_app.mail.links import absolute
from portal_app.settings import settings

_UNEXPECTED = "If you did not expect this, ask an administrator of your company."


def invitation(name: str, company: str, token: str, *, sets_password: bool) -> Letter:
    """Carries the link that confirms the address."""
    then = "choose your password" if sets_password else "confirm your address"
    return Letter(
        subject=f"Your access to {settings().brand_name}",
        paragraphs=(
            f"Hello {name},",
            f"{company} has given you access to {settings().brand_name}.",
            f"Open the link below to {then}. It works once, within the next 24 hours.",
        ),
        action=("Accept the invitation", absolute(f"/invitation?token={token}")),
        small=("If you don't know what this is about, you need not do anything: without the link nobody gets in.",),
    )


def access_changed(name: str, by: str, changes: str) -> Letter:
    """Says what the user may do from now on, or no more."""
    return Letter(
        subject="Your access was changed",
        paragraphs=(f"Hello {name},", f"{by} changed what you may do in {settings().brand_name}:", changes),
        small=(_UNEXPECTED,),
    )


def disabled(name: str, by: str) -> Letter:
    """Says that the user can't sign in any more."""
    return Letter(
        subject="Your access was turned off",
        paragraphs=(f"Hello {name},", f"{by} has turned off your access to {settings().brand_name}."),
        small=(_UNEXPECTED,),
    )


def enabled(name: str, by: str) -> Letter:
    """Says that the user can sign in again."""
    return Letter(
        subject="Your access is turned on again",
        paragraphs=(f"Hello {name},", f"{by} has turned on your access to {settings().brand_name} again."),
        action=("Sign in", absolute("/login")),
    )


def deleted(name: str, by: str) -> Letter:
    """Says that the user is no more."""
    return Letter(
        subject="Your access was removed",
        paragraphs=(f"Hello {name},", f"{by} has removed you from the users of {settings().brand_name}."),
        small=(_UNEXPECTED,),
    )
