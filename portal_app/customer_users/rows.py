"""All that a page may see of a customer's users, and what its form sends."""

from dataclasses import dataclass

from portal_app.auth.permissions import CUSTOMER_GRANTS

# What a customer's user may be granted, in the order of the words.
GRANTS = sorted(CUSTOMER_GRANTS, key=lambda permission: permission.label)


@dataclass(frozen=True, slots=True)
class UserForm:
    """A customer's user as the form has them. Without `permissions` they stay as they are; `email` is a new user's."""

    name: str = ""
    permissions: tuple[str, ...] | None = None
    email: str = ""
