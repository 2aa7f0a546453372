"""The tabs over the pages of a customer's account: those that exist, in the order of the specification."""

from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.shell.navigation import ANYONE, NavLink, Place

_ACCESS = Permission.ACCOUNTS_ACCESS


def _tab(label: str, path: str, *any_of: Permission) -> Place:
    return Place(label, path, any_of=frozenset(any_of), kinds=ANYONE)


# Their addresses below `/accounts/{id}`. No price stands on any of them.
TABS = (
    _tab("Overview", "", _ACCESS),
    _tab("Backups", "/backups", _ACCESS),
    _tab("Restore", "/restore", Permission.DATA_RESTORE, Permission.DATA_EXPORT),
    _tab("Activity", "/activity", _ACCESS),
    _tab("User Management", "/users", Permission.CUSTOMER_USERS_MANAGE),
    _tab("Settings", "/settings", Permission.ACCOUNTS_CHANGE, Permission.ACCOUNTS_REMOVE),
)


def tabs_for(actor: Actor, account_id: int) -> list[NavLink]:
    """The tabs of the account that the actor may open. All of them are pages within: without access there are none."""
    if not actor.may(_ACCESS):
        return []
    root = f"/accounts/{account_id}"
    return [NavLink(label=tab.label, href=root + tab.href, icon="") for tab in TABS if tab.is_open_to(actor)]
