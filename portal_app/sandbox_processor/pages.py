"""The sandbox's hosted pages: plain HTML without a script."""

import base64
import hashlib
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from babel.numbers import format_currency, get_currency_precision
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse, Response

from portal_app.sandbox_processor.cards import CARDS

_HERE = Path(__file__).parent
STYLE = (_HERE / "page.css").read_text()
_FIELDS = (
    ("number", "Card number", "cc-number", "4242 4242 4242 4242"),
    ("expiry", "Expires", "cc-exp", "MM / YY"),
    ("code", "Security code", "cc-csc", "123"),
)
# A misspelt name in the page shall fail at once, but a field without a fault has none.
_template = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True).from_string(
    (_HERE / "page.html").read_text()
)
_style_hash = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()


def show(page: dict[str, Any], typed: dict[str, str], faults: dict[str, str], declined: str = "") -> Response:
    """The page to pay or to store a card on; `typed` is kept except for the number and the code."""
    title = "Pay an invoice" if page["mode"] == "payment" else "Store a card"
    kept = {"number": "", "code": "", "expiry": typed.get("expiry", "")[:30]}
    html = _template.render(
        page=page,
        title=title,
        style=Markup(STYLE),  # noqa: S704 (our own file)
        amount=_amount(page["amount"], page["currency"]) if page["mode"] == "payment" else "",
        fields=_FIELDS,
        typed=kept,
        faults={name: faults.get(name, "") for name, *_ in _FIELDS},
        declined=declined,
        cards=CARDS,
    )
    return HTMLResponse(html, 422 if faults or declined else 200, headers=_headers(page))


def _amount(minor: int, currency: str) -> str:
    digits = get_currency_precision(currency)
    return format_currency(Decimal(minor).scaleb(-digits), currency, locale="en")


def _headers(page: dict[str, Any]) -> dict[str, str]:
    # Browsers hold a form's answer to form-action, too, and the answer leads back to the shop.
    back = urlsplit(page["return_url"])
    shop = f" {back.scheme}://{back.netloc}" if back.netloc else ""
    policy = f"default-src 'none'; style-src 'sha256-{_style_hash}'; form-action 'self'{shop}; base-uri 'none'"
    return {
        "Content-Security-Policy": f"{policy}; frame-ancestors 'none'",
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
    }
