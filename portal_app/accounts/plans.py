"""The subscription types as people choose them: how an account begins, and then monthly or annual (spec 4.3)."""

from portal_app.models import SubscriptionType

KINDS = (
    ("trial", "Trial with expiration"),
    ("trial_auto", "Trial with auto-subscription"),
    ("auto", "Auto-subscription without trial"),
)


def split(subscription: str) -> tuple[str, str]:
    """The two choices for a subscription type."""
    plan = "annual" if subscription.endswith("annual") else "monthly"
    if subscription == SubscriptionType.TRIAL:
        return "trial", plan
    return ("trial_auto" if subscription.startswith("trial") else "auto"), plan


def joined(kind: str, plan: str) -> str:
    """The subscription type of the two choices."""
    return {"trial": "trial", "trial_auto": f"trial_{plan}", "auto": plan}[kind]
