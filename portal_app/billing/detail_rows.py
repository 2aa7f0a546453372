"""All that the page of payment details may see."""

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class DetailsForm:
    """What the form sends, as text; `delivery` is one of Delivery."""

    title: str = ""
    first_name: str = ""
    last_name: str = ""
    company: str = ""
    tax_id: str = ""
    address: str = ""
    zip: str = ""
    city: str = ""
    country: str = ""
    email: str = ""
    phone: str = ""
    payment_day: str = ""
    delivery: str = ""


FIELDS = tuple(one.name for one in fields(DetailsForm))


@dataclass(frozen=True, slots=True)
class BillingDetails:
    """What is saved. `method` is one of BillingMethod, or empty while none is chosen."""

    form: DetailsForm
    currency: str
    method: str
