"""The sandbox's hosted pages: plain HTML without a script."""

import base64
import hashlib
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from babel.numbers import format_currency, get_currency_precision
from jinja2 import Environment, StrictUndefined
from starlette.responses import HTMLResponse, Response

from portal_app.sandbox_processor.cards import CARDS

STYLE = """
:root { color-scheme: light dark; --line: #8a94a6; --text: #1b2433; --quiet: #55607a; --back: #f2f4f8; --card: #fff;
  --accent: #1f4fbf; --on: #fff; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --text: #e8ecf4; --quiet: #aab4c8; --back: #10151f; --card: #1a2130;
  --accent: #8fb0ff; --on: #0d1420; --bad: #ffb4ab; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 1.5rem 1rem; background: var(--back); color: var(--text);
  font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 28rem; margin: 0 auto; padding: 1.5rem; background: var(--card); border-radius: .75rem; }
h1 { margin: 0 0 .25rem; font-size: 1.4rem; } h2 { font-size: 1rem; margin: 1.5rem 0 .5rem; }
.sum { font-size: 1.75rem; font-weight: 650; margin: .5rem 0; } .quiet { color: var(--quiet); }
.note { padding: .5rem .75rem; border-left: .25rem solid var(--accent); background: var(--back); }
label { display: block; margin-top: .9rem; font-weight: 600; }
input { width: 100%; min-height: 2.75rem; padding: .5rem .75rem; font: inherit; color: inherit; background: var(--card);
  border: 1px solid var(--line); border-radius: .5rem; }
.two { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem; align-items: start; }
.bad { color: var(--bad); margin: .25rem 0 0; } [aria-invalid=true] { border-color: var(--bad); }
button, .button { display: block; width: 100%; min-height: 2.75rem; margin-top: 1rem; padding: .6rem 1rem; font: inherit;
  font-weight: 650; text-align: center; text-decoration: none; border-radius: .5rem; border: 1px solid var(--accent);
  background: var(--accent); color: var(--on); cursor: pointer; }
.second { background: transparent; color: var(--accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
dl { display: grid; grid-template-columns: auto 1fr; gap: .25rem 1rem; margin: 0; font-size: .875rem; }
dt { font-family: ui-monospace, monospace; white-space: nowrap; } dd { margin: 0; color: var(--quiet); }
"""
_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{{ title }}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>{{ style }}</style></head><body><main>
<h1>{{ title }}</h1>
<p class="note">Sandbox processor: for trying out. No real money moves, and no real card is taken.</p>
{% if page.mode == "payment" %}<p class="quiet">{{ page.description }}</p><p class="sum">{{ amount }}</p>{% endif %}
{% if page.status != "open" %}
<p role="status">{{ "This is done already." if page.status == "complete" else "This page has expired." }}</p>
<a class="button" href="{{ page.return_url if page.status == "complete" else page.cancel_url }}">Back</a>
{% else %}
<form method="post" novalidate>
{% for name, label, kind, hint in fields %}{% if name == "expiry" %}<div class="two"><div>{% elif name == "code" %}
</div><div>{% endif %}
<label for="{{ name }}">{{ label }}</label>
<input id="{{ name }}" name="{{ name }}" value="{{ typed[name] }}" autocomplete="{{ kind }}" placeholder="{{ hint }}"
 inputmode="numeric" maxlength="30"{% if faults[name] %} aria-invalid="true" aria-describedby="{{ name }}-fault"{% endif %}>
{% if faults[name] %}<p class="bad" id="{{ name }}-fault" role="alert">{{ faults[name] }}</p>{% endif %}
{% endfor %}</div></div>
{% if declined %}<p class="bad" role="alert">{{ declined }} You can try another card.</p>{% endif %}
<button name="way" value="card">{{ "Pay " ~ amount if page.mode == "payment" else "Save card" }}</button>
{% if page.mode == "payment" %}<button class="second" name="way" value="paypal">Pay with PayPal (test)</button>{% endif %}
</form>
<a class="button second" href="{{ page.cancel_url }}">Cancel</a>
<h2>Test cards</h2><p class="quiet">Any month to come, any three digits.</p>
<dl>{% for card in cards %}<dt>{{ card.spaced }}</dt><dd>{{ card.about }}</dd>{% endfor %}</dl>
{% endif %}</main></body></html>"""
_FIELDS = (
    ("number", "Card number", "cc-number", "4242 4242 4242 4242"),
    ("expiry", "Expires", "cc-exp", "MM / YY"),
    ("code", "Security code", "cc-csc", "123"),
)
# A misspelt name in the page shall fail at once, but a field without a fault has none.
_template = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True).from_string(_PAGE)
_style_hash = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()


def show(page: dict[str, Any], typed: dict[str, str], faults: dict[str, str], declined: str = "") -> Response:
    """The page to pay or to store a card on; `typed` is kept except for the number and the code."""
    title = "Pay an invoice" if page["mode"] == "payment" else "Store a card"
    kept = {"number": "", "code": "", "expiry": typed.get("expiry", "")[:30]}
    html = _template.render(
        page=page,
        title=title,
        style=STYLE,
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
