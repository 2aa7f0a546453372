"""A second factor from its set-up to its end, a forgotten password, and the sessions."""

from urllib.parse import urlsplit

import pyotp
from playwright.sync_api import Page, expect
from sqlalchemy import update
from sqlmodel import Session, col, select

from portal_app import crypto, db
from portal_app.auth import second_factor
from portal_app.mail.letter import unpack
from portal_app.mail.service import place_of
from portal_app.models import LoginSession, OutboxMail, Partner, User
from tests.e2e.people import Company, People, sign_in
from tests.factories import PASSWORD

NEW_PASSWORD = "four quite ordinary elephants"


def code_of(secret: str, later: int = 0) -> str:
    return pyotp.TOTP(secret).generate_otp(second_factor._step() + later)


def type_code(page: Page, code: str, button: str) -> None:
    page.get_by_label("6-digit code").fill(code)
    page.get_by_role("button", name=button).click()


def test_a_second_factor_from_its_set_up_to_its_end(people: People, company: Company) -> None:
    page = people.open(company.email, "/settings/security")
    page.get_by_role("button", name="Activate 2FA").click()
    scan = page.get_by_role("dialog", name="Activate 2FA")
    expect(scan.get_by_role("img", name="QR code for the authenticator app")).to_be_visible()
    secret = scan.locator("code").inner_text()
    scan.get_by_role("button", name="Next").click()
    type_code(page, "000000", "Enable")
    expect(page.get_by_text("This code is not right, or was used already.")).to_be_visible()
    # Half a minute may end between the making of a code and its use: each is of this one or the next.
    type_code(page, code_of(secret), "Enable")
    kept = page.get_by_role("dialog", name="Keep your recovery codes")
    expect(kept.get_by_role("listitem")).to_have_count(10)
    codes = kept.get_by_role("listitem").all_inner_texts()
    with page.expect_download() as download:
        kept.get_by_role("button", name="Download").click()
    assert download.value.path().read_text().split() == codes
    kept.get_by_role("button", name="Done").click()
    expect(page.get_by_role("button", name="Turn off 2FA")).to_be_visible()

    other = people.open(path="/login")
    sign_in(other, company.email, PASSWORD)
    used = code_of(secret, 1)
    type_code(other, used, "Verify")
    expect(other.get_by_role("banner")).to_contain_text(company.email)

    third = people.open(path="/login")
    sign_in(third, company.email, PASSWORD)
    type_code(third, used, "Verify")
    expect(third.get_by_text("This code is not right, or was used already.")).to_be_visible()
    third.get_by_role("button", name="Use a recovery code").click()
    third.get_by_label("Recovery code").fill(codes[0].lower())
    third.get_by_role("button", name="Verify").click()
    expect(third.get_by_role("banner")).to_contain_text(company.email)

    page.reload()
    expect(page.get_by_text("Unused recovery codes: 9.")).to_be_visible()
    expect(page.get_by_role("button", name="End this session")).to_have_count(2)
    page.get_by_role("button", name="End all other sessions").click()
    expect(page.get_by_role("button", name="End this session")).to_have_count(0)
    page.get_by_role("button", name="Turn off 2FA").click()
    off = page.get_by_role("dialog", name="Turn off 2FA?").or_(page.get_by_role("alertdialog"))
    off.get_by_label("Your password").fill(PASSWORD)
    off.get_by_label("6-digit code or recovery code").fill(codes[1])
    off.get_by_role("button", name="Turn off 2FA").click()
    expect(page.get_by_role("button", name="Activate 2FA")).to_be_visible()
    other.get_by_role("link", name="Settings").click()
    expect(other.get_by_role("button", name="Sign in", exact=True)).to_be_visible()


def test_a_forgotten_password(people: People, company: Company) -> None:
    page = people.open(path="/login")
    page.get_by_role("link", name="Forgot password").click()
    # The page before has a field of the same name.
    expect(page.get_by_role("heading", name="Forgot password")).to_be_visible()
    page.get_by_label("Email", exact=True).fill(company.email)
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_text("If there is a user with this address")).to_be_visible()
    path = db.read(_reset_path, company.email)
    page.goto(path)
    expect(page.get_by_label("New password", exact=True)).to_be_visible()
    assert "token" not in page.url
    page.get_by_label("New password", exact=True).fill("password1234")
    page.get_by_label("Confirm password").fill("password1234")
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_text("This password is easy to guess.")).to_be_visible()
    page.get_by_label("New password", exact=True).fill(NEW_PASSWORD)
    page.get_by_label("Confirm password").fill(NEW_PASSWORD)
    page.get_by_role("button", name="Change password").click()
    page.get_by_role("link", name="Go to sign in").click()
    sign_in(page, company.email, NEW_PASSWORD)
    expect(page.get_by_role("banner")).to_contain_text(company.email)
    other = people.open(path=path)
    expect(other.get_by_text("This link was used already, or is too old.")).to_be_visible()


def test_what_the_partner_asks_for_at_the_next_sign_in(people: People, company: Company) -> None:
    page = people.open(company.email, "/settings/security")
    page.get_by_label("Password expiration for all users").check()
    page.get_by_label("Days until a password expires").fill("30")
    page.get_by_label("Require 2FA for all users").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Days until a password expires")).to_have_value("30")
    expect(page.get_by_label("Require 2FA for all users")).to_be_checked()
    assert db.read(lambda session: session.get_one(Partner, company.partner_id).password_days) == 30
    db.write(_must_change, company.email)
    other = people.open(path="/login")
    sign_in(other, company.email, PASSWORD)
    expect(other.get_by_role("heading", name="Change password")).to_be_visible()
    other.get_by_label("New password", exact=True).fill(NEW_PASSWORD)
    other.get_by_label("Confirm password").fill(NEW_PASSWORD)
    other.get_by_role("button", name="Change password").click()
    expect(other.get_by_role("heading", name="Set up two-factor authentication")).to_be_visible()
    type_code(other, code_of(other.locator(".secret code").inner_text()), "Enable")
    expect(other.get_by_role("listitem")).to_have_count(10)
    other.get_by_role("button", name="Continue").click()
    expect(other.get_by_role("banner")).to_contain_text(company.email)


def test_a_sensitive_act_asks_who_it_is_and_goes_on(people: People, company: Company) -> None:
    page = people.open(company.email, "/settings/security")
    expect(page.get_by_role("button", name="Activate 2FA")).to_be_visible()
    page.get_by_label("Current password").fill("typed before")
    db.write(_age, company.email)
    page.get_by_role("button", name="Activate 2FA").click()
    asked = page.get_by_role("dialog", name="Confirm it's you")
    asked.get_by_label("Your password").fill("wrong")
    asked.get_by_role("button", name="Confirm").click()
    expect(asked.get_by_text("This is not your password.")).to_be_visible()
    asked.get_by_label("Your password").fill(PASSWORD)
    asked.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("dialog", name="Activate 2FA")).to_be_visible()
    expect(asked).to_have_count(0)
    page.keyboard.press("Escape")
    expect(page.get_by_label("Current password")).to_have_value("typed before")


def _reset_path(session: Session, email: str) -> str:
    newest = select(OutboxMail).where(col(OutboxMail.recipient) == email).order_by(col(OutboxMail.id).desc())
    mail = session.exec(newest).first()
    assert mail
    letter = unpack(crypto.unseal(mail.sealed, binding=place_of(mail)))
    assert letter.action
    parts = urlsplit(letter.action[1])
    return f"{parts.path}?{parts.query}"


def _must_change(session: Session, email: str) -> None:
    user = session.exec(select(User).where(col(User.email) == email)).one()
    user.must_change_password = True
    session.add(user)


def _age(session: Session, email: str) -> None:
    user = session.exec(select(User).where(col(User.email) == email)).one()
    session.execute(update(LoginSession).where(col(LoginSession.user_id) == user.id).values(confirmed_at=None))
