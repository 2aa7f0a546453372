"""+ Add New Account, with the mouse, by keyboard alone, and with all that should not be typed."""

import pytest
from playwright.sync_api import Page, expect
from sqlmodel import Session, col, select

from portal_app import db
from portal_app.models import Account, User
from portal_app.text import fold
from tests.e2e.people import Company, People, ready, sign_in
from tests.factories import PASSWORD as STRONG

TAKEN = "This email belongs to another account or user. Each account needs its own."


def open_form(people: People, company: Company) -> Page:
    page = people.open(company.email, "/accounts/new")
    expect(page.get_by_role("button", name="Add", exact=True)).to_be_enabled()
    return page


def fill(page: Page, name: str, email: str, password: str = STRONG, retype: str = STRONG) -> None:
    page.get_by_label("Account name", exact=True).fill(name)
    page.get_by_label("Account email", exact=True).fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_label("Retype password", exact=True).fill(retype)


def add(page: Page) -> None:
    page.get_by_role("button", name="Add", exact=True).click()


def accounts_of(company: Company) -> list[Account]:
    def read(session: Session) -> list[Account]:
        mine = select(Account).where(col(Account.partner_id) == company.partner_id)
        return list(session.exec(mine.order_by(col(Account.id))).all())

    return db.read(read)


@pytest.mark.parametrize(
    "name",
    [
        "Bäckerei Müßiggang & Söhne",
        "مكتبة النور للنشر والتوزيع",
        "Sunny Side Up Café 🍳☀️",
        "=SUM(A1) Analytics",
        "N" * 120,
    ],
)
def test_an_account_is_on_the_dashboard_at_once(people: People, company: Company, name: str) -> None:
    page = open_form(people, company)
    fill(page, name, f"  New.Customer{company.partner_id}@Example.com ")
    page.get_by_label("Data Center Location").select_option(label="Germany (Frankfurt)")
    page.get_by_label("Auto-subscription without trial").check()
    page.get_by_label("Annual", exact=True).check()
    add(page)
    expect(page.get_by_role("heading", name="Total Accounts")).to_have_text("1 of 1 Total Accounts")
    expect(page.get_by_role("link", name=name, exact=True)).to_be_visible()
    expect(page.get_by_role("cell", name="Annual Subscribed")).to_be_visible()
    (saved,) = accounts_of(company)
    assert (saved.name, saved.name_key) == (name, fold(name))
    assert saved.email_key == f"new.customer{company.partner_id}@example.com"


def test_by_keyboard_alone_from_signing_in_to_the_saved_account(people: People, company: Company) -> None:
    page = people.open(path="/login")
    keys = page.keyboard
    expect(page.get_by_role("button", name="Sign in")).to_be_enabled()
    expect(page.get_by_label("Email", exact=True)).to_be_focused()
    keys.type(company.email)
    keys.press("Tab")
    keys.type(STRONG)
    keys.press("Enter")
    expect(page.get_by_role("heading", name="No accounts yet")).to_be_visible()
    keys.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    keys.press("Enter")
    _tab_to(page, "+ Add New Account")
    keys.press("Enter")
    expect(page.get_by_role("button", name="Add", exact=True)).to_be_enabled()
    for label, text in (
        ("Account name", "Typed by Hand"),
        ("Account email", f"typed{company.partner_id}@example.com"),
        ("Password", STRONG),
        ("Retype password", STRONG),
    ):
        _tab_to(page, label)
        keys.type(text)
    _tab_to(page, "Data Center Location")
    keys.type("Canada")
    _tab_to(page, "Trial with expiration")
    keys.press("ArrowDown")
    keys.press("ArrowUp")
    _tab_to(page, "Add")
    keys.press("Enter")
    expect(page.get_by_role("link", name="Typed by Hand")).to_be_visible()
    expect(page.get_by_role("cell", name="Trial Started")).to_be_visible()


def _tab_to(page: Page, name: str) -> None:
    """Press Tab until the control with this accessible name has the focus."""
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate(_FOCUSED) == name:
            return
    raise AssertionError(f"Tab never came to {name}; it is at {page.evaluate(_FOCUSED)}")


_FOCUSED = "(() => { const e = document.activeElement; return (e.labels?.[0] ?? e).textContent.trim(); })()"


@pytest.mark.parametrize(
    ("label", "typed", "sentence"),
    [
        ("Account name", "", "Enter a name."),
        ("Account name", "x" * 10_000, "Use at most 120 characters; this has 10,000."),
        ("Account name", "Bell\u0007 Ltd", "Remove the invisible control characters."),
        ("Account name", "Nul\u0000 Ltd", "Remove the invisible control characters."),
        ("Account name", "evil\u202eexe", "Remove the invisible control characters."),
        ("Account email", "", "Enter an email address."),
        ("Account email", "no at sign", "Enter an address such as name@company.com."),
        ("Account email", "a" * 10_000 + "@b.example", "An email address has at most 254 characters; this has 10,010."),
        ("Account email", "bell\u0007@b.example", "Enter an address such as name@company.com."),
        ("Password", "", "Use at least 12 characters."),
        ("Password", "password1234", "This password is easy to guess. Use a longer or less common one."),
        ("Password", "p" * 10_000, "Use at most 128 characters."),
        ("Retype password", "something else entirely", "The two passwords are not the same."),
    ],
    ids=lambda value: value[:18].encode("ascii", "backslashreplace").decode() if isinstance(value, str) else None,
)
def test_a_faulty_field_has_its_sentence_and_what_was_typed_stays(
    people: People, company: Company, label: str, typed: str, sentence: str
) -> None:
    page = open_form(people, company)
    email = f"kept{company.partner_id}@example.com"
    fill(page, "Kept Name", email)
    page.get_by_label(label, exact=True).fill(typed)
    add(page)
    faulty = page.get_by_label(label, exact=True)

    expect(faulty.locator("xpath=ancestor::*[contains(@class, 'field')][1]").get_by_text(sentence)).to_be_visible()
    expect(faulty).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_role("alert")).to_have_text("Please correct the marked fields.")
    for other, text in (("Account name", "Kept Name"), ("Account email", email), ("Password", STRONG)):
        expect(page.get_by_label(other, exact=True)).to_have_value(typed if other == label else text)
    assert accounts_of(company) == []


@pytest.mark.parametrize("whose", ["own account", "another partner's", "a demo person's"])
def test_an_email_in_use_is_refused_in_any_case(people: People, company: Company, whose: str) -> None:
    if whose == "own account":
        company.add("Older", email=f"older{company.partner_id}@example.com")
    used = {
        "own account": f"OLDER{company.partner_id}@EXAMPLE.COM",
        "another partner's": "ABIGAIL.Thornton@thornton-legal.EXAMPLE",
        "a demo person's": "Operator@Demo.Example",
    }[whose]
    page = open_form(people, company)
    fill(page, "Second", used)
    add(page)
    expect(page.get_by_text(TAKEN)).to_be_visible()
    expect(page.get_by_label("Account email", exact=True)).to_be_focused()
    expect(page.get_by_label("Account email", exact=True)).to_have_value(used)
    assert "Second" not in {account.name for account in accounts_of(company)}
    page.get_by_label("Account email", exact=True).fill(f"free{company.partner_id}@example.com")
    add(page)
    expect(page.get_by_role("link", name="Second", exact=True)).to_be_visible()


def test_a_double_click_on_add_makes_one_account(people: People, company: Company) -> None:
    page = open_form(people, company)
    fill(page, "Only Once", f"once{company.partner_id}@example.com")
    page.get_by_role("button", name="Add", exact=True).dblclick()
    expect(page.get_by_role("heading", name="Total Accounts")).to_have_text("1 of 1 Total Accounts")
    assert len(accounts_of(company)) == 1


def test_cancel_leaves_no_trace(people: People, company: Company) -> None:
    page = open_form(people, company)
    fill(page, "Never", f"never{company.partner_id}@example.com")
    page.get_by_role("link", name="Cancel").click()
    expect(page.get_by_role("heading", name="No accounts yet")).to_be_visible()
    assert accounts_of(company) == []
    page.get_by_role("main").get_by_role("link", name="+ Add New Account").first.click()
    expect(page.get_by_label("Account name", exact=True)).to_have_value("")


def test_the_password_can_be_shown_and_is_weighed(people: People, company: Company) -> None:
    page = open_form(people, company)
    field = page.get_by_label("Password", exact=True)
    expect(field).to_have_attribute("type", "password")
    field.fill("aaaa")
    verdict = page.get_by_role("status")
    expect(verdict.filter(has_text="Very weak")).to_be_visible()
    field.fill(STRONG)
    expect(verdict.filter(has_text="Strong")).to_be_visible()
    page.get_by_role("button", name="Show password").first.click()
    expect(field).to_have_attribute("type", "text")
    expect(page.get_by_label("Retype password", exact=True)).to_have_attribute("type", "password")
    page.get_by_role("button", name="Hide password").click()
    expect(field).to_have_attribute("type", "password")


def test_the_customers_own_storage_asks_for_its_credentials(people: People, company: Company) -> None:
    page = open_form(people, company)
    fill(page, "Own Storage", f"own{company.partner_id}@example.com")
    page.get_by_label("Data Center Location").select_option(label="AWS S3 Compatible")
    add(page)
    expect(page.get_by_label("Endpoint URL")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Bucket")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Secret access key")).to_have_attribute("type", "password")
    expect(page.get_by_label("Account name", exact=True)).to_have_value("Own Storage")
    page.get_by_label("Data Center Location").select_option(label="UK (London)")
    expect(page.get_by_label("Endpoint URL")).to_have_count(0)
    add(page)
    expect(page.get_by_role("link", name="Own Storage")).to_be_visible()


def test_the_new_customer_can_sign_in(people: People, company: Company) -> None:
    page = open_form(people, company)
    email = f"signs.in{company.partner_id}@example.com"
    fill(page, "Signs In", email)
    add(page)
    ready(page)
    page = people.open(path="/login")
    sign_in(page, email.upper(), STRONG)
    expect(page.get_by_role("heading", name="Signs In", level=1)).to_be_visible()
    assert db.read(lambda session: session.exec(select(User.kind).where(col(User.email_key) == email)).one())
