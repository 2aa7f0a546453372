"""The portal with one more address, for the bench alone: an operation of half a second on someone's behalf.

`python -m tests.bench.busy` starts it as `portal_app.serve` starts the portal. The operation goes the way of every
long operation of the portal: a unit of work in a thread. `/bench/slow` asks the database for something slow,
`/bench/subscribe` subscribes a partner's trials and rolls back, which is Python for the most part.
"""

import time
from collections.abc import AsyncIterator
from typing import Any

from sqlalchemy import select, text
from sqlmodel import Session, col
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route

from portal_app import db, listening, portal_app, serve
from portal_app.accounts import service
from portal_app.auth import guard
from portal_app.auth.actor import system
from portal_app.models import TRIALS, Account

HALF_A_SECOND = 0.5
COUNT = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000) SELECT sum(i) FROM n"


def slow(session: Session) -> None:
    """Keep SQLite busy for half a second."""
    end = time.monotonic() + HALF_A_SECOND
    while time.monotonic() < end:
        session.execute(text(COUNT))


def subscribe(session: Session) -> None:
    """Subscribe trials for half a second, then take it all back."""
    end = time.monotonic() + HALF_A_SECOND
    trials = select(col(Account.id), col(Account.partner_id)).where(col(Account.status).in_(TRIALS))
    ids = session.execute(trials.limit(5000)).all()
    for start in range(0, len(ids), 100):
        part = ids[start : start + 100]
        service.subscribe(session, system(part[0].partner_id), [row.id for row in part], "monthly")
        session.flush()
        if time.monotonic() > end:
            break
    session.rollback()


@guard.public("exists in the bench alone")
async def operate(request: Request) -> StreamingResponse:
    """GET /bench/slow and /bench/subscribe: a first line when it begins, the seconds when it is done."""
    return StreamingResponse(_work(request.url.path.endswith("slow")), media_type="text/plain")


async def _work(is_slow: bool) -> AsyncIterator[str]:
    began = time.monotonic()
    yield "begun\n"
    await (db.look(slow) if is_slow else db.work(subscribe))
    yield f"{time.monotonic() - began:.3f}\n"


def app() -> Any:
    """The portal's application with the operations before it."""
    inner, routes = portal_app.app(), [Route("/bench/slow", operate), Route("/bench/subscribe", operate)]

    async def routed(scope: Any, receive: Any, send: Any) -> None:
        route = next((one for one in routes if one.path == scope.get("path")), None)
        await (route.handle if route else inner)(scope, receive, send)

    return routed


if __name__ == "__main__":
    listening.TARGET = "tests.bench.busy:app"
    serve.main()
