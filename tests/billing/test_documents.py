"""A bill's documents: PDF, e-invoice and CSV of every kind of bill, and who may have them."""

import asyncio
import csv
import io
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import httpx
import pytest
from pypdf import PdfReader
from sqlmodel import Session, select
from starlette.applications import Starlette

from portal_app import db
from portal_app.billing import bill_csv, document_reading, document_routes, documents, facturx
from portal_app.billing.document_reading import BillDocument
from portal_app.billing.profiles import profile_to_change
from portal_app.models import AuditEvent, Bill, BillKind, BillLine, BillState
from portal_app.money import major
from portal_app.settings import reset_settings
from tests.billing import factories
from tests.billing.einvoices import carried, faults
from tests.cast import Cast, cookie_of

Get = Callable[..., httpx.Response]
SELLER = {
    "NAME": "Hafen Cloud GmbH",
    "ADDRESS": "Hafenstraße 12",
    "ZIP": "20457",
    "CITY": "Hamburg",
    "COUNTRY": "DE",
    "TAX_ID": "DE 136 695 976",
    "REGISTRATION": "HRB 12345",
    "PHONE": "+49 40 123456",
    "IBAN": "DE89 3704 0044 0532 0130 00",
    "BIC": "COBADEFFXXX",
}
BUYER = {
    "company": "Alpha & <Söhne> *Ltd*",
    "address": "1 Main Street\nFloor 2",
    "zip": "75001",
    "city": "Paris",
    "country": "FR",
    "tax_id": "FR83404833048",
}


@pytest.fixture
def seller(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Say who sells: all of SELLER, but for what is given."""

    def said(**given: str) -> None:
        for name, value in (SELLER | given).items():
            monkeypatch.setenv(f"PORTAL_SELLER_{name}", value)
        reset_settings()

    said()
    return said


@pytest.fixture
def get() -> Get:
    def getting(path: str, cookie: str = "") -> httpx.Response:
        async def run() -> httpx.Response:
            transport = httpx.ASGITransport(Starlette(routes=document_routes.routes), client=("192.0.2.7", 50_000))
            async with httpx.AsyncClient(transport=transport, base_url="http://portal.example") as client:
                return await client.get(path, headers={"Cookie": cookie} if cookie else {})

        return asyncio.run(run())

    return getting


def _buy(cast: Cast, **given: Any) -> None:
    def change(session: Session) -> None:
        profile = profile_to_change(session, cast.partner_a.id or 0)
        for name, value in (BUYER | given).items():
            setattr(profile, name, value)
        session.add(profile)

    db.write(change)


def _bill(cast: Cast, *nets: int, **given: Any) -> Bill:
    parts = [(cast.accounts_a[position % 3], net) for position, net in enumerate(nets or (1_000, 2_050))]
    return db.write(factories.bill, cast.partner_a, parts, **{"currency": "EUR", "tax_bp": 1_900} | given)


def _document(bill: Bill) -> BillDocument:
    return db.read(document_reading.of_bill, bill)


def _words(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)


@pytest.mark.parametrize("ending", ["pdf", "csv"])
@pytest.mark.parametrize(("who", "status"), [("nina", 303), ("dave", 303), ("bob", 303), ("mallory", 404)])
def test_others_get_nothing(cast: Cast, get: Get, who: str, status: int, ending: str) -> None:
    bill = _bill(cast)
    answer = get(f"/billing/bills/{bill.number}.{ending}", cookie_of(cast.people[who]))
    assert answer.status_code == status
    unknown = get(f"/billing/bills/999999.{ending}", cookie_of(cast.people[who]))
    assert (unknown.status_code, unknown.content) == (answer.status_code, answer.content)


def test_only_operators_take_the_operators_way_and_it_is_in_the_partners_audit(cast: Cast, get: Get) -> None:
    path = f"/operator/bills/{_bill(cast).number}.csv"
    assert get(path, cookie_of(cast.alice)).status_code == 303
    assert get(path, cookie_of(cast.olga)).status_code == 200
    rows = db.read(lambda session: list(session.exec(select(AuditEvent))))
    done = [row.performed_by for row in rows if row.partner_id == cast.partner_a.id and "as CSV" in row.description]
    assert done == [cast.olga.email]


def test_who_is_not_signed_in_sees_the_bill_after_the_sign_in(cast: Cast, get: Get) -> None:
    open_, paid = _bill(cast), _bill(cast, state=BillState.PAID)
    answer = get(f"/billing/bills/{open_.number}.pdf")
    assert answer.headers["location"] == f"/login?next=%2Fbilling%2Fbills%2F{open_.number}"
    cookie = cookie_of(cast.carol)
    here = [get(f"/billing/bills/{bill.number}", cookie).headers["location"] for bill in (open_, paid)]
    assert here == [f"/billing/unpaid?search={open_.number}", f"/billing/history?search={paid.number}"]
    assert get(f"/billing/bills/{paid.number}", cookie_of(cast.mallory)).status_code == 404
    assert get("/billing/bills/x", cookie).status_code == 404


@pytest.mark.parametrize("name", ["x.pdf", "-1.pdf", "1.exe", "٣.pdf", "9" * 30 + ".pdf", "9" * 5_000 + ".csv"])
def test_no_name_of_a_bill_is_simply_not_found(cast: Cast, get: Get, name: str) -> None:
    assert get(f"/billing/bills/{name}", cookie_of(cast.alice)).status_code == 404


def test_who_has_chosen_accounts_reads_only_what_is_wholly_theirs(cast: Cast) -> None:
    bob = replace(cast.actor("bob"), permissions=cast.actor("carol").permissions)
    shared, own = _bill(cast, 1_000, 2_000), _bill(cast, 1_000)
    assert db.read(document_reading.document, bob, own.number, "PDF").bill.id == own.id
    with pytest.raises(Exception, match="no such bill"):
        db.read(document_reading.document, bob, shared.number, "PDF")


def test_a_download_is_a_file_that_nobody_keeps(cast: Cast, seller, get: Get) -> None:
    bill = _bill(cast)
    answer = get(f"/billing/bills/{bill.number}.pdf", cookie_of(cast.carol))
    assert answer.content.startswith(b"%PDF-1.7")
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"] == f'attachment; filename="invoice-{bill.number}.pdf"'
    assert answer.headers["cache-control"] == "no-store"


KINDS = {
    "monthly, consolidated": {},
    "of one account": {"nets": (2_050,)},
    "annual": {"plan": "annual"},
    "by card": {"method": "card"},
    "large enough for a transfer": {"nets": (500_000, 1)},
    "large, in dollars": {"nets": (500_000, 1), "currency": "USD"},
    "in yen": {"currency": "JPY", "tax_bp": 1_000},
    "with an odd tax": {"tax_bp": 825, "nets": (333, 334, 1)},
    "reverse charge": {"tax_bp": 0, "reverse_charge": True},
    "with an amount taken back": {"nets": (1_000, -400)},
    "credit note": {"nets": (-500, -1), "kind": BillKind.CREDIT_NOTE},
    "credit note without tax": {"nets": (-500,), "kind": BillKind.CREDIT_NOTE, "tax_bp": 0, "reverse_charge": True},
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_an_e_invoice_that_keeps_the_official_rules(cast: Cast, seller, kind: str) -> None:
    given = dict(KINDS[kind])
    nets = given.pop("nets", (1_000, 2_050))
    _buy(cast)
    if given.get("kind") == BillKind.CREDIT_NOTE:
        given["credits_id"] = _bill(cast).id
    bill = _bill(cast, *nets, **given)
    pdf = documents.pdf(_document(bill))
    xml = carried(pdf)
    assert faults(xml) == []
    total = major(abs(bill.total_minor), bill.currency)
    assert f"GrandTotalAmount>{total}<".encode() in xml
    assert str(bill.number) in _words(pdf)


def test_without_tax_it_is_an_e_invoice_where_the_seller_says_why(cast: Cast, seller) -> None:
    _buy(cast)
    assert facturx.xml(_document(_bill(cast, tax_bp=0))) is None
    seller(TAX_NOTE="Exempt under section 19 UStG")
    document = _document(_bill(cast, tax_bp=0))
    assert faults(facturx.xml(document) or b"") == []
    assert "Exempt under section 19 UStG" in _words(documents.pdf(document))
    seller(TAX_ID="", TAX_NOTE="")
    assert faults(facturx.xml(_document(_bill(cast, tax_bp=0))) or b"") == []
    seller(TAX_ID="", TAX_NOTE="", REGISTRATION="")
    assert facturx.xml(_document(_bill(cast, tax_bp=0))) is None


def test_where_the_rules_cannot_be_kept_it_is_a_plain_pdf(cast: Cast, seller) -> None:
    _buy(cast)
    dinars = _bill(cast, currency="KWD", tax_bp=500)
    assert facturx.xml(_document(dinars)) is None
    assert "KWD" in _words(documents.pdf(_document(dinars)))
    _buy(cast, country="")
    assert facturx.xml(_document(_bill(cast))) is None
    _buy(cast, tax_id="")
    assert facturx.xml(_document(_bill(cast, tax_bp=0, reverse_charge=True))) is None
    seller(COUNTRY="")
    assert facturx.xml(_document(_bill(cast))) is None


def test_the_pdf_says_that_it_is_an_archives_file_and_carries_its_data(cast: Cast, seller) -> None:
    _buy(cast)
    reader = PdfReader(io.BytesIO(documents.pdf(_document(_bill(cast)))))
    root: Any = reader.trailer["/Root"]
    meta = root["/Metadata"].get_object().get_data().decode()
    assert "<pdfaid:part>3</pdfaid:part>" in meta
    assert "<fx:ConformanceLevel>EN 16931</fx:ConformanceLevel>" in meta
    assert root["/OutputIntents"]
    assert [file.get_object()["/AFRelationship"] for file in root["/AF"].get_object()] == ["/Alternative"]
    assert list(reader.attachments) == ["factur-x.xml"]


def test_no_name_is_taken_for_markup_and_all_of_it_is_there(cast: Cast, seller) -> None:
    _buy(cast, company="#panic() $x$ *Ltd* <a> @b \\ [c]", address='"; #sys.inputs')
    words = _words(documents.pdf(_document(_bill(cast))))
    assert "#panic() $x$ *Ltd* <a> @b \\ [c]" in words
    assert '"; #sys.inputs' in words


@pytest.mark.parametrize(
    "name", ["株式会社テスト", "한국 주식회사", "शाखा", "Ünïcode Ω Ж", "Emoji 🙂 Ltd", "\u202eabc"]
)
def test_a_name_in_any_script_never_stops_a_bill(cast: Cast, seller, name: str) -> None:
    _buy(cast, company=name)
    assert documents.pdf(_document(_bill(cast))).startswith(b"%PDF")


def test_chinese_japanese_and_korean_names_are_legible(cast: Cast, seller) -> None:
    _buy(cast, company="株式会社テスト 한국 请")
    pdf = documents.pdf(_document(_bill(cast)))
    assert "株式会社テスト 한국 请" in _words(pdf)
    assert faults(carried(pdf)) == []


def test_a_large_open_bill_shows_the_bank_and_a_small_or_paid_one_does_not(cast: Cast, seller) -> None:
    large, small = _bill(cast, 100_000), _bill(cast, 1_000)
    paid = _bill(cast, 100_000, state=BillState.PAID)
    assert "DE89370400440532013000" in _words(documents.pdf(_document(large)))
    assert "DE89370400440532013000" not in _words(documents.pdf(_document(small)))
    words = _words(documents.pdf(_document(paid)))
    assert "DE89370400440532013000" not in words
    assert "Paid" in words


def test_a_bill_stays_as_it_was_made(cast: Cast, seller) -> None:
    _buy(cast)
    bill = _bill(cast)
    _buy(cast, company="Renamed Ltd")
    seller(NAME="Sold GmbH")
    words = _words(documents.pdf(_document(bill)))
    assert "Hafen Cloud GmbH" in words
    assert BUYER["company"] in words
    assert "Renamed" not in words


@pytest.mark.parametrize("given", [{}, {"currency": "JPY"}, {"currency": "KWD", "tax_bp": 333}, {"tax_bp": 0}])
def test_the_lines_of_the_csv_add_up_to_the_bill(cast: Cast, given: dict[str, Any]) -> None:
    bill = _bill(cast, 333, 10**9 + 1, 1, **given)
    rows = list(csv.DictReader(io.StringIO(bill_csv.csv(_document(bill)).decode("utf-8-sig"), newline="")))
    assert sum(Decimal(row["Amount"]) for row in rows) == major(bill.total_minor, bill.currency)
    assert {row["Currency"] for row in rows} == {bill.currency}
    assert rows[0]["Account Name"] == "Alpha Ash"
    assert rows[0]["Email"] == "alpha.ash@customers.example"


def test_a_credit_notes_csv_has_numbers_below_zero_and_no_formula(cast: Cast) -> None:
    credited = _bill(cast)
    bill = _bill(cast, -500, kind=BillKind.CREDIT_NOTE, credits_id=credited.id)

    def rename(session: Session) -> None:
        (line,) = _document(bill).lines
        line.account_name = "=1+1"
        session.merge(line)

    db.write(rename)
    first, tax = list(csv.DictReader(io.StringIO(bill_csv.csv(_document(bill)).decode("utf-8-sig"), newline="")))
    assert (first["Account Name"], first["Amount"], tax["Amount"]) == ("'=1+1", "-5.00", "-0.95")


def test_a_bill_of_many_lines_is_a_line_an_account_in_the_pdf_and_in_its_data(cast: Cast, seller) -> None:
    _buy(cast)
    each = documents.MOST_LINES
    document = _document(_bill(cast, 1_000 * each, 2_000 * each))
    lines = [line for line in document.lines for _ in range(each)]
    for line in document.lines:
        line.amount_minor //= each
    pdf = documents.pdf(replace(document, lines=lines))
    words = _words(pdf)
    assert faults(carried(pdf)) == []
    assert "The 1,000 lines of this bill are in its CSV." in words
    assert words.count("Alpha Ash") == 1


def test_a_bill_of_many_accounts_is_a_line_a_service_in_the_pdf_and_in_its_data(cast: Cast, seller) -> None:
    _buy(cast)
    each = documents.MOST_LINES + 1
    document = _document(_bill(cast, 3_000 * each))
    (line,) = document.lines
    services = ("exchange", "box", "")
    lines = [
        BillLine(**line.model_dump() | {"account_id": number, "service": service, "amount_minor": 1_000})
        for number in range(each)
        for service in services
    ]
    pdf = documents.pdf(replace(document, lines=lines))
    words = _words(pdf)
    assert faults(carried(pdf)) == []
    assert f"The {3 * each:,} lines of this bill are in its CSV." in words
    for word in ("Microsoft 365 Exchange", "Box", "Monthly minimum"):
        assert words.count(word) == 1
    assert words.count("€5,010.00") == len(services)


def _rename(session: Session, bill: Bill, name: str) -> None:
    for line in session.exec(select(BillLine).where(BillLine.bill_id == bill.id)):
        line.account_name = name


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Party \U0001f389 \U0001f469\u200d\U0001f4bb People", "Party People"),
        ("Tokyo \u6771\u4eac \u2764\ufe0f Flags \U0001f1e9\U0001f1ea", "Tokyo \u6771\u4eac \u2764 Flags"),
        ("\U0001f389\U0001f389", "\u2013"),
        ("Hello \u0ba4\u0bae\u0bbf\u0bb4\u0bcd", "Hello ?"),
    ],
)
def test_what_no_font_has_is_left_out_and_the_archive_takes_the_file(
    cast: Cast, seller: Callable[..., None], name: str, shown: str
) -> None:
    _buy(cast)
    bill = _bill(cast, 1_000)
    db.write(_rename, bill, name)
    made = documents.pdf(_document(bill))
    words = " ".join(_words(made).split())
    assert shown in words
    assert "\ufffd" not in words and not any(char in words for char in name if char > "\uffff")
    # Only a file for archives carries the e-invoice, which keeps the name as it is.
    assert name in carried(made).decode()
