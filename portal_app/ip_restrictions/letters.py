"""The letter about a change of the IP restrictions."""

from collections.abc import Sequence

from portal_app.ip_restrictions.rows import Entry
from portal_app.mail.letter import Letter
from portal_app.mail.links import absolute

SHOWN = 20


def changed(partner: str, who: str, what: str, is_on: bool, entries: Sequence[Entry]) -> Letter:
    """Tells an administrator who changed what, and what holds now."""
    now = (
        "People of your company can use the portal only from the trusted IP addresses."
        if is_on
        else "IP restrictions are off: people of your company can use the portal from any address."
    )
    more = len(entries) - SHOWN
    return Letter(
        subject=f"IP restrictions of {partner} were changed",
        paragraphs=(
            f"{who} changed the IP restrictions of {partner}: {what}.",
            now,
            "The trusted addresses:" if entries else "No address is on the list.",
        ),
        items=tuple(map(_item, entries[:SHOWN])) + ((("", "", f"and {more} more"),) if more > 0 else ()),
        action=("Open IP Restrictions", absolute("/settings/ip-restrictions")),
        small=("You get this because you are an administrator. If this surprises you, talk to your colleagues.",),
    )


def _item(entry: Entry) -> tuple[str, str, str]:
    return (entry.description, "", entry.addresses) if entry.description else (entry.addresses, "", "")
