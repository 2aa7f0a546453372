"""What of the brand stands in the pages: the server fills it in as it sends them (`shell.branding`).

The pages are built once, for all brands: these words may be shown and linked to, but no part of a page depends on them.
"""

import reflex as rx
from reflex_base.vars.base import VarData

from portal_app.brand_words import SCRIPT
from portal_app.ui.base import link


def _word(word: str) -> rx.Var[str]:
    return rx.Var(
        f"brand.{word}", _var_type=str, _var_data=VarData(imports={f"$/{SCRIPT.removesuffix('.js')}": "brand"})
    )


NAME, PRODUCT, SUPPORT_EMAIL = _word("name"), _word("product"), _word("support")
_LEGAL = (("Privacy", _word("privacy")), ("Terms", _word("terms")), ("Security", _word("security")))


def brand_sign() -> rx.Component:
    """The logo; beside it the name, which only a screen reader sees where the logo shows it."""
    return rx.fragment(rx.el.span(class_name="brand-logo"), rx.el.span(NAME, class_name="brand-name"))


def support_link() -> rx.Component:
    """The address of the support, to write to."""
    return link(SUPPORT_EMAIL, href=rx.Var.create(f"mailto:{SUPPORT_EMAIL}"), external=True)


def legal_links() -> rx.Component:
    """Links to the provider's privacy notice, terms and security page; one without an address is not shown."""
    links = (link(name, href=address, external=True, target="_blank", rel="noopener") for name, address in _LEGAL)
    return rx.el.p(*links, class_name="legal")
