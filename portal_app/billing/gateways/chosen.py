"""The gateway that the settings choose, and the one that an attempt began with."""

from portal_app.billing.gateways.port import Gateway, Silent
from portal_app.billing.gateways.sandbox import Sandbox
from portal_app.billing.gateways.stripe import Stripe
from portal_app.settings import settings

_GATEWAYS: dict[str, type[Gateway]] = {Sandbox.name: Sandbox, Stripe.name: Stripe}


def gateway() -> Gateway:
    """The processor that takes money now."""
    return gateway_named(settings().payment_gateway)


def gateway_named(name: str) -> Gateway:
    """The processor of that name; attempts of an earlier one are still asked for there. Silent when there is none."""
    if name not in _GATEWAYS:
        raise Silent(f"there is no gateway {name}")
    return _GATEWAYS[name]()
