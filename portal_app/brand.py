"""Whose portal this is: the name, the looks and the ways to reach the provider, as the settings say."""

import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from portal_app import colours, logos
from portal_app.logos import Logo
from portal_app.settings import Settings, settings

ROOT = Path(__file__).resolve().parent.parent
# Beyond any picture on a busy machine.
SECONDS_TO_DRAW = 60
# The portal's own sign, in the brand's colour: for who has no logo yet.
_SIGN = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="{solid}"/>'
    '<path d="M9 12.5 16 9l7 3.5-7 3.5zM9 16.2l7 3.5 7-3.5M9 19.9l7 3.5 7-3.5" fill="none" stroke="{on}"'
    ' stroke-width="2" stroke-linejoin="round" stroke-linecap="round"/></svg>'
)


@dataclass(frozen=True, slots=True)
class Brand:
    """What the provider is called, looks like, and is reached by. An empty address is one that there isn't.

    `product` is the word for the portal itself. `support_emails` and `support_phones`: what each is for ("" when
    nothing is said), and the address or number.
    """

    name: str
    product: str
    mail_name: str
    accent: str
    light: colours.Shades
    dark: colours.Shades
    logo: Logo
    logo_dark: Logo
    icon: Logo
    has_own_logo: bool
    support_email: str
    support_emails: tuple[tuple[str, str], ...]
    support_phones: tuple[tuple[str, str], ...]
    chat_url: str
    privacy_url: str
    terms_url: str
    security_url: str

    @property
    def hides_name(self) -> bool:
        """Whether the logo shows the name already."""
        return self.has_own_logo and self.logo.is_wide


def brand() -> Brand:
    """The brand of this deployment."""
    return _brand(settings())


@cache
def picture(svg: str, width: int, height: int) -> bytes:
    """A PNG of twice `width` and `height` in pixels, for where no SVG is shown: icons and mails.

    Drawn by a process of its own: what draws would stay in the memory of this one, which needs few pictures.
    """
    command = [sys.executable, "-m", "portal_app.drawing", str(width), str(height)]
    return subprocess.run(
        command, cwd=ROOT, input=svg.encode(), stdout=subprocess.PIPE, check=True, timeout=SECONDS_TO_DRAW
    ).stdout


def _brand(given: Settings) -> Brand:
    light = colours.light(given.brand_accent)
    sign = logos.svg_logo(_SIGN.format(solid=light.solid, on=light.on_solid).encode())
    logo = logos.read(given.brand_logo) if given.brand_logo else sign
    return Brand(
        name=given.brand_name,
        product=given.brand_product,
        mail_name=given.smtp_from_name or given.brand_name,
        accent=given.brand_accent,
        light=light,
        dark=colours.dark(given.brand_accent),
        logo=logo,
        logo_dark=logos.read(given.brand_logo_dark) if given.brand_logo_dark else logo,
        icon=logos.read(given.brand_icon) if given.brand_icon else logo,
        has_own_logo=given.brand_logo is not None,
        support_email=given.support_email,
        support_emails=given.support_emails,
        support_phones=given.support_phones,
        chat_url=given.chat_url,
        privacy_url=given.privacy_url,
        terms_url=given.terms_url,
        security_url=given.security_url,
    )
