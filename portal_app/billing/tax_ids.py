"""VAT numbers: in one written form, and checked by their checksum."""

import unicodedata
from functools import cache
from types import ModuleType

from babel import Locale
from stdnum import get_cc_module
from stdnum.eu.vat import MEMBER_STATES
from stdnum.exceptions import ValidationError

# Where a company's tax number is its VAT number, with a checksum; elsewhere any number is taken as it is.
EUROPEAN = frozenset(state.upper() for state in MEMBER_STATES) - {"XI"}
CHECKED = EUROPEAN | {"CH", "GB", "NO"}
# Prefixes that aren't the country's own code: Greece, and Northern Ireland in the European scheme.
_PREFIXES = {"GR": ("EL",), "GB": ("GB", "XI"), "CH": ("CHE",), "NO": ("NO",)}
_NUMBERS_OF = {"XI": "GB"}
# What Babel lists beside the countries of ISO 3166: parts, unions, inventions.
_NO_COUNTRIES = frozenset(["AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "XK", "ZZ"])


@cache
def countries() -> dict[str, str]:
    """Code -> name in English, in the order of the names."""
    names = Locale("en").territories
    found = {code: name for code, name in names.items() if len(code) == 2 and code not in _NO_COUNTRIES}
    return dict(sorted(found.items(), key=lambda item: unicodedata.normalize("NFD", item[1])))


def normal(country: str, tax_id: str) -> str:
    """The number as it is kept: where VAT numbers are checked, with its prefix and without spaces, dots and dashes."""
    if country not in CHECKED or not tax_id:
        return tax_id
    bare = "".join(char for char in tax_id.upper() if char.isalnum())
    own = _prefixes(country)
    if country == "GR":
        bare = bare.removeprefix("GR")
    return bare if not bare or bare.startswith(own) else own[0] + bare


def is_vat(country: str, tax_id: str) -> bool:
    """Whether the number, in its normal form, is a VAT number of the country."""
    prefix = next((one for one in _prefixes(country) if tax_id.startswith(one)), "")
    if country not in CHECKED or not prefix:
        return False
    module = get_cc_module(_NUMBERS_OF.get(prefix, country).lower(), "vat")
    # The Swiss number's letters belong to it, and its ending says in which language it is written.
    number = tax_id if country == "CH" else tax_id.removeprefix(prefix)
    endings = ("", "MVA") if country == "NO" else ("", "MWST") if country == "CH" else ("",)
    return any(_holds(module, number + ending) for ending in endings)


def fault(country: str, tax_id: str) -> str:
    """The sentence to show beside a number in its normal form; empty when it can be taken."""
    if not tax_id or country not in CHECKED or is_vat(country, tax_id):
        return ""
    return f"This is no VAT number of {countries()[country]}: its check digit doesn't fit. Compare it with your papers."


def _prefixes(country: str) -> tuple[str, ...]:
    return _PREFIXES.get(country, (country,))


def _holds(module: ModuleType, number: str) -> bool:
    try:
        module.validate(number)
    except ValidationError:
        return False
    return True
