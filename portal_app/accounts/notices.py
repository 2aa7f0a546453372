"""What the trial recipients are told, each once for an account; one mail for all accounts of a run (spec 4.4)."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum

from sqlmodel import Session, col, select

from portal_app.mail.letter import Letter
from portal_app.mail.links import absolute
from portal_app.mail.service import NewMail, queue_all
from portal_app.models import Account, Partner, Role, User, UserKind, UserState
from portal_app.notifications import repository as notifications
from portal_app.times import moment

GRACE = timedelta(days=7)
KIND = "trial"
_PLANS = {"monthly": "monthly", "annual": "annually"}


class Notice(StrEnum):
    """What happens to a trial."""

    FIVE_DAYS = "five_days_left"
    ONE_DAY = "one_day_left"
    ENDED = "trial_ended"
    SUBSCRIBED = "trial_subscribed"
    DELETION = "one_day_before_deletion"


# Of each: what one account's and several accounts' mail is about, what to do, and the remark beside an account.
_SOON = (
    "Subscribe the customers that want to stay. A trial that is not subscribed when it ends expires; "
    f"{GRACE.days} days later it is deleted with its backups."
)
_WORDS = {
    Notice.FIVE_DAYS: ("The trial of {name} ends soon", "{count} trials end soon", _SOON),
    Notice.ONE_DAY: ("The trial of {name} ends within a day", "{count} trials end within a day", _SOON),
    Notice.ENDED: (
        "The trial of {name} has ended",
        "{count} trials have ended",
        f"You can still subscribe within {GRACE.days} days of the trial's end. After that the account is deleted "
        "with its backups.",
    ),
    Notice.SUBSCRIBED: (
        "{name} is now subscribed",
        "{count} accounts are now subscribed",
        "The trial has ended, and the subscription chosen for this case has begun. There is nothing to do.",
    ),
    Notice.DELETION: (
        "{name} will be deleted tomorrow",
        "{count} accounts will be deleted tomorrow",
        "The trial ended and was not subscribed. Subscribe now to keep the account; otherwise it is deleted with its "
        "backups, and nobody can bring them back.",
    ),
}


def letter_of(notice: Notice, accounts: list[Account], time_zone: str) -> Letter:
    """The letter about accounts that the same happens to; instants in the reader's zone."""
    one, several, what_to_do = _WORDS[notice]
    return Letter(
        subject=one.format(name=accounts[0].name) if len(accounts) == 1 else several.format(count=f"{len(accounts):,}"),
        paragraphs=(what_to_do,),
        items=tuple((one.name, absolute(f"/accounts/{one.id}"), _remark(notice, one, time_zone)) for one in accounts),
        action=("Open the dashboard", absolute("/")),
        small=(f"Times are those of {time_zone}.",),
    )


def tell(session: Session, notices: Iterable[tuple[Notice, Account]]) -> None:
    """Queue the letters in the caller's transaction: one for each partner, notice and trial recipient.

    Of a partner without such recipients each administrator gets one.
    """
    groups: dict[tuple[int, Notice], list[Account]] = defaultdict(list)
    for notice, account in notices:
        groups[account.partner_id, notice].append(account)
    zones, administrators = readers_of(session, {partner_id for partner_id, _ in groups})
    recipients = notifications.readers(session, "trials", zones.keys())
    mails: list[NewMail] = []
    for (partner_id, notice), accounts in groups.items():
        if partner_id in zones:
            letter = letter_of(notice, accounts, zones[partner_id])
            named = [(one.email, _to(one.name, letter)) for one in recipients.get(partner_id, ())]
            for email, own in named or [(email, letter) for email in administrators[partner_id]]:
                mails.append(NewMail(email, own, KIND, partner_id))
    queue_all(session, mails)


def _to(name: str, letter: Letter) -> Letter:
    return replace(letter, paragraphs=(f"Hello {name},", *letter.paragraphs))


def readers_of(session: Session, partner_ids: set[int]) -> tuple[dict[int, str], dict[int, list[str]]]:
    """The time zone of each partner, and the addresses of its administrators, by partner."""
    zones: dict[int, str] = {}
    readers: dict[int, list[str]] = defaultdict(list)
    administrators = (User.kind == UserKind.PARTNER, User.role == Role.ADMINISTRATOR, User.state == UserState.ACTIVE)
    query = select(User.partner_id, User.email, Partner.time_zone).join(Partner, col(Partner.id) == User.partner_id)
    for partner_id, email, time_zone in session.exec(
        query.where(col(User.partner_id).in_(partner_ids), *administrators).order_by(col(User.id))
    ):
        zones[partner_id] = time_zone
        readers[partner_id].append(email)
    return zones, readers


def _remark(notice: Notice, account: Account, time_zone: str) -> str:
    ends_at, plan = account.trial_ends_at, _PLANS.get(account.auto_subscribe or "", "")
    ends = moment(ends_at, time_zone)["text"]
    if notice == Notice.SUBSCRIBED:
        return f"Subscribed {plan} since {moment(account.subscribed_at, time_zone)['text']}"
    if notice == Notice.DELETION:
        return f"Ended {ends}, will be deleted {moment(account.next_step_at, time_zone)['text']}"
    if notice == Notice.ENDED:
        until = moment(ends_at + GRACE if ends_at else None, time_zone)["text"]
        return f"Ended {ends}, can be subscribed until {until}"
    return f"Ends {ends}" + (f", then subscribed {plan}" if account.auto_subscribe else "")
