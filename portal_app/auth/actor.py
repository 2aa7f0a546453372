"""Who acts: a signed-in person, a program with a token, or the portal itself."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from portal_app import clock
from portal_app.auth.permissions import Permission
from portal_app.errors import Denied

FRESH_FOR = timedelta(minutes=15)


class ActorKind(StrEnum):
    NOBODY = "nobody"
    PARTNER = "partner"
    CUSTOMER = "customer"
    OPERATOR = "operator"
    TOKEN = "token"
    SYSTEM = "system"
    # Somebody of a partner, or its program, at an address that the partner does not trust: may do nothing.
    ELSEWHERE = "elsewhere"


# Who reads what the provider publishes for partners; operators see what they publish.
READERS = frozenset({ActorKind.PARTNER, ActorKind.OPERATOR})


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request comes from: the TCP peer's address, the browser as it names itself and as it was marked."""

    address: str = ""
    browser: str = ""
    mark: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Actor:
    """One reading of session, user and permissions; made afresh for every event."""

    kind: ActorKind = ActorKind.NOBODY
    user_id: int | None = None
    partner_id: int | None = None
    account_id: int | None = None
    email: str = ""
    name: str = ""
    permissions: frozenset[Permission] = field(default_factory=frozenset)
    all_accounts: bool = False
    currency: str = "USD"
    time_zone: str = "UTC"
    session_hash: str = ""
    used_at: datetime | None = None
    has_password: bool = False
    confirmed_at: datetime | None = None
    origin: Origin = Origin()

    @property
    def signed_in(self) -> bool:
        return self.kind in {ActorKind.PARTNER, ActorKind.CUSTOMER, ActorKind.OPERATOR}

    @property
    def is_fresh(self) -> bool:
        """Whether the person has shown lately that it is they, by signing in or once more since."""
        return self.confirmed_at is not None and self.confirmed_at > clock.now() - FRESH_FOR

    @property
    def label(self) -> str:
        """The name written into the audit."""
        return self.email or self.name or self.kind.value

    def may(self, permission: Permission) -> bool:
        return permission in self.permissions

    def require(self, permission: Permission) -> None:
        """Raise Denied with the permission's own sentence unless it is granted."""
        if permission not in self.permissions:
            raise Denied(permission.refusal)

    def require_reader(self) -> None:
        """Raise Denied unless it is a person of a partner, or an operator."""
        if self.kind not in READERS:
            raise Denied("This is for people of a partner.")

    def require_provider(self) -> None:
        """Raise Denied unless it is an operator, or the portal itself."""
        if self.kind not in {ActorKind.SYSTEM, ActorKind.OPERATOR}:
            raise Denied("Only the provider's operators may do this.")


NOBODY = Actor()


def at_untrusted_address(actor: Actor) -> Actor:
    """The same one with nothing left but the name, for the audit."""
    return replace(actor, kind=ActorKind.ELSEWHERE, permissions=frozenset(), all_accounts=False, used_at=None)


def elsewhere_sentence(actor: Actor) -> str:
    """Why somebody at an untrusted address is refused."""
    return f"You come from {actor.origin.address or 'an unknown address'}, which your company does not trust."


def system(partner_id: int | None = None) -> Actor:
    """The portal itself, for daily work and commands."""
    return Actor(
        kind=ActorKind.SYSTEM,
        partner_id=partner_id,
        name="Portal",
        permissions=frozenset(Permission),
        all_accounts=True,
    )
