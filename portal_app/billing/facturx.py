"""A bill as data: the CII XML of EN 16931, which a Factur-X PDF carries.

Only where the rules can be kept. A currency with three digits can't (amounts have two at most there), nor can a seller
or buyer without a country, or tax without the numbers that it needs: such a bill is a plain PDF.
"""

from datetime import date, timedelta
from decimal import Decimal
from xml.etree.ElementTree import Element, SubElement, register_namespace, tostring

from babel.numbers import get_currency_precision

from portal_app.billing import tax_ids
from portal_app.billing.document_reading import BillDocument
from portal_app.billing.parties import takes_transfer
from portal_app.billing.words import quantity
from portal_app.models import Bill, BillingMethod, BillKind, BillLine
from portal_app.money import plain_text

PROFILE = "urn:cen.eu:en16931:2017"
_RAM, _RSM = "ReusableAggregateBusinessInformationEntity", "CrossIndustryInvoice"
_UDT, _QDT = "UnqualifiedDataType", "QualifiedDataType"
_URN = "urn:un:unece:uncefact:data:{}:{}:100"
_SPACES = {
    "rsm": _URN.format("standard", _RSM),
    "ram": _URN.format("standard", _RAM),
    "udt": _URN.format("standard", _UDT),
    "qdt": _URN.format("standard", _QDT),
}
_INVOICE, _CREDIT_NOTE = "380", "381"
# How it is paid (UNTDID 4461): to an account, by card, on the portal's page.
_SEPA, _TRANSFER, _CARD, _ONLINE = "58", "30", "54", "68"
# Units (UN/ECE Recommendation 20).
_ONE, _UNITS = "C62", {"GB": "E34"}
_REVERSE = "Reverse charge: the recipient owes the tax."


def xml(document: BillDocument) -> bytes | None:
    """The data of the bill; None where there can be no valid e-invoice of it."""
    bill = document.bill
    category = category_of(bill)
    have_countries = bill.seller.get("country") and bill.buyer.get("country")
    if category is None or not have_countries or get_currency_precision(bill.currency) > 2:
        return None
    for prefix, uri in _SPACES.items():
        register_namespace(prefix, uri)
    root = Element(_name("rsm:CrossIndustryInvoice"))
    context = _add(root, "rsm:ExchangedDocumentContext")
    _add(_add(context, "ram:GuidelineSpecifiedDocumentContextParameter"), "ram:ID", PROFILE)
    _head(_add(root, "rsm:ExchangedDocument"), bill)
    trade = _add(root, "rsm:SupplyChainTradeTransaction")
    for position, line in enumerate(document.lines, 1):
        _line(_add(trade, "ram:IncludedSupplyChainTradeLineItem"), position, line, bill, category)
    agreement = _add(trade, "ram:ApplicableHeaderTradeAgreement")
    _party(_add(agreement, "ram:SellerTradeParty"), bill.seller, seller=True, untaxed=category == "O")
    _party(_add(agreement, "ram:BuyerTradeParty"), bill.buyer, seller=False, untaxed=category == "O")
    delivery = _add(trade, "ram:ApplicableHeaderTradeDelivery")
    _day(_add(delivery, "ram:ActualDeliverySupplyChainEvent"), "ram:OccurrenceDateTime", bill.effective_on)
    _settlement(_add(trade, "ram:ApplicableHeaderTradeSettlement"), document, category)
    return tostring(root, encoding="UTF-8", xml_declaration=True)


def category_of(bill: Bill) -> str | None:
    """The tax category (UNTDID 5305); None where the parties' numbers don't allow the one that would be right."""
    has_seller, has_buyer = _vat_number(bill.seller), _vat_number(bill.buyer)
    if bill.reverse_charge:
        return "AE" if has_seller and has_buyer else None
    if bill.tax_bp:
        return "S" if has_seller or (bill.seller.get("tax_id") and bill.seller.get("registration")) else None
    if not bill.seller.get("tax_id"):
        return "O" if bill.seller.get("registration") else None
    return "E" if bill.seller.get("tax_note") else None


def exemption(bill: Bill) -> str:
    """Why there is no tax, in words; empty where there is some, or nothing to say."""
    if bill.reverse_charge:
        return _REVERSE
    return "" if bill.tax_bp else bill.seller.get("tax_note", "")


def _head(head: Element, bill: Bill) -> None:
    _add(head, "ram:ID", str(bill.number))
    _add(head, "ram:TypeCode", _CREDIT_NOTE if bill.kind == BillKind.CREDIT_NOTE else _INVOICE)
    _day(head, "ram:IssueDateTime", bill.issued_on)


def _line(item: Element, position: int, line: BillLine, bill: Bill, category: str) -> None:
    units, unit = abs(quantity(line)) or Decimal(1), _UNITS.get(line.unit, _ONE)
    amount = _sign(bill) * line.amount_minor
    _add(_add(item, "ram:AssociatedDocumentLineDocument"), "ram:LineID", str(position))
    product = _add(item, "ram:SpecifiedTradeProduct")
    _add(product, "ram:Name", line.description)
    _add(product, "ram:Description", line.account_name)
    price = _add(_add(item, "ram:SpecifiedLineTradeAgreement"), "ram:NetPriceProductTradePrice")
    # The price of all units together: of a part of a month, one unit's price would have to be rounded.
    _add(price, "ram:ChargeAmount", _money(abs(amount), bill))
    _add(price, "ram:BasisQuantity", f"{units:f}", unitCode=unit)
    # Prices are never below zero: what is taken back is so many units less.
    billed = units if amount >= 0 else -units
    _add(_add(item, "ram:SpecifiedLineTradeDelivery"), "ram:BilledQuantity", f"{billed:f}", unitCode=unit)
    settlement = _add(item, "ram:SpecifiedLineTradeSettlement")
    _tax(_add(settlement, "ram:ApplicableTradeTax"), bill, category)
    period = _add(settlement, "ram:BillingSpecifiedPeriod")
    _day(period, "ram:StartDateTime", line.starts_on)
    _day(period, "ram:EndDateTime", line.ends_on - timedelta(days=1))
    summation = _add(settlement, "ram:SpecifiedTradeSettlementLineMonetarySummation")
    _add(summation, "ram:LineTotalAmount", _money(amount, bill))


def _party(party: Element, given: dict[str, str], *, seller: bool, untaxed: bool) -> None:
    _add(party, "ram:Name", given.get("name") or given.get("company", ""))
    if seller:
        _optional(party, "ram:SpecifiedLegalOrganization", "ram:ID", given.get("registration"))
        contact = _add(party, "ram:DefinedTradeContact")
        _add(contact, "ram:PersonName", given.get("name", ""))
        _optional(contact, "ram:TelephoneUniversalCommunication", "ram:CompleteNumber", given.get("phone"))
        _optional(contact, "ram:EmailURIUniversalCommunication", "ram:URIID", given.get("email"))
    address = _add(party, "ram:PostalTradeAddress")
    if given.get("zip"):
        _add(address, "ram:PostcodeCode", given["zip"])
    for name, line in zip(("One", "Two", "Three"), given.get("address", "").splitlines(), strict=False):
        _add(address, f"ram:Line{name}", line)
    if given.get("city"):
        _add(address, "ram:CityName", given["city"])
    _add(address, "ram:CountryID", given["country"])
    if _vat_number(given) and not untaxed:
        _add(_add(party, "ram:SpecifiedTaxRegistration"), "ram:ID", given["tax_id"], schemeID="VA")
    elif seller and given.get("tax_id"):
        _add(_add(party, "ram:SpecifiedTaxRegistration"), "ram:ID", given["tax_id"], schemeID="FC")


def _settlement(settlement: Element, document: BillDocument, category: str) -> None:
    bill = document.bill
    _add(settlement, "ram:InvoiceCurrencyCode", bill.currency)
    if bill.kind != BillKind.CREDIT_NOTE:
        _means(settlement, bill)
    tax = _add(settlement, "ram:ApplicableTradeTax")
    _tax(tax, bill, category, whole=True)
    if bill.kind != BillKind.CREDIT_NOTE:
        terms = _add(settlement, "ram:SpecifiedTradePaymentTerms")
        _day(terms, "ram:DueDateDateTime", bill.due_on)
    _summation(_add(settlement, "ram:SpecifiedTradeSettlementHeaderMonetarySummation"), bill)
    if document.credited:
        reference = _add(settlement, "ram:InvoiceReferencedDocument")
        _add(reference, "ram:IssuerAssignedID", str(document.credited.number))
        _day(reference, "ram:FormattedIssueDateTime", document.credited.issued_on, "qdt")


def _means(settlement: Element, bill: Bill) -> None:
    means = _add(settlement, "ram:SpecifiedTradeSettlementPaymentMeans")
    iban = bill.seller.get("iban") if takes_transfer(bill) else ""
    if bill.method == BillingMethod.CARD:
        _add(means, "ram:TypeCode", _CARD)
    elif not iban:
        _add(means, "ram:TypeCode", _ONLINE)
    else:
        _add(means, "ram:TypeCode", _SEPA if bill.currency == "EUR" else _TRANSFER)
        _optional(means, "ram:PayeePartyCreditorFinancialAccount", "ram:IBANID", iban)
        _optional(means, "ram:PayeeSpecifiedCreditorFinancialInstitution", "ram:BICID", bill.seller.get("bic"))


def _tax(tax: Element, bill: Bill, category: str, *, whole: bool = False) -> None:
    """The tax of a line, or of the whole bill with its amounts."""
    if whole:
        _add(tax, "ram:CalculatedAmount", _money(_sign(bill) * bill.tax_minor, bill))
    _add(tax, "ram:TypeCode", "VAT")
    if whole and category != "S":
        _add(tax, "ram:ExemptionReason", exemption(bill) or "Not subject to VAT")
    if whole:
        _add(tax, "ram:BasisAmount", _money(_sign(bill) * bill.net_minor, bill))
    _add(tax, "ram:CategoryCode", category)
    if category != "O":
        _add(tax, "ram:RateApplicablePercent", f"{Decimal(bill.tax_bp).scaleb(-2):f}" if category == "S" else "0")


def _summation(sums: Element, bill: Bill) -> None:
    net, total = _money(_sign(bill) * bill.net_minor, bill), _money(_sign(bill) * bill.total_minor, bill)
    _add(sums, "ram:LineTotalAmount", net)
    _add(sums, "ram:TaxBasisTotalAmount", net)
    _add(sums, "ram:TaxTotalAmount", _money(_sign(bill) * bill.tax_minor, bill), currencyID=bill.currency)
    _add(sums, "ram:GrandTotalAmount", total)
    _add(sums, "ram:DuePayableAmount", total)


def _vat_number(party: dict[str, str]) -> bool:
    return tax_ids.is_vat(party.get("country", ""), party.get("tax_id", ""))


def _sign(bill: Bill) -> int:
    """The amounts of a credit note are given as what is credited, above zero."""
    return -1 if bill.kind == BillKind.CREDIT_NOTE else 1


def _money(minor: int, bill: Bill) -> str:
    return plain_text(minor, bill.currency)


def _add(parent: Element, name: str, text: str | None = None, **attributes: str) -> Element:
    made = SubElement(parent, _name(name), attributes)
    made.text = text
    return made


def _optional(parent: Element, name: str, inner: str, text: str | None) -> None:
    if text:
        _add(_add(parent, name), inner, text)


def _day(parent: Element, name: str, day: date, space: str = "udt") -> None:
    _add(_add(parent, name), f"{space}:DateTimeString", f"{day:%Y%m%d}", format="102")


def _name(short: str) -> str:
    space, _, name = short.partition(":")
    return f"{{{_SPACES[space]}}}{name}"
