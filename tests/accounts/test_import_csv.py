"""The check of a file, without a database: what it takes, and every fault by row and column."""

import csv
import io
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal_app.accounts import import_csv, import_text
from portal_app.accounts.import_csv import EMAIL, NAME, PLACE, SUBSCRIPTION, Checked, Fault, Known
from portal_app.models import SubscriptionType
from tests.accounts.import_files import many, sheet

PLACES = {1: "Germany (Frankfurt)", 2: "UK (London)", 3: "US East (Virginia)"}
KNOWN = Known(
    {name.casefold(): number for number, name in PLACES.items()} | {"de-frankfurt": 1, "uk-london": 2},
    PLACES,
    2,
    SubscriptionType.TRIAL_ANNUAL,
)
GOOD = "Harbor Dental,harbor@dental.example,Germany (Frankfurt),Trial"


def check(content: bytes) -> Checked:
    return import_csv.check(content, KNOWN)


def only_fault(content: bytes) -> Fault:
    (fault,) = check(content).faults
    return fault


def test_a_good_row() -> None:
    found = check(sheet(GOOD))
    (row,) = found.rows
    assert found.faults == []
    assert (row.row, row.name, row.email) == (2, "Harbor Dental", "harbor@dental.example")
    assert (row.place_id, row.subscription) == (1, SubscriptionType.TRIAL)


def test_empty_cells_and_missing_optional_columns_mean_the_partners_defaults() -> None:
    for content in (sheet("Ann,ann@x.example,,"), sheet("Ann,ann@x.example", header="Account name,Account email")):
        (row,) = check(content).rows
        assert (row.place_id, row.subscription) == (2, SubscriptionType.TRIAL_ANNUAL)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Trial", "trial"),
        ("Trial then monthly", "trial_monthly"),
        ("TRIAL THEN ANNUAL", "trial_annual"),
        (" monthly ", "monthly"),
        ("Annual", "annual"),
        ("trial_monthly", "trial_monthly"),
        ("trial_annual", "trial_annual"),
    ],
)
def test_subscriptions_by_label_and_by_key(text: str, kind: str) -> None:
    assert [row.subscription for row in check(sheet(f"Ann,ann@x.example,,{text}")).rows] == [kind]


@pytest.mark.parametrize("text", ["UK (London)", "uk (london)", " UK (London) ", "uk-london"])
def test_data_centers_by_name_and_by_code(text: str) -> None:
    assert [row.place_id for row in check(sheet(f"Ann,ann@x.example,{text},")).rows] == [2]


@pytest.mark.parametrize(
    "name", ["=SUM(A1:A9)", "+49 GmbH", "@home", "-", "مستشفى السلام", "🚀 Rocket", 'O\'Neil "&" <b>']
)
def test_odd_names_are_kept_as_they_are(name: str) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    assert [row.name for row in check(sheet(f"{quoted},ann@x.example,,")).rows] == [name]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_the_separator_is_that_of_the_first_row(separator: str) -> None:
    line = separator.join(("Ann; Bob, Co" if separator == "\t" else '"Ann; Bob, Co"', "ann@x.example", "", ""))
    header = separator.join(import_csv.COLUMNS)
    assert [row.name for row in check(sheet(line, header=header)).rows] == ["Ann; Bob, Co"]


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_every_kind_of_line_ending(ending: str) -> None:
    content = sheet(GOOD).replace(b"\r\n", ending.encode())
    assert len(check(content).rows) == 1


@pytest.mark.parametrize(
    "header", ["account_name,ACCOUNT EMAIL,Data Centre, subscription ", '"Account name","Account email",,']
)
def test_the_columns_names_are_read_kindly(header: str) -> None:
    assert check(sheet("Ann,ann@x.example,,", header=header)).faults == []


def test_columns_may_stand_in_any_order() -> None:
    (row,) = check(sheet("Monthly,ann@x.example,Ann", header="Subscription,Account email,Account name")).rows
    assert (row.name, row.email, row.subscription) == ("Ann", "ann@x.example", "monthly")


def test_rows_are_counted_as_a_spreadsheet_does() -> None:
    content = sheet(GOOD, "", ",,,", '"Two\r\nlines",two@x.example,,', "Bar,bad,,")
    assert [(fault.row, fault.column) for fault in check(content).faults] == [(5, NAME), (6, EMAIL)]


def test_empty_cells_beyond_the_columns_do_no_harm() -> None:
    assert check(sheet(GOOD + ",,,")).faults == []


@pytest.mark.parametrize(
    ("encode", "name"),
    [
        (lambda text: text.encode(), "UTF-8"),
        (lambda text: text.encode("utf-8-sig"), "UTF-8"),
        (lambda text: text.encode("utf-16"), "UTF-16"),
        (lambda text: b"\xfe\xff" + text.encode("utf-16-be"), "UTF-16"),
        (lambda text: text.encode("cp1252"), "Windows-1252"),
    ],
)
def test_encodings(encode: Callable[[str], bytes], name: str) -> None:
    found = check(encode(sheet("Müller & Söhne \u2013 Café “Zoé”,m@x.example,,").decode()))
    assert found.encoding == name
    assert [row.name for row in found.rows] == ["Müller & Söhne \u2013 Café “Zoé”"]


@pytest.mark.parametrize(
    "content",
    [
        sheet("Ärzte Müller,m@x.example,,").decode().encode("cp850"),
        sheet("Café Zoé,m@x.example,,").decode().encode("mac_roman"),
        sheet("Привет,m@x.example,,").decode().encode("cp1251"),
        sheet("Łódź Śląsk,m@x.example,,").decode().encode("cp1250"),
        sheet("東京商事株式会社,m@x.example,,").decode().encode("shift_jis"),
        sheet(GOOD).decode().encode("utf-32"),
        b"\xef\xbb\xbf" + sheet("Caf\u00e9,m@x.example,,").decode().encode("cp1252"),
        b"\xff\xfeA",
        b"\x00\x01\x02\xff",
    ],
)
def test_letters_that_can_only_be_guessed_are_refused(content: bytes) -> None:
    assert only_fault(content) == Fault(0, "", "", import_text.NOT_UTF8)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", import_csv.EMPTY),
        (b"\r\n \r\n", import_csv.EMPTY),
        (b"\xef\xbb\xbf", import_csv.EMPTY),
        (sheet(), import_csv.ONLY_HEADER),
        (sheet(",,,", ""), import_csv.ONLY_HEADER),
        (sheet(header=GOOD), import_csv.NO_HEADER),
        (b"PK\x03\x04 and so on", import_text.WORKBOOK),
        (b'"Account name', import_text.NEVER_CLOSED),
    ],
)
def test_a_file_that_is_no_list_of_accounts(content: bytes, sentence: str) -> None:
    assert only_fault(content).text == sentence


def test_the_wrong_columns_are_all_named() -> None:
    found = check(sheet("a,b,c,d", header="Account name,Data center,Data center,Phone"))
    assert [(f.row, f.column, f.text) for f in found.faults[:2]] == [
        (1, EMAIL, import_csv.MISSING),
        (1, PLACE, import_csv.TWICE),
    ]
    assert (found.faults[2].column, found.faults[2].text) == ("Phone", "The import knows no such column. Remove it.")
    assert found.rows == []


def test_an_unknown_column_does_not_hide_the_faults_of_the_rows() -> None:
    found = check(sheet("Ann,bad,x", header="Account name,Account email,Acount name"))
    assert [(f.row, f.column) for f in found.faults] == [(1, "Acount name"), (2, EMAIL)]
    assert "Did you mean “Account name”?" in found.faults[0].text


def test_a_first_row_of_a_thousand_columns_is_one_fault() -> None:
    assert only_fault(sheet("x", header="Account name,Account email" + ",Phone" * 1000)).text == import_csv.TOO_WIDE


@pytest.mark.parametrize(
    ("line", "column", "words"),
    [
        (",ann@x.example,,", NAME, "Enter a name."),
        ("x" * 121 + ",ann@x.example,,", NAME, "Use at most 120 characters; this has 121."),
        ("Ann\x07,ann@x.example,,", NAME, "Remove the invisible control characters."),
        ("Ann\x00,ann@x.example,,", NAME, "Remove the invisible control characters."),
        ("Evil\u202ename,ann@x.example,,", NAME, "Remove the invisible control characters."),
        ('"Two\nlines",ann@x.example,,', NAME, import_csv.LINE_BREAK),
        ("Ann,,,", EMAIL, "Enter an email address."),
        ("Ann,ann.example,,", EMAIL, "Enter an address such as name@company.com."),
        ("Ann," + "x" * 250 + "@x.example,,", EMAIL, "An email address has at most 254 characters; this has 260."),
        ("Ann,ann@x.example,Frankfrt,", PLACE, "Did you mean “Germany (Frankfurt)”?"),
        ("Ann,ann@x.example,london,", PLACE, "Did you mean “UK (London)”?"),
        ("Ann,ann@x.example,Atlantis,", PLACE, "Use one of those listed"),
        ("Ann,ann@x.example,,weekly", SUBSCRIPTION, "Use one of: Trial, Trial then monthly,"),
        ("Ann,ann@x.example", "", "This row has 2 values, the first row 4. End it with a comma"),
        ("Ann", "", "This row has 1 value, the first row 4."),
        ("Ann,ann@x.example,,,extra", "", "This row has 5 values, the first row 4. Put quotation marks around"),
        ('"Ann" Ltd,ann@x.example,,', "", import_text.BROKEN_QUOTES),
        ('Ann,"ann@x.example,,', "", import_text.NEVER_CLOSED),
    ],
)
def test_a_fault_names_row_column_and_what_to_do(line: str, column: str, words: str) -> None:
    found = check(sheet("Bob,bob@x.example,,", line))
    (fault,) = found.faults
    assert (fault.row, fault.column) == (3, column)
    assert words in fault.text
    assert [row.row for row in found.rows] == [2]


def test_every_fault_of_a_row_is_told() -> None:
    assert [f.column for f in check(sheet(",bad,nowhere,never")).faults] == [NAME, EMAIL, PLACE, SUBSCRIPTION]


def test_rows_after_a_broken_one_are_still_checked() -> None:
    found = check(sheet('"Ann" Ltd,ann@x.example,,', "Bob,bad,,"))
    assert [(f.row, f.column) for f in found.faults] == [(2, ""), (3, EMAIL)]


@pytest.mark.parametrize("again", ["harbor@dental.example", "HARBOR@Dental.Example", " harbor@dental.example "])
def test_the_same_email_twice_names_the_first_row(again: str) -> None:
    fault = only_fault(sheet(GOOD, "Bob,bob@x.example,,", f"Cid,{again},,"))
    assert (fault.row, fault.column) == (4, EMAIL)
    assert fault.text.startswith("Row 2 has the same email.")


def test_addresses_that_only_look_different_are_the_same() -> None:
    assert only_fault(sheet("A,a@bücher.example,,", "B,a@xn--bcher-kva.example,,")).row == 3


def test_what_cannot_be_seen_is_shown_and_what_is_long_is_cut() -> None:
    assert only_fault(sheet("Evil\u202ename\x07,ann@x.example,,")).value == "Evil\\u202ename\\x07"
    assert only_fault(sheet("x" * 500 + ",ann@x.example,,")).value == "x" * 80 + "…"


@pytest.mark.parametrize(("number", "refused"), [(50_000, False), (50_001, True)])
def test_up_to_fifty_thousand_accounts(number: int, refused: bool) -> None:
    found = check(many(number))
    assert [fault.text for fault in found.faults] == [import_csv.TOO_MANY] * refused
    assert len(found.rows) == (0 if refused else number)


def test_the_worst_fifty_thousand_rows_are_checked_in_seconds_of_processor() -> None:
    content = sheet(*(f"\x07{i},bad{i},Nowhere at all number {i},{'never' * 20}" for i in range(50_000)))
    begun = time.thread_time()
    assert len(check(content).faults) == 200_000
    assert time.thread_time() - begun < 20


def test_progress_grows_to_the_end() -> None:
    seen: list[float] = []
    import_csv.check(many(2_000), KNOWN, seen.append)
    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == (0, 0.95)


def _lines(cell: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(st.lists(cell, max_size=6).map(",".join), max_size=6).map("\n".join)


HOSTILE = st.one_of(
    st.text(max_size=20), st.sampled_from(['"', "\r", "\x00", "\ufeff", ";", "\t", *import_csv.COLUMNS, GOOD])
)


@given(st.binary(max_size=400))
def test_no_bytes_are_an_error(content: bytes) -> None:
    found = check(content)
    assert found.faults or found.rows


@given(st.booleans(), _lines(HOSTILE))
def test_no_text_is_an_error_and_each_row_is_good_or_told(with_header: bool, text: str) -> None:
    content = (import_csv.template() if with_header else b"") + text.encode("utf-8", "replace")
    found = check(content)
    assert found.faults or found.rows
    assert not {fault.row for fault in found.faults} & {row.row for row in found.rows}
    assert len({row.email_key for row in found.rows}) == len(found.rows)


@given(
    st.lists(st.tuples(st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=30)), max_size=20)
)
def test_what_a_spreadsheet_writes_comes_back_as_it_was(names: list[tuple[str]]) -> None:
    out = io.StringIO(newline="")
    csv.writer(out).writerows(
        [import_csv.COLUMNS, *((name, f"a{i}@x.example", "", "") for i, (name,) in enumerate(names))]
    )
    found = check(out.getvalue().encode())
    told = {fault.row for fault in found.faults if fault.row}
    assert [row.name for row in found.rows] == [
        import_csv.clean(name) for i, (name,) in enumerate(names, 2) if i not in told
    ]


def test_the_template_holds_the_columns() -> None:
    assert import_csv.template() == b"\xef\xbb\xbfAccount name,Account email,Data center,Subscription\r\n"


def test_the_faults_file_is_rfc_4180_and_runs_no_formula() -> None:
    faults = [Fault(0, "", "", "All."), Fault(7, NAME, "=1+1", 'Say "a, b".'), Fault(8, EMAIL, " @x", "No.")]
    content = import_csv.faults_file(faults)
    assert content.startswith(b"\xef\xbb\xbfRow,Column,Value,What to do\r\n")
    assert content.endswith(b"\r\n")
    lines = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert lines[1:] == [
        ["", "", "", "All."],
        ["7", NAME, "'=1+1", 'Say "a, b".'],
        ["8", EMAIL, "' @x", "No."],
    ]
