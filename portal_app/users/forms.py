"""What the editor sends, and its checks that need no database."""

from dataclasses import dataclass, replace

from portal_app.auth import passwords
from portal_app.errors import Invalid
from portal_app.models import Role, SignInType
from portal_app.text import clean, email_fault, name_fault
from portal_app.users.rows import Change
from portal_app.users.words import Snapshot


@dataclass(frozen=True, slots=True)
class Wanted:
    """A user as the form has them. `changes` are the accounts ticked and unticked since they were read."""

    email: str = ""
    name: str = ""
    type: str = SignInType.EMAIL
    by_invitation: bool = True
    password: str = ""
    retype: str = ""
    role: str = Role.CUSTOM
    permissions: tuple[str, ...] = ()
    all_accounts: bool = True
    changes: tuple[Change, ...] = ()

    @property
    def has_password(self) -> bool:
        """Whether the administrator chooses the first password."""
        return self.type == SignInType.EMAIL and not self.by_invitation

    def cleaned(self) -> "Wanted":
        return replace(self, email=clean(self.email), name=clean(self.name))

    def differs(self, from_: Snapshot) -> bool:
        """Whether anything but the name is other than it was."""
        same_rights = self.role == Role.ADMINISTRATOR or set(self.permissions) == set(from_.permissions)
        mine = (self.email, self.type, self.role, self.all_accounts)
        return mine != (from_.email, from_.type, from_.role, from_.all_accounts) or not same_rights

    def __repr__(self) -> str:
        return f"Wanted({self.email!r})"


def check(wanted: Wanted, *, is_new: bool) -> None:
    """Raise Invalid with a sentence for each field that can't be taken."""
    faults = {
        "email": email_fault(wanted.email),
        "name": name_fault(wanted.name, "a name"),
        "type": "" if wanted.type in list(SignInType) else "Choose how the user signs in.",
        "role": "" if wanted.role in list(Role) else "Choose a role.",
    }
    if is_new and wanted.has_password:
        faults["password"] = passwords.fault_of(wanted.password, wanted.email, wanted.name)
        faults["retype"] = "" if wanted.retype == wanted.password else "The two passwords are not the same."
    if found := {name: sentence for name, sentence in faults.items() if sentence}:
        raise Invalid(**found)
