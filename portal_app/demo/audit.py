"""The audit of the demo partner's last year."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any

from portal_app.audit.tags import Activity
from portal_app.models import Account, User, UserKind

DAYS = 365
BROWSERS = ("Firefox on Windows", "Chrome on macOS", "Safari on iPhone")
SETTINGS = ("Default subscription type changed", "Time zone changed", "Notification recipient added")


def audit_rows(
    partner_id: int | None, users: Sequence[User], accounts: Sequence[Account], now: datetime, chooser: Random
) -> list[dict[str, Any]]:
    """Rows of audit_event, oldest first: a few a day by the partner's own people."""
    people = [user for user in users if user.kind == UserKind.PARTNER and user.partner_id == partner_id]
    rows = []
    for ago in range(DAYS, 0, -1):
        moment = now - timedelta(days=ago)
        for _ in range(chooser.randint(1, 4)):
            moment += timedelta(minutes=chooser.randint(5, 120))
            rows.extend(_visit(partner_id, chooser.choice(people), chooser.choice(accounts), moment, chooser))
    return rows


def _visit(
    partner_id: int | None, user: User, account: Account, moment: datetime, chooser: Random
) -> list[dict[str, Any]]:
    """A sign-in, right or wrong, and something done after it."""
    signed_in = chooser.random() > 0.08
    browser = chooser.choice(BROWSERS)
    rows = [
        _row(
            partner_id,
            user,
            Activity.SIGN_IN,
            f"With a password, {browser}",
            moment=moment,
            browser=browser,
            completed=signed_in,
        )
    ]
    if not signed_in:
        return rows
    moment += timedelta(minutes=2)
    if chooser.random() < 0.8:
        done = _row(partner_id, user, Activity.ACCOUNT_ACCESSED, "Account opened", moment=moment, browser=browser)
        return [*rows, done | {"account_id": account.id, "account_name": account.name}]
    activity = chooser.choice((Activity.SETTINGS_CHANGED, Activity.USER_MANAGEMENT))
    what = chooser.choice(SETTINGS) if activity == Activity.SETTINGS_CHANGED else "User changed: limited@demo.example"
    return [*rows, _row(partner_id, user, activity, what, moment=moment, browser=browser)]


def _row(
    partner_id: int | None,
    user: User,
    activity: Activity,
    description: str,
    *,
    moment: datetime,
    browser: str,
    completed: bool = True,
) -> dict[str, Any]:
    return {
        "partner_id": partner_id,
        "account_id": None,
        "account_name": "",
        "user_id": user.id,
        "performed_by": user.email,
        "activity": activity,
        "completed": completed,
        "description": description,
        "address": "192.0.2.10",
        "browser": browser,
        "made_at": moment,
    }
