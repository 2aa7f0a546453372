"""Gives the built pages their brand as they are served: words, colours, logo and icon. No build is needed for it."""

import base64
import hashlib
import json
from functools import cache
from html import escape
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from portal_app.auth import guard
from portal_app.brand import Brand, brand, picture
from portal_app.brand_words import PLACES
from portal_app.colours import Shades
from portal_app.logos import Logo

# Shown when a logo is opened by itself: nothing in it does anything.
_ALONE = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"
_NAME_HIDDEN = ".brand-name{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}"


def page_text(file: Path) -> str:
    """A built page with the brand in it."""
    return branded(file.read_text())


def branded(html: str) -> str:
    """The page with the brand's words in their places, and its looks in the head."""
    found = brand()
    for word, place in PLACES.items():
        html = html.replace(place, escape(_words(found)[word]))
    return html.replace("</head>", _head(found) + "</head>", 1)


def _words(found: Brand) -> dict[str, str]:
    return {
        "name": found.name,
        "product": found.product,
        "support": found.support_email,
        "privacy": found.privacy_url,
        "terms": found.terms_url,
        "security": found.security_url,
    }


@cache
def _head(found: Brand) -> str:
    # Browsers ask for the icon anew whenever the address changes, and that is with every click: it comes with the page.
    icon = base64.b64encode(picture(found.icon.svg, 16, 16)).decode()
    said = json.dumps(_words(found), separators=(",", ":")).replace("<", "\\u003c")
    return (
        f'<link rel="icon" type="image/png" href="data:image/png;base64,{icon}"/>'
        f"<style>{style_of(found)}</style><script>window.brand={said}</script>"
    )


def style_of(found: Brand) -> str:
    """The brand's colours and logo, stronger than the style sheet's own."""
    light = f"{_inks(found.light)}--logo:url({address_of(found.logo)});--logo-shape:{_shape(found.logo)}"
    dark = f"{_inks(found.dark)}--logo:url({address_of(found.logo_dark)});--logo-shape:{_shape(found.logo_dark)}"
    hidden = _NAME_HIDDEN if found.hides_name else ""
    return f"html:root{{--accent:{found.accent};{light}}}html.dark{{{dark}}}{hidden}"


def _inks(shades: Shades) -> str:
    inks = {
        "solid": shades.solid,
        "solid-hover": shades.solid_hover,
        "text": shades.text,
        "tint": shades.tint,
    }
    told = "".join(f"--accent-{name}:{ink};" for name, ink in inks.items())
    return f"{told}--on-accent:{shades.on_solid};--focus:{shades.focus};"


def _shape(logo: Logo) -> str:
    """Its width, in heights."""
    return f"{min(logo.width / logo.height, 7):.4g}"


def address_of(logo: Logo) -> str:
    """Where it is served; another logo has another address."""
    ending = "svg" if logo.media_type == "image/svg+xml" else "png"
    return f"/brand/{hashlib.sha256(logo.content).hexdigest()[:16]}.{ending}"


@guard.public("the logo stands on the sign-in page, too")
async def logo(request: Request) -> Response:
    """GET /brand/{file}: a logo of this deployment."""
    for one in (brand().logo, brand().logo_dark):
        if request.url.path == address_of(one):
            kept = {"Cache-Control": "public, max-age=31536000, immutable", "Content-Security-Policy": _ALONE}
            return Response(one.content, media_type=one.media_type, headers=kept)
    return PlainTextResponse("Not found", 404)


routes = [Route("/brand/{file}", logo)]
