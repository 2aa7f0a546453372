"""Looks each minute at what is new, and queues the mails about it. Nobody else has to say that something happened."""

from collections.abc import Callable
from functools import partial
from threading import Event

from sqlmodel import Session

from portal_app import db
from portal_app.notifications import discovery, failures, radar, recoveries, summary
from portal_app.notifications.unseen import ENTITIES, RECOVERIES, RUNS, Unseen

# Between batches, so that whoever waits for the database gets a turn.
PAUSE_SECONDS = 0.05


def looks(stop: Event) -> list[Callable[[], object]]:
    """What looks for each kind of news, apart, so that a fault in one keeps no other from being told.

    Each ends early when `stop` is set: what is left is found by the next look.
    """
    rows = ((RUNS, failures.tell), (ENTITIES, discovery.tell), (RECOVERIES, recoveries.tell))
    return [*(partial(_in_batches, *one, stop) for one in rows), summary.tell_due, radar.tell_due]


def _in_batches(rows: Unseen, tell: Callable[[Session], int], stop: Event) -> None:
    # Whether there is any is asked first: an idle look waits for no writer.
    while not stop.is_set() and db.read(rows.is_any) and db.write(tell) >= rows.most:
        stop.wait(PAUSE_SECONDS)
