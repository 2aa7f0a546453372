"""`/accounts/{id}/tasks/{task_id}`."""

import reflex as rx

from portal_app.backups.task_components import entities, head, log_dialog, runs
from portal_app.backups.task_state import TaskState as State
from portal_app.shell.account_frame import account_page
from portal_app.shell.account_state import AccountFrameState as Frame
from portal_app.ui import empty_state, link_button


@account_page("/tasks/[task_id]", "Backup task", load=State.load, help_topic="task", heading=False)
def task() -> rx.Component:
    """A task: its facts, its entities, its runs."""
    gone = empty_state(
        "search-x",
        "There is no such backup task",
        "It may have been deleted. The list shows those that are there.",
        link_button("Show all backup tasks", href="/accounts/" + Frame.account_id.to_string() + "/backups"),
    )
    return rx.cond(State.missing, gone, rx.fragment(head(), entities(), runs(), log_dialog()))
