"""The floor: a plain server-rendered page over the portal's own tables. What a dashboard must at least cost.

BENCH_DB names the database, BENCH_INDEXED=1 switches from naive SQL (counts, GROUP BY, LIKE, OFFSET) to what the
machine allows: the trigram index for the search, and totals kept in memory.
"""

import os
import sqlite3
import threading
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from portal_app.accounts.rows import BACKUP, BILLING, STATUS
from portal_app.sizes import size_text
from portal_app.ui.field import TYPING_PAUSE_MS

PER_PAGE, CAP, SHORTEST_TRIGRAM = 25, 10_000, 3
FILTERS = {"status": STATUS, "backup": BACKUP, "billing": BILLING}
COLUMNS = {"status": "status", "backup": "backup_status", "billing": "billing_status"}
SORTS = {
    "name": "name_key",
    "email": "email_key",
    "status": "status, name_key",
    "backup": "backup_status, name_key",
    "billing": "billing_status, name_key",
    "amount": "amount_minor",
    "size": "size_bytes",
}
SHOWN = "id, name, email, status, backup_status, billing_status, amount_minor, size_bytes"
GROUPS = (
    "SELECT status, backup_status, billing_status, count(*), sum(amount_minor) FROM account"
    " WHERE partner_id = ? GROUP BY 1, 2, 3"
)
HITS = "SELECT rowid FROM account_search WHERE account_search MATCH ?"
INDEXED = os.environ.get("BENCH_INDEXED") == "1"
TEMPLATES = Environment(autoescape=True, loader=FileSystemLoader(Path(__file__).parent / "templates"))
TEMPLATES.filters |= {"amount": lambda minor: f"€{minor / 100:,.2f}", "size": size_text}
TEMPLATES.globals["pause"] = TYPING_PAUSE_MS
_threads = threading.local()


def connection() -> sqlite3.Connection:
    """This thread's connection."""
    if not hasattr(_threads, "connection"):
        _threads.connection = sqlite3.connect(os.environ["BENCH_DB"])
        _threads.connection.row_factory = sqlite3.Row
        for pragma in ("cache_size = -65536", "mmap_size = 1073741824", "temp_store = MEMORY"):
            _threads.connection.execute(f"PRAGMA {pragma}")
    return _threads.connection


@cache
def partner_id() -> int:
    """The benchmark partner."""
    return connection().execute("SELECT id FROM partner WHERE code = 'BENCH001'").fetchone()[0]


def groups() -> list[Any]:
    """Counts and amounts by the three statuses: one pass over the covering index."""
    return connection().execute(GROUPS, (partner_id(),)).fetchall()


kept_groups = cache(groups)


def widgets() -> dict[str, list[tuple[str, int, int]]]:
    """The three widgets: words, accounts and amount of each status."""
    found: dict[str, dict[str, list[int]]] = {name: {} for name in FILTERS}
    for *states, count, amount in kept_groups() if INDEXED else groups():
        for name, state in zip(FILTERS, states, strict=True):
            sums = found[name].setdefault(state, [0, 0])
            sums[0], sums[1] = sums[0] + count, sums[1] + amount
    return {name: [(words[key][0], *found[name].get(key, [0, 0])) for key in words] for name, words in FILTERS.items()}


def conditions(asked: dict[str, str]) -> tuple[str, list[Any]]:
    """WHERE for the filters and the search."""
    parts, values = ["partner_id = ?"], [partner_id()]
    for name, column in COLUMNS.items():
        if asked[name]:
            parts.append(f"{column} = ?")
            values.append(asked[name])
    if words := asked["search"].lower():
        if INDEXED and len(words) >= SHORTEST_TRIGRAM:
            parts.append(f"id IN ({HITS})")
            values.append('"' + words.replace('"', '""') + '"')
        else:
            parts.append("(name_key LIKE ? OR email_key LIKE ?)")
            values += [f"%{words}%"] * 2
    return " AND ".join(parts), values


def count(where: str, values: list[Any], asked: dict[str, str]) -> int:
    """How many match: counted, or with the index from the kept totals and up to the cap."""
    if not INDEXED:
        return connection().execute(f"SELECT count(*) FROM account WHERE {where}", values).fetchone()[0]  # noqa: S608
    if asked["search"]:
        limited = f"SELECT 1 FROM account WHERE {where} LIMIT {CAP}"  # noqa: S608
        return connection().execute(f"SELECT count(*) FROM ({limited})", values).fetchone()[0]  # noqa: S608
    chosen = [asked[name] for name in FILTERS]
    fits = (row for row in kept_groups() if all(c in ("", s) for c, s in zip(chosen, row[:3], strict=True)))
    return sum(row[3] for row in fits)


def rows(asked: dict[str, str]) -> dict[str, Any]:
    """One page of accounts, and what its links need."""
    page, name = max(1, int(asked["page"] or 1)), asked["sort"].removeprefix("-")
    where, values = conditions(asked)
    direction = "DESC" if asked["sort"].startswith("-") else "ASC"
    order = ", ".join(f"{part} {direction}" for part in f"{SORTS[name]}, id".split(", "))
    query = f"SELECT {SHOWN} FROM account WHERE {where} ORDER BY {order} LIMIT ? OFFSET ?"  # noqa: S608
    lines = connection().execute(query, [*values, PER_PAGE, (page - 1) * PER_PAGE]).fetchall()
    shown = {"lines": lines, "matching": count(where, values, asked), "page": page, "asked": asked}
    return shown | {"sorts": SORTS, "filters": FILTERS}


def asked_of(request: Request) -> dict[str, str]:
    """What the address asks for."""
    given = request.query_params
    asked = {name: given.get(name, "").strip() for name in ("search", "page", *FILTERS)}
    return asked | {"sort": given.get("sort", "name")}


def index(request: Request) -> HTMLResponse:
    """The whole page."""
    return HTMLResponse(TEMPLATES.get_template("page.html").render(widgets=widgets(), **rows(asked_of(request))))


def part(request: Request) -> HTMLResponse:
    """The table alone, for htmx."""
    return HTMLResponse(TEMPLATES.get_template("rows.html").render(**rows(asked_of(request))))


async def inline_part(request: Request) -> HTMLResponse:
    """The same without a thread: it answers more in a second, and everybody waits while it asks the database."""
    return part(request)


def app() -> Starlette:
    """The application."""
    if INDEXED:
        kept_groups()
    routes = [Route("/", index), Route("/rows", part), Route("/inline/rows", inline_part)]
    routes.append(Mount("/static", StaticFiles(directory=os.environ["BENCH_STATIC"])))
    return Starlette(routes=routes, middleware=[Middleware(GZipMiddleware, compresslevel=5)])
