"""VAT numbers: written in many ways, kept in one, checked by their checksum."""

import pytest

from portal_app.billing import tax_ids

GOOD = {
    ("AT", "U13585627"): "ATU13585627",
    ("CH", "CHE-107.787.577 IVA"): "CHE107787577IVA",
    ("CH", "CHE 107 787 577"): "CHE107787577",
    ("DE", "136 695 976"): "DE136695976",
    ("DE", "de136.695.976"): "DE136695976",
    ("ES", "ES B-58378431"): "ESB58378431",
    ("FR", "Fr 40 303 265 045"): "FR40303265045",
    ("GB", "GB 980 7806 84"): "GB980780684",
    ("GB", "XI980780684"): "XI980780684",
    ("GR", "GR 094259216"): "EL094259216",
    ("NL", "4495445B01"): "NL4495445B01",
    ("NO", "NO 995 525 828 MVA"): "NO995525828MVA",
}
BAD = [("DE", "DE136695977"), ("DE", "D"), ("GB", "GB123456789"), ("FR", "FR 41 303 265 045"), ("NO", "995525829")]


@pytest.mark.parametrize(("given", "kept"), GOOD.items())
def test_a_number_is_kept_in_one_form(given: tuple[str, str], kept: str) -> None:
    country, written = given
    assert tax_ids.normal(country, written) == tax_ids.normal(country, kept) == kept
    assert tax_ids.is_vat(country, kept)
    assert not tax_ids.fault(country, kept)


@pytest.mark.parametrize(("country", "written"), BAD)
def test_a_wrong_digit_is_told_of(country: str, written: str) -> None:
    kept = tax_ids.normal(country, written)
    assert not tax_ids.is_vat(country, kept)
    assert tax_ids.countries()[country] in tax_ids.fault(country, kept)


def test_elsewhere_a_number_is_taken_as_it_is_and_is_no_vat_number() -> None:
    assert tax_ids.normal("CA", "12-345") == "12-345"
    assert not tax_ids.fault("CA", "12-345")
    assert not tax_ids.is_vat("CA", "12-345")
    assert not tax_ids.is_vat("FR", "DE136695976")
    assert not tax_ids.fault("DE", "")


def test_countries_are_those_of_the_standard() -> None:
    found = tax_ids.countries()
    assert len(found) == 249
    assert (found["DE"], found["GB"]) == ("Germany", "United Kingdom")
    assert found.keys() >= tax_ids.CHECKED
