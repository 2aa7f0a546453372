"""Who may change what about whom: the rules, apart from how it is saved. Each refusal is audited as failed."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlmodel import Session

from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission, effective
from portal_app.errors import Denied
from portal_app.models import Role, User
from portal_app.users import repository

OWN_ACCESS = "You can't change your own access. Ask another administrator of your company."
ONLY_ADMINISTRATORS = "Only an administrator can change an administrator."
MORE_THAN_OWN = "You can't give anybody more than you may do yourself."
ACCOUNTS_BEYOND = "You can't give anybody accounts that you can't open yourself."
OTHERS_ACCOUNTS = "This user may see accounts that you may not. Only a colleague who sees them can change which."
IDENTITY_BEYOND = "You can't change how somebody signs in who may do more than you."


class Refused(Denied):
    """A rule stands against the change; `who` is the user concerned, for the audit."""

    def __init__(self, sentence: str, who: str = "") -> None:
        super().__init__(sentence)
        self.who = who


@dataclass(frozen=True, slots=True)
class Manager:
    """Who manages users, as of now: the actor with the rights of this very moment, and whether an administrator."""

    actor: Actor
    is_administrator: bool

    def may_touch(self, target: User) -> str:
        """Why the manager can't change, disable or delete the user; empty when they can. (One's own name is free.)"""
        if target.id == self.actor.user_id:
            return OWN_ACCESS
        if target.role == Role.ADMINISTRATOR and not self.is_administrator:
            return ONLY_ADMINISTRATORS
        return ""

    def outranks(self, session: Session, target: User) -> bool:
        """Whether the manager may do and see all that the user may: only then how the user signs in is theirs to set.

        (Else the mail with somebody's access could be sent to oneself.)
        """
        if self.may_touch(target) or not effective(target.role, target.permissions) <= self.actor.permissions:
            return False
        return self.sees_all_of(session, target)

    def sees_all_of(self, session: Session, target: User) -> bool:
        """Whether no account exists for the user that does not exist for the manager."""
        if self.actor.all_accounts:
            return True
        return not target.all_accounts and not repository.chosen_outside(session, self.actor, target.id or 0)

    def granted(self, wanted: Collection[str], held: Collection[str], who: str) -> list[str]:
        """What the user has from now on: as `given`, as far as it counts for a partner's user."""
        return sorted(p.value for p in effective(Role.CUSTOM, given(self.actor, wanted, held, who)))


def given(actor: Actor, wanted: Collection[str], held: Collection[str], who: str) -> set[str]:
    """What somebody has from now on: as wanted, but what the actor lacks stays as it is. Raises Refused."""
    lacks = {p.value for p in frozenset(Permission) - actor.permissions}
    if lacks & set(wanted) - set(held):
        raise Refused(MORE_THAN_OWN, who)
    return (set(wanted) - lacks) | (set(held) & lacks)
