"""The letters about a person's own password and second factor."""

from portal_app.brand import brand
from portal_app.mail.letter import Letter
from portal_app.mail.links import absolute

_SURPRISED = "If it was not you, reset your password at once and tell your administrator."


def reset(token: str) -> Letter:
    """The link with which a forgotten password is replaced."""
    return Letter(
        subject="Choose a new password",
        paragraphs=(
            f"Somebody, probably you, asked for a new password at the {brand().product} of {brand().name}.",
            "The button below works once, and for one hour.",
        ),
        action=("Choose a new password", absolute(f"/reset?token={token}")),
        small=("If you did not ask for it, do nothing: your password stays as it is.",),
    )


def password_changed(where: str) -> Letter:
    """Tells that the password was replaced."""
    return Letter(
        subject="Your password was changed",
        paragraphs=(
            f"The password of your user at the {brand().product} was changed with {where}.",
            "Every other browser was signed out.",
        ),
        small=(_SURPRISED,),
    )


def second_factor_changed(what: str, where: str) -> Letter:
    """Tells that something about the second factor is other than before."""
    return Letter(
        subject=what,
        paragraphs=(f"{what} for your user at the {brand().product}, with {where}.", "Other browsers were signed out."),
        action=("Open Security", absolute("/settings/security")),
        small=(_SURPRISED,),
    )


def recovery_code_used(left: int, where: str) -> Letter:
    """Tells that somebody came in with a recovery code."""
    return Letter(
        subject="A recovery code was used",
        paragraphs=(
            f"Somebody signed in as you with {where}, with a recovery code in the place of the second factor.",
            f"Unused codes left: {left}. You can make new ones under Security.",
        ),
        action=("Open Security", absolute("/settings/security")),
        small=(_SURPRISED,),
    )
