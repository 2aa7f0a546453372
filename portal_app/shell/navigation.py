"""The left navigation as plain data, in the order of the specification; only what exists is listed."""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, Self, TypedDict

from portal_app.auth.actor import READERS, Actor, ActorKind
from portal_app.auth.permissions import Permission


class Rights(NamedTuple):
    """All of an actor that decides what is open to it."""

    kind: ActorKind
    permissions: frozenset[Permission]
    all_accounts: bool
    account_id: int | None

    @classmethod
    def of(cls, actor: Actor) -> Self:
        return cls(actor.kind, actor.permissions, actor.all_accounts, actor.account_id)


@dataclass(frozen=True)
class Place:
    """A page that the navigation leads to, and who may open it."""

    label: str
    href: str
    icon: str = ""
    any_of: frozenset[Permission] = frozenset()
    kinds: frozenset[ActorKind] = frozenset({ActorKind.PARTNER})
    # Only for who sees all accounts: it tells of all.
    of_all: bool = False

    def is_open_to(self, actor: Actor | Rights) -> bool:
        """Whether the actor may open it; without permissions named, everyone of the kinds may."""
        sees_enough = actor.all_accounts or not self.of_all
        return actor.kind in self.kinds and sees_enough and (not self.any_of or bool(self.any_of & actor.permissions))


class NavLink(TypedDict):
    """What the page needs to draw one entry."""

    label: str
    href: str
    icon: str


ANYONE = frozenset({ActorKind.PARTNER, ActorKind.CUSTOMER, ActorKind.OPERATOR})
DASHBOARD = Place("Dashboard", "/", "layout-dashboard", frozenset({Permission.DASHBOARD_VIEW}))
# The tabs of Billing, in the order of the specification.
BILLING: tuple[Place, ...] = (
    Place("Status", "/billing/status", any_of=frozenset({Permission.BILLING_VIEW})),
    Place("History", "/billing/history", any_of=frozenset({Permission.BILLING_VIEW})),
    Place("Payment Details", "/billing/payment-details", any_of=frozenset({Permission.PAYMENT_MANAGE})),
    Place("Unpaid Bills", "/billing/unpaid", any_of=frozenset({Permission.BILLING_VIEW})),
)
CONSOLE = Place("Partners", "/operator", "building-2", kinds=frozenset({ActorKind.OPERATOR}))
NEWS = "/news"
PLACES = (
    Place("News", NEWS, "megaphone", kinds=READERS),
    Place("Security Audit", "/security-audit", "shield-check", frozenset({Permission.AUDIT_VIEW})),
)
# What comes after Settings.
LAST = (
    Place("Learning Hub", "/learning", "graduation-cap", kinds=READERS),
    Place("Partner Zone", "/partner-zone", "archive", kinds=READERS),
    Place("Support", "/support", "circle-help", kinds=READERS),
)
# The tabs of the operators' console, by what they are for.
OPERATOR_GROUPS: tuple[tuple[str, tuple[Place, ...]], ...] = tuple(
    (group, tuple(Place(label, href, kinds=frozenset({ActorKind.OPERATOR})) for label, href in places))
    for group, places in (
        ("Partners", (("Partners", "/operator"),)),
        ("Support", (("Tickets", "/operator/tickets"), ("Content", "/operator/content"))),
        (
            "Money",
            (
                ("Price Books", "/operator/prices"),
                ("Bank Receipts", "/operator/receipts"),
                ("Cycle Runs", "/operator/cycles"),
                ("Reconciliation", "/operator/reconciliation"),
            ),
        ),
        ("Machine", (("Storage", "/operator/storage"), ("Jobs", "/operator/jobs"), ("Mail", "/operator/mail"))),
        ("People", (("Operators", "/operator/operators"), ("Audit", "/operator/audit"))),
    )
)
# The tabs of Settings, in the order of the specification.
SETTINGS: tuple[Place, ...] = (
    Place("Account", "/settings/account", any_of=frozenset({Permission.ACCOUNT_MANAGE})),
    Place("User Management", "/settings/users", any_of=frozenset({Permission.USERS_MANAGE})),
    Place("Security", "/settings/security", kinds=ANYONE),
    Place("IP Restrictions", "/settings/ip-restrictions", any_of=frozenset({Permission.SECURITY_MANAGE})),
    Place(
        "Notifications",
        "/settings/notifications",
        any_of=frozenset({Permission.NOTIFICATIONS_MANAGE}),
        of_all=True,
    ),
    Place("API", "/settings/api", any_of=frozenset({Permission.API_MANAGE})),
)


def links_for(actor: Actor) -> list[NavLink]:
    """The entries that this actor may open."""
    return _links_for(Rights.of(actor))


# Every click compares them with what the page shows.
@lru_cache(1_024)
def _links_for(actor: Rights) -> list[NavLink]:
    own = []
    if actor.kind == ActorKind.CUSTOMER:
        own = [NavLink(label="My account", href=f"/accounts/{actor.account_id}", icon="database")]
    billing = _entry("Billing", "receipt-text", BILLING, actor)
    settings = _entry("Settings", "settings", SETTINGS, actor)
    return own + _open((DASHBOARD, CONSOLE), actor) + billing + _open(PLACES, actor) + settings + _open(LAST, actor)


def _entry(label: str, icon: str, tabs: tuple[Place, ...], actor: Rights) -> list[NavLink]:
    """The entry of a page with tabs: it leads to the first one that is open to the actor."""
    return [NavLink(label=label, href=tab["href"], icon=icon) for tab in _open(tabs, actor)[:1]]


def settings_for(actor: Actor) -> list[NavLink]:
    """The tabs of Settings that this actor may open."""
    return _settings_for(Rights.of(actor))


@lru_cache(1_024)
def _settings_for(actor: Rights) -> list[NavLink]:
    return _open(SETTINGS, actor)


def billing_for(actor: Actor) -> list[str]:
    """The addresses of Billing's tabs that this actor may open."""
    return [tab.href for tab in BILLING if tab.is_open_to(actor)]


def _open(places: tuple[Place, ...], actor: Rights) -> list[NavLink]:
    return [NavLink(label=one.label, href=one.href, icon=one.icon) for one in places if one.is_open_to(actor)]


def home_of(actor: Actor) -> str:
    """Where the actor arrives after signing in."""
    links = links_for(actor)
    return links[0]["href"] if links else "/"
