"""What is written about an account whose address changed, or which was removed. No price is in any of it."""

from portal_app.mail.letter import Letter
from portal_app.mail.links import absolute


def email_changed(name: str, new: str, by: str) -> Letter:
    """Goes to the address that the account had."""
    return Letter(
        subject=f"The address of {name} was changed",
        paragraphs=(f"{by} changed the email address of the backup account {name}.", f"It is {new} from now on."),
        small=("If you did not expect this, write to the company that looks after your backups.",),
    )


def removed_for_partner(name: str, email: str, by: str, account_id: int) -> Letter:
    """Goes to the administrators of the partner."""
    return Letter(
        subject=f"The account {name} was removed",
        paragraphs=(
            f"{by} removed the backup account {name} ({email}).",
            "Its subscription has ended, its users are signed out, and all its stored data is being deleted.",
            "Its bills stay where they were.",
        ),
        action=("Follow the deletion", absolute(f"/accounts/{account_id}/removed")),
    )


def removed_for_customer(name: str, by: str) -> Letter:
    """Goes to the account's own address and to its users."""
    return Letter(
        subject=f"The account {name} was removed",
        paragraphs=(
            f"{by} removed the backup account {name}.",
            "Nobody can sign in to it any more, and all its stored data is being deleted for good.",
        ),
        small=("If you did not expect this, write to the company that looked after your backups.",),
    )
