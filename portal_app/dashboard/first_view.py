"""The dashboard's first rows within the page itself.

The built page holds no data: its rows would come only after all scripts are loaded and the socket stands. So the
server writes them into the page as it sends it. They are replaced by the live table, which looks the same.
"""

from functools import cache
from html import escape

import anyio.to_thread
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from portal_app import build, db
from portal_app.accounts.query import AccountQuery
from portal_app.accounts.rows import BACKUP, BILLING, STATUS
from portal_app.auth import guard, sessions
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.auth.routes import origin_of
from portal_app.billing.banners import banners_for
from portal_app.dashboard import service
from portal_app.dashboard.rows import CLOSED, NOTHING, Line
from portal_app.shell import headers
from portal_app.shell.branding import page_text
from portal_app.shell.built import with_room
from portal_app.shell.packed import Part, gzipped

# What the build writes where the rows come, and what replaces it.
PLACE = '<tr class="skeleton-row" aria-hidden="true"><td class="skeleton-rows" colspan="9" style="--rows:25"></td></tr>'
BILLS = "/billing/accounts/"
_QUICKLY = 6
PERMISSIONS = frozenset({Permission.DASHBOARD_VIEW, Permission.BILLING_VIEW})


@guard.public("the page itself is the same for everyone; rows come into it only for who may see them")
async def page(request: Request) -> Response:
    """GET /: the built page, with the first rows for who is signed in and may see all columns."""
    token = sessions.token_in(request.headers.get("cookie"))
    query = AccountQuery.from_address(request.query_params)
    rows, banners = await db.look(_first, token, request, query) if token else (PLACE, 0)
    before, after, policy = await anyio.to_thread.run_sync(_built, banners)
    kept = "no-store" if token else "no-cache"
    told = {"Cache-Control": kept, "Vary": "Accept-Encoding, Cookie", "Content-Security-Policy": policy}
    if "gzip" not in request.headers.get("accept-encoding", ""):
        body = before.plain + rows.encode() + after.plain
    else:
        body, told["Content-Encoding"] = gzipped(before, Part.of(rows, _QUICKLY, before.plain), after), "gzip"
    return Response(body, media_type="text/html", headers=told)


def _first(session: Session, token: str, request: Request, query: AccountQuery) -> tuple[str, int]:
    """The rows, and how many banners will come."""
    actor = sessions.identify(session, token, origin_of(request))
    return _rows(session, actor, query), len(banners_for(session, actor))


def _rows(session: Session, actor: Actor, query: AccountQuery) -> str:
    if not actor.permissions >= PERMISSIONS:
        return PLACE
    found = service.table(session, actor, query)
    return "".join(_row(line, actor) for line in found.lines) or PLACE


@cache
def _built(banners: int) -> tuple[Part, Part, str]:
    """What stands before and after the rows, and what the page may do."""
    html = page_text(build.CLIENT / "index.html")
    before, _, after = html.partition(PLACE)
    return Part.of(with_room(before, banners)), Part.of(after), headers.page_policy(html)


def _row(line: Line, actor: Actor) -> str:
    """The look of the live table's row (`ui.table`); a test compares them."""
    owed = "nothing" if line["amount"] == NOTHING else ""
    billing = _badge(*BILLING[line["billing"]])
    cells = (
        _cell("tick", "", '<input class="tick" type="checkbox" disabled>'),
        _cell("name", "Account Name", _name(line, actor)),
        _cell("text not-on-card wide-only", "Email", f'<span class="cut">{escape(line["email"])}</span>'),
        _cell("status", "Account Status", _badge(*STATUS[line["status"]])),
        _cell("status", "Backup Status", _badge(*BACKUP[line["backup"]])),
        _cell("status", "Billing Status", f'<a class="{owed}" href="{BILLS}{line["id"]}">{billing}</a>'),
        _cell("number", "Amount", f'<span class="{owed}">{escape(line["amount"])}</span>'),
        _cell("number not-on-card wide-only", "Size", escape(line["size"])),
        _cell("action", "Delete", _bin(line, actor)),
    )
    return f'<tr role="row">{"".join(cells)}</tr>'


def _cell(look: str, label: str, content: str) -> str:
    return f'<td class="col-{look}" data-label="{label}" role="cell">{content}</td>'


def _name(line: Line, actor: Actor) -> str:
    name = escape(line["name"])
    if line["closed"]:
        told = f'<span class="cut muted">{CLOSED}</span>'
        return f'<div class="two-lines"><span class="cut">{name}</span>{told}</div>'
    if not actor.may(Permission.ACCOUNTS_ACCESS):
        return f'<span class="cut">{name}</span>'
    return f'<a class="row-link cut" href="/accounts/{line["id"]}">{name}</a>'


def _bin(line: Line, actor: Actor) -> str:
    """The room of the button that deletes a trial."""
    may_delete = line["trial"] and actor.may(Permission.TRIALS_DELETE)
    return '<span class="icon-button" aria-hidden="true"></span>' if may_delete else ""


def _badge(words: str, kind: str) -> str:
    return f'<span class="badge is-{kind}">{escape(words)}</span>'


routes = [Route("/", page)]
