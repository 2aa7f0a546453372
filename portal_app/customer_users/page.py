"""`/accounts/{id}/users`."""

import reflex as rx

from portal_app.customer_users.components import editor, users_table
from portal_app.customer_users.state import CustomerUsersState as State
from portal_app.shell.account_frame import account_page
from portal_app.ui.user_acts import act_dialog


@account_page("/users", "User Management", load=State.load, help_topic="customer-users")
def customer_users() -> rx.Component:
    """The people at the customer who help with its backups."""
    return rx.fragment(users_table(), act_dialog(State), editor())
