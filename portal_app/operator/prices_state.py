"""The state of Price Books: the list, one book, and the form of a new one."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, TypedDict

import reflex as rx

from portal_app import clock, db
from portal_app.auth import guard
from portal_app.backups.rows import Service
from portal_app.billing import book_text, books
from portal_app.billing.book_rows import BookForm, BookRow, PriceText
from portal_app.billing.words import date_text
from portal_app.errors import Invalid, PortalError
from portal_app.money import currencies
from portal_app.shell.state import enter, tell_on_next_page
from portal_app.ui import Option, option

PATH = "/operator/prices"
MOST_CSV = 100_000
MOST_FIELD = 1_000


class BookLine(TypedDict):
    """A book in the list, in words."""

    id: int
    name: str
    currency: str
    whose: str
    since: str
    services: str
    tax: str
    holds: bool


class PriceLine(TypedDict):
    """A service's row, in the form and in a book's table."""

    service: str
    label: str
    basis: str
    tiers: str


class BooksState(rx.State):
    """The list of all books."""

    loading: bool = True
    lines: list[BookLine] = []

    @rx.event
    @guard.operators()
    async def load(self):
        """Show all books."""
        actor = await enter(self)
        self.lines = [_line(row) for row in await db.look(books.listed, actor)]
        self.loading = False


class BookState(rx.State):
    """One book."""

    ready: bool = False
    missing: bool = False
    book_id: int = 0
    name: str = ""
    whose: str = ""
    currency: str = ""
    since: str = ""
    minimum: str = ""
    discount: str = ""
    tax: str = ""
    prices: list[PriceLine] = []
    asking: bool = False
    ask_error: str = ""
    busy: bool = False

    @rx.event
    @guard.operators()
    async def load(self):
        """Show the book of the address."""
        actor = await enter(self)
        self.reset()
        wanted = _number(self.router.url.path.rstrip("/").rpartition("/")[2])
        try:
            form = await db.look(books.form_of, actor, wanted)
        except PortalError:
            self.missing = True
            return
        self.book_id, self.name, self.currency = wanted, form.name, form.currency
        self.whose, self.since = form.partner or "Everybody", form.valid_from
        self.minimum, self.discount, self.tax = f"{form.minimum} {form.currency}", f"{form.discount} %", f"{form.tax} %"
        self.prices = [line for line in _lines(form.prices) if line["tiers"]]
        self.ready = True

    @rx.event
    @guard.operators()
    async def download(self):
        """Hand out the prices as the CSV that a new book can be filled from."""
        content = await db.look(books.csv_of, guard.actor(), self.book_id)
        return rx.download(data=content, filename=f"prices-{self.currency}-{self.since}.csv")

    @rx.event
    @guard.operators()
    async def ask(self):
        """Ask whether the book is to be deleted."""
        self.asking, self.ask_error = True, ""

    @rx.event
    @guard.operators()
    async def close(self):
        """Leave the book."""
        self.asking = False

    @rx.event
    @guard.operators()
    async def remove(self):
        """Delete the book."""
        if self.busy:
            return
        self.busy = True
        yield
        try:
            await db.work(books.remove, guard.actor(), self.book_id)
        except PortalError as refusal:
            self.ask_error = refusal.sentence
            return
        finally:
            self.busy = False
        self.asking = False
        await tell_on_next_page(self, f"The price book {self.name} was deleted.")
        yield rx.redirect(PATH)


class NewBookState(rx.State):
    """The form of a new book; what is typed stays in the browser's own fields."""

    ready: bool = False
    lines_ready: bool = True
    name: str = ""
    currency: str = ""
    partner: str = ""
    valid_from: str = ""
    minimum: str = "0"
    discount: str = "0"
    tax: str = "0"
    lines: list[PriceLine] = []
    all_currencies: list[Option] = []
    errors: dict[str, str] = {}
    error: str = ""
    csv_error: str = ""
    filled: str = ""
    busy: bool = False

    @rx.event
    @guard.operators()
    async def load(self):
        """An empty form, or one that begins with the prices of another book (`?from=ID`)."""
        actor = await enter(self)
        self.reset()
        # The form is made anew: its fields take what they begin with only then.
        yield
        asked = self.router.url.query_parameters.get("from", "")
        form = BookForm(currency="EUR")
        if number := _number(asked):
            try:
                form = replace(await db.look(books.form_of, actor, number), name="")
            except PortalError:
                self.error = books.NO_SUCH_BOOK
        self.name, self.currency, self.partner = form.name, form.currency, form.partner
        self.minimum, self.discount, self.tax = form.minimum, form.discount, form.tax
        self.valid_from = str(clock.today() + timedelta(days=1))
        self.lines = _lines(form.prices)
        self.all_currencies = [option(code) for code in sorted(currencies())]
        self.ready = True

    @rx.event
    @guard.operators()
    async def choose_currency(self, code: str):
        """The currency in which amounts are read."""
        self.currency = code if code in currencies() else self.currency

    @rx.event
    @guard.operators()
    async def fill(self, form: dict):
        """Put the prices of a CSV into the form; nothing is saved yet."""
        text = form.get("csv")
        self.csv_error, self.filled = "", ""
        try:
            found = book_text.from_csv(text[: MOST_CSV + 1] if isinstance(text, str) else "", self.currency)
        except Invalid as refusal:
            self.csv_error = refusal.fields.get("csv", refusal.sentence)
            return
        self.lines_ready, self.errors = False, {}
        yield
        self.lines, self.lines_ready = _lines(found), True
        self.filled = f"{len(found)} services were filled in. Look them over, then add the price book."

    @rx.event
    @guard.operators()
    async def save(self, form: dict):
        """Check and save; faults stand by their fields, and what was typed stays."""
        if self.busy or not self.ready:
            return
        self.busy, self.errors, self.error = True, {}, ""
        yield
        try:
            await db.work(books.add, guard.actor(), self._typed(form))
        except PortalError as refusal:
            self.errors, self.error = refusal.fields, refusal.sentence
            return
        finally:
            self.busy = False
        await tell_on_next_page(self, "The price book was added.")
        yield rx.redirect(PATH)

    def _typed(self, form: dict[str, Any]) -> BookForm:
        typed = {key: value[:MOST_FIELD] for key, value in form.items() if isinstance(value, str)}
        return BookForm(
            name=typed.get("name", ""),
            currency=self.currency,
            partner=typed.get("partner", ""),
            valid_from=typed.get("valid_from", ""),
            minimum=typed.get("minimum", ""),
            discount=typed.get("discount", ""),
            tax=typed.get("tax", ""),
            prices={
                one.value: PriceText(typed.get(f"basis-{one.value}", ""), typed.get(f"price-{one.value}", ""))
                for one in Service
            },
        )


def _number(text: object) -> int:
    return int(text) if isinstance(text, str) and text.isascii() and text.isdecimal() and len(text) < 10 else 0


def _lines(prices: dict[str, PriceText]) -> list[PriceLine]:
    empty = PriceText()
    found = [(one, prices.get(one.value, empty)) for one in Service]
    return [PriceLine(service=o.value, label=o.label, basis=p.basis, tiers=p.tiers) for o, p in found]


def _line(row: BookRow) -> BookLine:
    return BookLine(
        id=row.id,
        name=row.name,
        currency=row.currency,
        whose=row.partner or "Everybody",
        since=date_text(row.valid_from),
        services=str(row.services),
        tax=f"{book_text.percent_text(row.tax_bp)} %",
        holds=row.holds,
    )
