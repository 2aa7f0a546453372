"""`/settings/users`."""

import reflex as rx

from portal_app.shell.layout import settings_page
from portal_app.ui.user_acts import act_dialog
from portal_app.users.components import users_table
from portal_app.users.query import PATH
from portal_app.users.state import UsersState


@settings_page(PATH, "User Management", load=UsersState.load, help_topic="users")
def users() -> rx.Component:
    """The partner's own people."""
    return rx.fragment(users_table(), act_dialog(UsersState))
