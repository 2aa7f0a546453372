"""The mails about backups: who is called by name, what happened, and where to act on it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from portal_app.mail.letter import Letter
from portal_app.mail.links import absolute
from portal_app.mail.service import NewMail
from portal_app.models import DetailForm, Partner
from portal_app.notifications.rows import KINDS, GeneralForm, Reader, Recipient
from portal_app.times import moment

KIND = "notification"
SHOWN = 100
NAMES_SHOWN = 5
Item = tuple[str, str, str]
_WHY = "You get this because {partner} put this address on its list of recipients. The links ask you to sign in."
_FREQUENCIES = {"daily": "every day", "weekly": "every Monday", "monthly": "on the first of the month"}


@dataclass(frozen=True, slots=True)
class Thing:
    """A task, and where it is: what the items of a mail are about."""

    account_id: int
    account: str
    task_id: int
    task: str

    @property
    def name(self) -> str:
        return f"{self.account}: {self.task}"

    @property
    def address(self) -> str:
        return absolute(f"/accounts/{self.account_id}/tasks/{self.task_id}")


def mails(letter: Letter, partner: Partner, readers: Sequence[Reader], once: str) -> list[NewMail]:
    """The letter to each of the readers, who is called by name; `once` names what it tells of."""
    small = (*letter.small, f"Times are those of {partner.time_zone}.", _WHY.format(partner=partner.name))
    return [
        NewMail(
            one.email,
            replace(letter, paragraphs=(f"Hello {one.name},", *letter.paragraphs), small=small),
            KIND,
            partner.id,
            f"{once}:{one.id}",
        )
        for one in readers
    ]


def shortened(items: Sequence[Item]) -> tuple[Item, ...]:
    """As many as a mail can show, and how many more there are."""
    more = len(items) - SHOWN
    return tuple(items[:SHOWN]) + ((("", "", f"and {more:,} more"),) if more > 0 else ())


def names(found: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    more = len(found) - NAMES_SHOWN
    return ", ".join(found[:NAMES_SHOWN]) + (f" and {more:,} more" if more > 0 else "")


def count(number: int, one: str, several: str = "") -> str:
    """Such as "1 backup" and "1,200 backups"."""
    return f"{number:,} {one if number == 1 else several or one + 's'}"


def test(to: Recipient, general: GeneralForm, partner: Partner, who: str) -> Letter:
    """Shows a recipient that mail arrives, and what will come."""
    comes = ", ".join(KINDS[kind] for kind in to.kinds)
    content = "all backups" if general.content == "full" else "exceptions only"
    detail = "attached as a CSV file" if general.detail == DetailForm.ATTACHMENT else "behind a link to a CSV file"
    summary = f"The summary comes {_FREQUENCIES[general.frequency]}, with {content}; the details are {detail}."
    return Letter(
        subject=f"Test notification of {partner.name}",
        paragraphs=(
            f"Hello {to.name},",
            f"{who} sent this test. Notifications to this address arrive.",
            f"You get: {comes}.",
            *((summary,) if "summary" in to.kinds else ()),
        ),
        action=("Open Notifications", absolute("/settings/notifications")),
        small=(_WHY.format(partner=partner.name),),
    )


def at(instant: datetime | None, partner: Partner) -> str:
    """The instant as the partner's people read it."""
    return moment(instant, partner.time_zone)["text"]
