"""What is shown: one function for each recording, named by its place below content/courses."""

import re
from collections.abc import Callable

from playwright.sync_api import Locator, Page

from tests.recordings.film import Film

Scene = Callable[[Film], None]


def _open(film: Film, path: str, heading: str) -> Page:
    film.page.goto(path)
    film.page.get_by_role("heading", name=heading).first.wait_for()
    return film.page


def _button(page: Page | Locator, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


def dashboard(film: Film) -> None:
    film.page.goto("/")
    page = film.page
    page.get_by_role("heading", name="Total Accounts").wait_for()
    film.say("The dashboard shows how all your customers are.")
    film.look(2.5)
    film.say("Each figure is a link: click Failed to see just those accounts.")
    failed = page.get_by_role("region", name="Backup Status").get_by_role("link", name=re.compile("Failed$")).last
    film.click(failed, then=page.get_by_role("button", name=re.compile("^Remove filter")), seconds=2)
    film.say("The filter stands above the table. The cross takes it off again.")
    film.click(page.get_by_role("button", name=re.compile("^Remove filter")).first, seconds=1.5)
    film.say("Search finds part of a name or an email address.")
    film.type(page.get_by_role("searchbox", name="Search", exact=True), "bakery")
    page.get_by_role("heading", name=re.compile("^1 of ")).wait_for()
    film.look(2)


def search(film: Film) -> None:
    page = _open(film, "/settings/security", "Security")
    film.say("Press the slash key anywhere to search accounts, invoices and colleagues.")
    film.look(3)
    field = page.get_by_role("searchbox", name="Search accounts")
    page.keyboard.press("/")
    film.type(field, "harper")
    found = page.locator(".found").get_by_role("link").first
    found.wait_for()
    film.say("Choose a line to go there.")
    film.look(2.2)
    film.click(found, then=page.get_by_role("heading", name="Harper", level=1), seconds=3.5)


def add_account(film: Film) -> None:
    page = _open(film, "/", "Total Accounts")
    film.say("Choose Add New Account above the table.")
    film.look(1.5)
    film.click(page.get_by_role("link", name="+ Add New Account"), then=page.get_by_label("Account name"))
    film.say("Enter the customer's name and an email address of their own.")
    film.type(page.get_by_label("Account name", exact=True), "Willow Lane Surgery")
    film.type(page.get_by_label("Account email", exact=True), "it@willow-lane.example")
    film.say("Let the customer set the password by mail.")
    film.click(page.get_by_label(re.compile("by mail")).first, seconds=1)
    film.say("Choose where the backups are kept.")
    film.choose(page.get_by_label("Data Center Location"), "UK (London)")
    film.say("Choose how the account begins, then Add.")
    film.click(page.get_by_label("Trial with expiration"), seconds=0.8)
    film.click(_button(page, "Add"), then=page.get_by_role("heading", name="Total Accounts"), seconds=2.5)


def subscribe(film: Film) -> None:
    page = _open(film, "/?status=trial_expired", "Total Accounts")
    film.say("These trials have ended, but can still be subscribed. Tick the accounts.")
    film.look(1.8)
    ticks = page.get_by_role("checkbox", name=re.compile("^Select "))
    for number in (1, 2):
        film.click(ticks.nth(number), seconds=0.6)
    film.say("Choose Subscribe, then Annual or Monthly.")
    film.click(_button(page, "Subscribe"), then=_button(page, "Annual"), seconds=0.8)
    dialog = page.get_by_role("dialog")
    film.click(_button(page, "Annual"), then=dialog, seconds=1)
    film.say("You see the price before you confirm.")
    film.look(3)
    film.click(dialog.get_by_role("button", name=re.compile("^Subscribe")), seconds=1)
    dialog.wait_for(state="hidden")
    film.say("The answer says how many were subscribed.")
    page.get_by_role("main").locator(".callout").first.scroll_into_view_if_needed()
    film.look(3)


def back_up(film: Film) -> None:
    page = _account(film, "backups", "Backup tasks")
    film.say("A task of the portal's own can be started at any time: Back up now.")
    film.look(1.8)
    row = page.get_by_role("table", name="Backup tasks").get_by_role("row", name="Office files")
    film.click(page.get_by_role("button", name="Back up now Office files"), seconds=1.2)
    film.say("Its progress shows while it runs. You may leave the page.")
    row.filter(has_text="Successful").wait_for()
    page.get_by_role("button", name="Back up now Office files").wait_for()
    film.look(2)
    film.say("Open the task to see what it holds, and every run with its log.")
    film.click(
        page.get_by_role("link", name="Office files", exact=True), then=page.get_by_role("table", name="Entities")
    )
    film.look(1.5)
    film.click(page.get_by_role("button", name=re.compile("^Log of")).first, then=page.get_by_role("dialog"), seconds=3)


def restore(film: Film) -> None:
    page = _account(film, "restore", "Restore")
    film.say("Choose the task and the date of the backup.")
    film.look(2)
    film.say("Bring back everything, or only the entities that you need.")
    film.click(page.get_by_role("radio", name="Chosen entities"), seconds=1)
    film.click(page.get_by_role("checkbox").first, seconds=1)
    film.say("Restore writes a copy into a new folder beside the original.")
    film.click(_button(page, "Restore"), seconds=1.2)
    past = page.get_by_role("table", name="Restores and exports")
    past.get_by_role("row").filter(has_text="Done").first.wait_for()
    film.say("It is done. What was there before has not been touched.")
    past.scroll_into_view_if_needed()
    film.look(2.5)


def read_bill(film: Film) -> None:
    page = _open(film, "/billing/status?billing=due", "Status")
    accounts = page.locator("table", has=page.get_by_role("columnheader", name="Renewal Date")).locator("tbody")
    account = accounts.get_by_role("link").first
    account.wait_for()
    film.say("Billing, Status: what each account owes, and what it will cost next.")
    film.look(2.5)
    film.say("Click an account to see its bills.")
    why = page.get_by_role("button", name="Why this line?")
    film.click(account, then=why, seconds=2.5)
    film.say("Why this line tells which entities, which price and which rule make the amount.")
    film.click(why.first, then=page.get_by_role("dialog"), seconds=4)


def pay(film: Film) -> None:
    page = _open(film, "/billing/unpaid", "Unpaid Bills")
    film.say("Billing, Unpaid Bills: what is still to be paid.")
    film.look(2)
    film.say("Pay Invoice leads to the payment processor's page.")
    film.click(page.get_by_role("button", name=re.compile("^Pay Invoice")).first, then=page.get_by_label("Card number"))
    film.say("Pay by card or PayPal. The number is typed here only.")
    film.type(page.get_by_label("Card number"), "4242 4242 4242 4242")
    film.type(page.get_by_label("Expires"), "12/40")
    film.type(page.get_by_label("Security code"), "123")
    received = page.get_by_role("heading", name="Payment received")
    film.click(page.get_by_role("button", name=re.compile(r"^Pay \W")), then=received, seconds=1)
    film.say("You come back to the portal, and the bill is paid.")
    film.look(2.5)


def add_user(film: Film) -> None:
    page = _open(film, "/settings/users", "User Management")
    film.say("Settings, User Management: choose Add new user.")
    film.look(1.5)
    film.click(page.get_by_role("link", name="+ Add new user"), then=page.get_by_label("Email", exact=True))
    film.say("Enter the address and the name.")
    film.type(page.get_by_label("Email", exact=True), "nora@demo.example")
    film.type(page.get_by_label("Name", exact=True), "Nora Lindqvist")
    film.say("Tick what the colleague may do. Account Operations wait for View dashboard.")
    film.click(page.get_by_label("View dashboard"), seconds=0.8)
    film.click(page.get_by_label("Access accounts"), seconds=0.6)
    film.click(page.get_by_label("Run backups"), seconds=0.8)
    film.say("Save sends the invitation.")
    film.click(_button(page, "Save"), then=page.get_by_text("nora@demo.example was added"), seconds=2.5)


def two_factor(film: Film) -> None:
    page = _open(film, "/settings/security", "Security")
    film.say("Settings, Security: choose Activate 2FA.")
    film.look(1.5)
    scan = page.get_by_role("dialog", name="Activate 2FA")
    film.click(_button(page, "Activate 2FA"), then=scan.get_by_role("img"), seconds=1)
    film.say("Scan the code with an authenticator app, then choose Next.")
    film.look(3)
    film.click(_button(scan, "Next"), then=page.get_by_label("6-digit code"), seconds=1)
    film.say("Enter the six digits that the app shows, and choose Enable. Keep the ten recovery codes.")
    film.type(page.get_by_label("6-digit code"), "123456")
    film.look(2.5)
    page.keyboard.press("Escape")


def audit(film: Film) -> None:
    page = _open(film, "/security-audit", "Security Audit")
    film.say("The security audit: who did what, when and from where.")
    film.look(2.2)
    film.say("Filter by activity and status to find refused sign-ins.")
    film.choose(page.get_by_label("Activity", exact=True), "Sign-in")
    film.choose(page.get_by_label("Status", exact=True), "Failed")
    film.look(2)
    film.say("The filters are in the address. Export downloads all that they find.")
    film.point(_button(page, "Export"))
    film.look(2)


def usage_report(film: Film) -> None:
    page = _open(film, "/?status=monthly", "Total Accounts")
    film.say("Filter the accounts, and tick the whole page.")
    film.look(1.5)
    film.click(page.get_by_role("checkbox", name="Select all rows on this page"), seconds=1.2)
    film.say("Choose Export Usage Report.")
    dialog = page.get_by_role("dialog")
    film.click(_button(page, "Export Usage Report"), then=dialog, seconds=2)
    film.say("Confirm. The report comes by mail, as a CSV file in a zip.")
    film.click(_button(dialog, "Confirm"), seconds=1)
    dialog.wait_for(state="hidden")
    film.look(2.5)


def _account(film: Film, tab: str, heading: str) -> Page:
    """A tab of the account whose task really runs."""
    return _open(film, f"/accounts/{film.account}/{tab}", heading)


# Still pictures: the page, and its heading.
PICTURES: dict[str, tuple[str, str]] = {
    "adding-customers/import": ("/accounts/import", "Import"),
    "billing-and-payments/payment-details": ("/billing/payment-details", "Payment Details"),
    "users-and-security/ip-restrictions": ("/settings/ip-restrictions", "IP Restrictions"),
    "api-and-reports/notifications": ("/settings/notifications", "Notifications"),
}
SCENES: dict[str, Scene] = {
    "first-steps/search": search,
    "first-steps/dashboard": dashboard,
    "adding-customers/add-account": add_account,
    "adding-customers/subscribe": subscribe,
    "backups-and-restore/back-up": back_up,
    "backups-and-restore/restore": restore,
    "billing-and-payments/read-a-bill": read_bill,
    "billing-and-payments/pay": pay,
    "users-and-security/add-user": add_user,
    "users-and-security/two-factor": two_factor,
    "users-and-security/audit": audit,
    "api-and-reports/usage-report": usage_report,
}
