"""How a sign-in at a provider may end without success, and what the sign-in page then says."""

from enum import StrEnum

from portal_app.oidc import providers


class Outcome(StrEnum):
    CANCELLED = "cancelled"
    DOWN = "down"
    LATE = "late"
    OFTEN = "often"
    REFUSED = "refused"


_SENTENCES = {
    Outcome.CANCELLED: "You are not signed in: {0} was left before it was done.",
    Outcome.DOWN: "Signing in with {0} doesn't work at the moment. Please try again in a few minutes.",
    Outcome.LATE: "That took too long, or was begun in another window. Please sign in again.",
    Outcome.OFTEN: "Too many attempts. Please wait a minute and try again.",
    Outcome.REFUSED: "This {0} account can't sign in here. Ask an administrator of your company to add you"
    " with {0} as the type and this very address.",
}


def sentence(key: str, outcome: str) -> str:
    """What to say for the two words in the sign-in page's address; empty when they mean nothing."""
    provider = providers.find(key)
    if provider is None or outcome not in list(Outcome):
        return ""
    return _SENTENCES[Outcome(outcome)].format(provider.label)
