"""`/accounts/{id}/backups`."""

import reflex as rx

from portal_app.backups.backups_components import delete_dialog, tasks_table
from portal_app.backups.backups_state import BackupsState as State
from portal_app.shell.account_frame import account_page


@account_page("/backups", "Backups", load=State.load, help_topic="backups")
def backups() -> rx.Component:
    """The account's backup tasks."""
    return rx.fragment(tasks_table(), delete_dialog())
