"""The left navigation as plain data, in the order of the specification; only what exists is listed."""

from dataclasses import dataclass
from typing import TypedDict

from portal_app.auth.actor import Actor, ActorKind
from portal_app.auth.permissions import Permission


@dataclass(frozen=True)
class Place:
    """A page that the navigation leads to, and who may open it."""

    label: str
    href: str
    icon: str
    any_of: frozenset[Permission]


class NavLink(TypedDict):
    """What the page needs to draw one entry."""

    label: str
    href: str
    icon: str


PLACES = (Place("Dashboard", "/", "layout-dashboard", frozenset({Permission.DASHBOARD_VIEW})),)


def links_for(actor: Actor) -> list[NavLink]:
    """The entries that this actor may open."""
    if actor.kind == ActorKind.CUSTOMER:
        return [NavLink(label="My account", href=f"/accounts/{actor.account_id}", icon="database")]
    if actor.kind == ActorKind.OPERATOR:
        return [NavLink(label="Partners", href="/operator", icon="building-2")]
    return [NavLink(label=p.label, href=p.href, icon=p.icon) for p in PLACES if p.any_of & actor.permissions]


def home_of(actor: Actor) -> str:
    """Where the actor arrives after signing in."""
    links = links_for(actor)
    return links[0]["href"] if links else "/"
