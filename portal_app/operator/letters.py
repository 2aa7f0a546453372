"""What is written to partners and customers about what an operator did."""

from portal_app.mail.letter import Letter
from portal_app.mail.links import absolute
from portal_app.settings import settings


def suspended(partner: str, reason: str) -> Letter:
    """Tells a partner's administrators that nobody of theirs comes in any more."""
    return Letter(
        subject=f"{partner}: access was suspended",
        paragraphs=(
            f"The provider has suspended the access of {partner} to {settings().brand_name}. "
            "Your people can't sign in, and API tokens and webhooks do nothing.",
            f"Reason: {reason}",
            "Your customers still reach their own accounts, and their scheduled backups go on. Bills go on, too.",
        ),
        small=(_questions(),),
    )


def reactivated(partner: str, reason: str) -> Letter:
    """Tells a partner's administrators that they may come in again."""
    return Letter(
        subject=f"{partner}: access is restored",
        paragraphs=(
            f"The provider has restored the access of {partner} to {settings().brand_name}. Everybody signs in anew.",
            f"Reason: {reason}",
        ),
        action=("Sign in", absolute("/login")),
        small=(_questions(),),
    )


def taken_from_partner(account: str, email: str, reason: str) -> Letter:
    """Tells a partner's administrators that they can't open an account any more."""
    return Letter(
        subject=f"{account}: your access was taken away",
        paragraphs=(
            f"The provider has taken away your access to the account {account} ({email}). "
            "Only the customer's own users can open it from now on.",
            f"Reason: {reason}",
            "The account stays on your dashboard, and its bills stay yours.",
        ),
        small=(_questions(),),
    )


def given_to_partner(account: str, email: str, reason: str) -> Letter:
    """Tells a partner's administrators that they can open an account again."""
    return Letter(
        subject=f"{account}: your access is restored",
        paragraphs=(
            f"The provider has given back your access to the account {account} ({email}).",
            f"Reason: {reason}",
        ),
        action=("Open the dashboard", absolute("/")),
        small=(_questions(),),
    )


def taken_for_customer(account: str, partner: str) -> Letter:
    """Tells a customer that its partner can't open the account any more."""
    return Letter(
        subject=f"{account}: only you can open it now",
        paragraphs=(
            f"{partner} can no longer open your backup account {account}. Only your own users can, from now on.",
            "Your backups go on as before.",
        ),
        action=("Open the account", absolute("/login")),
        small=(_questions(),),
    )


def given_for_customer(account: str, partner: str) -> Letter:
    """Tells a customer that its partner can open the account again."""
    return Letter(
        subject=f"{account}: {partner} can open it again",
        paragraphs=(f"{partner} can open your backup account {account} again, as it could before.",),
        action=("Open the account", absolute("/login")),
        small=(_questions(),),
    )


def _questions() -> str:
    return f"Questions? Write to {settings().support_email}."
