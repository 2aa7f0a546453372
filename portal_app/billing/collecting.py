"""What is done about money by itself, each minute and for each day that is caught up with."""

from collections.abc import Callable
from datetime import datetime

from portal_app import db
from portal_app.billing import dunning, payments


def run(now: datetime, keep_on: Callable[[], bool] = lambda: True) -> None:
    """Write reminders, charge the cards that are due, ask for what is unknown. Needs no transaction around it."""
    if db.read(dunning.letters_of, now):
        db.write(dunning.send_letters, now)
    payments.look_up_unknown(now, keep_on)
    payments.charge_due(now, keep_on)
