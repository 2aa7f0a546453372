"""Stripe as a gateway: its hosted Checkout for payments and for storing cards, off-session charges, refunds.

Every order carries the attempt's key as its idempotency key, and in its metadata, by which it is found again.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from babel.numbers import get_currency_precision

from portal_app.billing.gateways.port import Answer, Forged, Notice, Order, Outcome, Page, Refused, Silent, StoredCard
from portal_app.later import Later
from portal_app.mail.links import absolute
from portal_app.models import AttemptKind, PaymentKind
from portal_app.settings import settings

if TYPE_CHECKING:
    import stripe
else:
    stripe = Later("stripe")

SECONDS = 20.0
_PAGES = "https://checkout.stripe.com/"
_ENDINGS = {
    "succeeded": Outcome.TAKEN,
    "processing": Outcome.OPEN,
    "pending": Outcome.OPEN,
    "canceled": Outcome.ENDED,
    "failed": Outcome.DECLINED,
    "requires_action": Outcome.DECLINED,
    "requires_payment_method": Outcome.DECLINED,
}
_DECLINED = "The card was declined."
# How many digits Stripe counts behind the point, whatever the currency has; two for all others.
_NO_DIGITS = "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF"
_THREE_DIGITS = "BHD JOD KWD OMR TND"


class Stripe:
    """See `port.Gateway`."""

    name = "stripe"

    def customer(self, partner_id: int, name: str, email: str, known: str) -> str:
        if known.startswith("cus_"):
            return known
        given: Any = {"name": name, "metadata": {"partner": str(partner_id)}} | ({"email": email} if email else {})
        with _faults():
            return _client().v1.customers.create(given, {"idempotency_key": f"portal-customer-{partner_id}"}).id

    def checkout(self, order: Order) -> Page:
        about = {"attempt": order.key}
        price = {"currency": order.currency.lower(), "unit_amount": _amount(order)}
        given: Any = {
            "mode": "payment",
            "line_items": [{"quantity": 1, "price_data": price | {"product_data": {"name": order.description}}}],
            "success_url": absolute(order.return_url),
            "cancel_url": absolute(order.cancel_url),
            "metadata": about,
            "payment_intent_data": {"metadata": about, "description": order.description},
        }
        if _is_customer(order.customer):
            given["customer"] = order.customer
        with _faults():
            made = _client().v1.checkout.sessions.create(given, {"idempotency_key": order.key})
            return Page(made.url or "", made.id)

    def charge(self, order: Order) -> Answer:
        given: Any = {
            "amount": _amount(order),
            "currency": order.currency.lower(),
            "customer": order.customer,
            "payment_method": order.token,
            "description": order.description,
            "off_session": True,
            "confirm": True,
            "metadata": {"attempt": order.key},
        }
        try:
            with _faults():
                return _paid(_client().v1.payment_intents.create(given, {"idempotency_key": order.key}))
        except stripe.CardError as refusal:
            return Answer(Outcome.DECLINED, reason=refusal.user_message or _DECLINED)

    def refund(self, order: Order) -> Answer:
        given: Any = {"payment_intent": order.reference, "amount": _amount(order)}
        with _faults():
            about = given | {"metadata": {"attempt": order.key}}
            return _returned(_client().v1.refunds.create(about, {"idempotency_key": order.key}))

    def find(self, order: Order) -> Answer | None:
        with _faults():
            if order.kind == AttemptKind.CHECKOUT:
                return _session(order.reference) if order.reference else None
            if order.kind == AttemptKind.REFUND:
                refunds = _client().v1.refunds.list({"payment_intent": order.reference, "limit": 100})
                return next((_returned(one) for one in refunds.data if _is_of(one, order)), None)
            # The list is of the very moment; Stripe's search is a minute late.
            charges = _client().v1.payment_intents.list({"customer": order.customer, "limit": 100})
            return next((_paid(one) for one in charges.data if _is_of(one, order)), None)

    def close(self, order: Order) -> Answer:
        if not order.reference:
            return Answer(Outcome.ENDED)
        with _faults():
            # One that is open no more says itself how it ended.
            with suppress(stripe.InvalidRequestError):
                _client().v1.checkout.sessions.expire(order.reference)
            return _session(order.reference)

    def setup(self, customer: str, partner_id: int, return_url: str, cancel_url: str) -> Page:
        given: Any = {
            "mode": "setup",
            "customer": customer,
            "payment_method_types": ["card"],
            "success_url": absolute(return_url).replace("{setup}", "{CHECKOUT_SESSION_ID}"),
            "cancel_url": absolute(cancel_url),
            "metadata": {"partner": str(partner_id)},
        }
        with _faults():
            made = _client().v1.checkout.sessions.create(given)
            return Page(made.url or "", made.id)

    def stored(self, setup: str) -> StoredCard | None:
        with _faults():
            wanted: Any = {"expand": ["setup_intent.payment_method"]}
            found: Any = _client().v1.checkout.sessions.retrieve(setup, wanted)
        if found.mode != "setup" or found.status != "complete" or not found.setup_intent:
            return None
        method = found.setup_intent.payment_method
        if not method.customer:
            # It was deleted since: the page must not bring it back.
            return None
        card, partner_id = method.card, int(found.metadata["partner"])
        return StoredCard(partner_id, method.id, card.brand.title(), card.last4, card.exp_month, card.exp_year)

    def forget(self, token: str) -> None:
        with _faults():
            _client().v1.payment_methods.detach(token)

    def notice(self, body: bytes, headers: Mapping[str, str]) -> Notice | None:
        secret = settings().stripe_webhook_secret.get_secret_value()
        try:
            event: Any = stripe.Webhook.construct_event(body, headers.get("stripe-signature", ""), secret)
        except (stripe.SignatureVerificationError, ValueError):
            raise Forged from None
        about = event.data.object.to_dict()
        if event.type == "checkout.session.completed" and about.get("mode") == "setup":
            return Notice(event.id, setup=about["id"])
        key = (about.get("metadata") or {}).get("attempt", "")
        return Notice(event.id, key) if key else None

    def is_page(self, url: str) -> bool:
        return url.startswith(f"{settings().stripe_url}/" if settings().stripe_url else _PAGES)


def stripe_units(minor: int, currency: str) -> int:
    """An amount in Stripe's smallest unit of the currency. Refused where it has none so small."""
    digits = 0 if currency in _NO_DIGITS else 3 if currency in _THREE_DIGITS else 2
    units, rest = divmod(minor * 10**digits, 10 ** get_currency_precision(currency))
    if rest:
        raise Refused("It has more digits behind the point than can be charged.")
    return units


def _amount(order: Order) -> int:
    return stripe_units(order.amount_minor, order.currency)


def _client() -> "stripe.StripeClient":
    key, address = settings().stripe_secret_key.get_secret_value(), settings().stripe_url
    elsewhere: Any = {"base_addresses": {"api": address}} if address else {}
    # No retries of its own: what is lost is looked up.
    return stripe.StripeClient(
        key, http_client=stripe.RequestsClient(timeout=SECONDS), max_network_retries=0, **elsewhere
    )


@contextmanager
def _faults() -> Iterator[None]:
    """Stripe's errors in the port's words. A declined card is an answer, and passes."""
    try:
        yield
    except stripe.CardError:
        raise
    except stripe.InvalidRequestError as fault:
        if fault.http_status == 409:
            raise Silent("the same order is being worked on") from None
        raise Refused(fault.user_message or "") from None
    except stripe.StripeError as fault:
        # Wrong keys too: that is for the operator to mend, and nothing to tell a customer.
        raise Silent(type(fault).__name__) from None


def _session(reference: str) -> Answer:
    wanted: Any = {"expand": ["payment_intent.latest_charge"]}
    found: Any = _client().v1.checkout.sessions.retrieve(reference, wanted)
    if found.status == "complete" and found.payment_status == "paid":
        return _paid(found.payment_intent)
    return Answer(Outcome.ENDED if found.status == "expired" else Outcome.OPEN, found.id)


def _paid(intent: Any) -> Answer:
    about = intent.to_dict()
    charge, error = about.get("latest_charge"), about.get("last_payment_error") or {}
    details = charge.get("payment_method_details", {}) if isinstance(charge, dict) else {}
    kind = PaymentKind.PAYPAL if details.get("type") == "paypal" else PaymentKind.CARD
    outcome = _ENDINGS.get(about["status"], Outcome.OPEN)
    return Answer(outcome, about["id"], error.get("message", _DECLINED) if outcome == Outcome.DECLINED else "", kind)


def _returned(refund: Any) -> Answer:
    outcome = _ENDINGS.get(refund.status, Outcome.OPEN)
    return Answer(
        outcome, refund.id, "The processor could not give the money back." if refund.status == "failed" else ""
    )


def _is_of(found: Any, order: Order) -> bool:
    return (found.to_dict().get("metadata") or {}).get("attempt") == order.key


def _is_customer(name: str) -> bool:
    return name.startswith("cus_")
