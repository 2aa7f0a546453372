"""The sandbox's own books: pages, cards, payments, refunds and what is still to be told, in a file of its own.

Every function is one transaction. What has an idempotency key is done once; asked again, it answers the same.
"""

import json
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from portal_app.sandbox_processor.cards import REASONS, Behaviour, Typed

Row = dict[str, Any]
FILE = "sandbox-processor.db"
PAGE_LIFE = timedelta(hours=24)
_SHAPE = """
CREATE TABLE IF NOT EXISTS session (
  id TEXT PRIMARY KEY, key TEXT UNIQUE NOT NULL, mode TEXT NOT NULL, amount INTEGER NOT NULL, currency TEXT NOT NULL,
  description TEXT NOT NULL, customer TEXT NOT NULL, return_url TEXT NOT NULL, cancel_url TEXT NOT NULL,
  notify_url TEXT NOT NULL, status TEXT NOT NULL, payment TEXT, card TEXT, ends_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS card (
  token TEXT PRIMARY KEY, customer TEXT NOT NULL, brand TEXT NOT NULL, last4 TEXT NOT NULL, month INTEGER NOT NULL,
  year INTEGER NOT NULL, behaviour TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS payment (
  id TEXT PRIMARY KEY, key TEXT UNIQUE NOT NULL, amount INTEGER NOT NULL CHECK (amount > 0), currency TEXT NOT NULL,
  description TEXT NOT NULL, customer TEXT NOT NULL, method TEXT NOT NULL, status TEXT NOT NULL, reason TEXT NOT NULL,
  made_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS refund (
  id TEXT PRIMARY KEY, key TEXT UNIQUE NOT NULL, payment TEXT NOT NULL REFERENCES payment, amount INTEGER NOT NULL
  CHECK (amount > 0), made_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS event (
  id TEXT PRIMARY KEY, body TEXT NOT NULL, url TEXT NOT NULL, told INTEGER NOT NULL DEFAULT 0);
"""


class Fault(Exception):
    """An order that can't be taken, in a sentence."""


class Ledger:
    """The books in a SQLite file, made when it is not there."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._open() as books:
            books.executescript(_SHAPE)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        books = sqlite3.connect(self.path, timeout=10, isolation_level=None)
        try:
            books.row_factory = sqlite3.Row
            books.execute("PRAGMA journal_mode = WAL")
            yield books
        finally:
            books.close()

    @contextmanager
    def _change(self) -> Iterator[sqlite3.Connection]:
        with self._open() as books:
            books.execute("BEGIN IMMEDIATE")
            yield books
            books.execute("COMMIT")

    def order(self, key: str) -> Row | None:
        """What was made under the idempotency key, as it stands now."""
        with self._open() as books:
            return _order(books, key)

    def open_page(self, key: str, given: Row, now: datetime) -> Row:
        """A hosted page to pay on (`mode` payment) or to store a card on (setup)."""
        with self._change() as books:
            if found := _order(books, key):
                return found
            ends = (now + PAGE_LIFE).isoformat()
            made = {"id": f"page_{secrets.token_urlsafe(24)}", "key": key, "status": "open", "ends_at": ends} | given
            _insert(books, "session", made)
            return _order(books, key) or made

    def page(self, ident: str, now: datetime) -> Row | None:
        """The hosted page with its payment and card; one that nobody used in time has expired."""
        with self._change() as books:
            late = "UPDATE session SET status = 'expired' WHERE id = ? AND status = 'open' AND ends_at <= ?"
            books.execute(late, (ident, now.isoformat()))
            found = _one(books, "SELECT key FROM session WHERE id = ?", ident)
            return _order(books, found["key"]) if found else None

    def close_page(self, ident: str) -> Row | None:
        """Close a page that nobody has used; how it stands then."""
        with self._change() as books:
            books.execute("UPDATE session SET status = 'expired' WHERE id = ? AND status = 'open'", (ident,))
            found = _one(books, "SELECT key FROM session WHERE id = ?", ident)
            return _order(books, found["key"]) if found else None

    def pay_page(self, ident: str, method: str, now: datetime) -> None:
        """Take the page's amount, once. Fault when it is open no more."""
        with self._change() as books:
            page = _take(books, ident)
            paid = {name: page[name] for name in ("amount", "currency", "description", "customer")}
            payment = _pay(books, page["key"], paid | {"method": method}, "", now)
            books.execute("UPDATE session SET payment = ? WHERE id = ?", (payment, ident))
            _tell(books, page["notify_url"], "page.completed", key=page["key"])

    def store_card(self, ident: str, typed: Typed) -> None:
        """Store the card for the page's customer, once. Fault when the page is open no more."""
        with self._change() as books:
            page = _take(books, ident)
            token = f"card_{secrets.token_urlsafe(18)}"
            given = {"token": token, "customer": page["customer"], "brand": typed.card.brand}
            shown = {"last4": typed.card.number[-4:], "month": typed.month, "year": typed.year}
            _insert(books, "card", given | shown | {"behaviour": typed.card.behaviour})
            books.execute("UPDATE session SET card = ? WHERE id = ?", (token, ident))
            _tell(books, page["notify_url"], "card.stored", page=ident)

    def charge(self, key: str, given: Row, now: datetime) -> tuple[Row, bool]:
        """Take an amount from a stored card; and whether the answer is to be lost (the first time only)."""
        notify = given.pop("notify_url")
        with self._change() as books:
            if found := _order(books, key):
                return found, False
            card = _one(books, "SELECT * FROM card WHERE token = ?", given.pop("card"))
            if card is None or card["customer"] != given["customer"]:
                raise Fault("There is no such card.")
            why = _why_not(card, now)
            _pay(books, key, given | {"method": "card"}, why, now)
            _tell(books, notify, "payment.ended", key=key)
            return _order(books, key) or {}, card["behaviour"] == Behaviour.ANSWER_LOST

    def refund(self, key: str, payment: str, amount: int, now: datetime) -> Row:
        """Give back at most what the payment took. Fault when it would be more."""
        with self._change() as books:
            if found := _order(books, key):
                return found
            taken = _one(books, "SELECT amount FROM payment WHERE id = ? AND status = 'taken'", payment)
            given = _one(books, "SELECT coalesce(sum(amount), 0) AS sum FROM refund WHERE payment = ?", payment)
            if taken is None or given is None or amount + given["sum"] > taken["amount"]:
                raise Fault("More can't be given back than was taken.")
            made = {"id": f"refund_{secrets.token_urlsafe(12)}", "key": key, "payment": payment, "amount": amount}
            _insert(books, "refund", made | {"made_at": now.isoformat()})
            return _order(books, key) or made

    def forget(self, token: str) -> None:
        """Forget a stored card."""
        with self._change() as books:
            books.execute("DELETE FROM card WHERE token = ?", (token,))

    def next_message(self) -> Row | None:
        """The oldest message that nobody has taken; it counts as taken unless it is put back."""
        with self._change() as books:
            oldest = "SELECT id FROM event WHERE told = 0 ORDER BY rowid LIMIT 1"
            found = books.execute(f"UPDATE event SET told = 1 WHERE id = ({oldest}) RETURNING *").fetchone()  # noqa: S608
            return dict(found) if found else None

    def put_back(self, event: str) -> None:
        """The message was not taken, and shall be told again."""
        with self._change() as books:
            books.execute("UPDATE event SET told = 0 WHERE id = ?", (event,))

    def taken(self) -> list[Row]:
        """Every payment that took money, and every refund as a negative one."""
        with self._open() as books:
            rows = books.execute(
                "SELECT key, amount, currency FROM payment WHERE status = 'taken' UNION ALL SELECT refund.key,"
                " -refund.amount, currency FROM refund JOIN payment ON payment.id = refund.payment"
            )
            return [dict(row) for row in rows]


def _one(books: sqlite3.Connection, query: str, *given: Any) -> Row | None:
    found = books.execute(query, given).fetchone()
    return dict(found) if found else None


def _insert(books: sqlite3.Connection, table: str, row: Row) -> None:
    names = ", ".join(row)
    books.execute(f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(row))})", tuple(row.values()))  # noqa: S608


def _order(books: sqlite3.Connection, key: str) -> Row | None:
    if page := _one(books, "SELECT * FROM session WHERE key = ?", key):
        paid = _one(books, "SELECT * FROM payment WHERE id = ?", page["payment"])
        card = _one(books, "SELECT * FROM card WHERE token = ?", page["card"])
        return page | {"object": "page", "payment": paid, "card": card}
    if payment := _one(books, "SELECT * FROM payment WHERE key = ?", key):
        return payment | {"object": "payment"}
    refund = _one(books, "SELECT * FROM refund WHERE key = ?", key)
    return refund | {"object": "refund"} if refund else None


def _take(books: sqlite3.Connection, ident: str) -> Row:
    taken = books.execute("UPDATE session SET status = 'complete' WHERE id = ? AND status = 'open'", (ident,))
    page = _one(books, "SELECT * FROM session WHERE id = ?", ident)
    if not taken.rowcount or page is None:
        raise Fault("This page is not open any more.")
    return page


def _pay(books: sqlite3.Connection, key: str, given: Row, why_not: str, now: datetime) -> str:
    ident = f"pay_{secrets.token_urlsafe(12)}"
    ending = {"status": "declined" if why_not else "taken", "reason": why_not, "made_at": now.isoformat()}
    _insert(books, "payment", {"id": ident, "key": key} | given | ending)
    return ident


def _why_not(card: Row, now: datetime) -> str:
    if (card["year"], card["month"]) < (now.year, now.month):
        return "The card has expired."
    return REASONS.get(card["behaviour"], "")


def _tell(books: sqlite3.Connection, url: str, kind: str, **about: str) -> None:
    ident = f"evt_{secrets.token_urlsafe(12)}"
    body = json.dumps({"id": ident, "type": kind} | about)
    _insert(books, "event", {"id": ident, "body": body, "url": url})
