"""The words of tickets: topics, urgencies and states as pages and mails say them."""

from portal_app.models import TicketState, TicketTopic, TicketUrgency

TOPICS = {
    TicketTopic.BACKUPS: "Backups and restores",
    TicketTopic.BILLING: "Billing",
    TicketTopic.CHANGE: "Change of settings",
    TicketTopic.USERS: "Users and sign-in",
    TicketTopic.OTHER: "Something else",
}
# Each with its colour. `open`: the provider is asked; `answered`: the partner is.
STATES = {
    TicketState.OPEN: ("Open", "orange"),
    TicketState.ANSWERED: ("Answered", "green"),
    TicketState.CLOSED: ("Closed", "grey"),
}
URGENCIES = {
    TicketUrgency.URGENT: ("Urgent", "red"),
    TicketUrgency.NORMAL: ("Normal", "grey"),
    TicketUrgency.LOW: ("Low", "grey"),
}
_WAITING = {TicketState.OPEN: 0, TicketState.ANSWERED: 10, TicketState.CLOSED: 20}


def queue_place(state: str, urgency: str) -> int:
    """Where a ticket stands in the operators' queue: open ones first, each by urgency."""
    return _WAITING[TicketState(state)] + list(URGENCIES).index(TicketUrgency(urgency))
