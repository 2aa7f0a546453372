"""Files over plain HTTP, and what reaches a partner's socket of an operator's note."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from sqlmodel import col, select
from starlette.applications import Starlette

from portal_app import db
from portal_app.models import AuditEvent, TicketFile, TicketUpload
from portal_app.shell import http
from portal_app.tickets import desk as provider
from portal_app.tickets import kinds, routes, service, uploads
from tests.cast import cookie_of
from tests.security.pipeline import Pipeline, name_of, play
from tests.tickets.conftest import Desk

OWN = {"Sec-Fetch-Site": "same-origin"}
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 20
SECRET = "They never pay in time."
Send = Callable[..., httpx.Response]


@pytest.fixture
def send(desk: Desk) -> Send:
    """`send("POST", path, as_whom, …)` through everything that stands before the routes."""
    people = {**desk.cast.people, "tess": desk.tess, "theo": desk.theo}

    def sending(method: str, path: str, who: str = "", **given: Any) -> httpx.Response:
        headers = ({"Cookie": cookie_of(people[who])} if who else {}) | given.pop("headers", OWN)

        async def run() -> httpx.Response:
            transport = httpx.ASGITransport(http.outermost(Starlette(routes=routes.routes)))
            async with httpx.AsyncClient(transport=transport, base_url="http://portal.example") as client:
                return await client.request(method, path, headers=headers, **given)

        return asyncio.run(run())

    return sending


def upload(send: Send, who: str, ticket: Any, *, side: str = "support", data: bytes = PNG, **given: Any) -> tuple:
    form = {"data": {"ticket": str(ticket)}, "files": {"file": ("a.png", data, "text/html")}}
    answer = send("POST", f"/{side}/tickets/files", who, **form | given)
    return answer.status_code, answer.text


def waiting() -> list[tuple[int, int, str]]:
    wanted = select(TicketUpload.user_id, TicketUpload.ticket_id, TicketUpload.name).order_by(col(TicketUpload.id))
    return [tuple(row) for row in db.read(lambda session: session.exec(wanted).all())]


def test_a_file_comes_into_the_form_of_its_sender(send: Send, desk: Desk) -> None:
    number, olga = desk.ticket.id, desk.cast.olga.id
    assert upload(send, "tess", 0) == (200, "")
    assert upload(send, "tess", number) == (200, "")
    assert upload(send, "olga", number, side="operator") == (200, "")
    assert waiting() == [(desk.tess.id, 0, "a.png"), (desk.tess.id, number, "a.png"), (olga, number, "a.png")]


def test_who_may_not_sends_no_file(send: Send, desk: Desk) -> None:
    number = desk.ticket.id
    for who in ("", "bob", "carol", "nina", "dave", "olga", "ivan", "sam"):
        assert upload(send, who, number) == (403, "signed-out"), who
    for who in ("", "tess", "alice", "mallory", "dave"):
        assert upload(send, who, number, side="operator") == (403, "signed-out"), who
    for who in ("theo", "mallory"):
        assert upload(send, who, number) == (404, "gone"), who
    assert upload(send, "olga", 0, side="operator") == (403, "signed-out")
    for other in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "http://evil.example"}, {}):
        assert upload(send, "tess", number, headers=other) == (403, "elsewhere")
    assert waiting() == []


def test_what_is_wrong_with_a_file_is_a_word_of_ours(send: Send, desk: Desk) -> None:
    large = PNG + b"0" * kinds.MOST_BYTES
    assert upload(send, "tess", 0, data=large) == (422, "large")
    assert upload(send, "tess", 0, data=b"<script>") == (422, kinds.NOT_ITS_KIND)
    assert upload(send, "tess", "1; drop") == (404, "gone")
    assert upload(send, "tess", 0, files={"other": ("a", b"a")}) == (422, "none")
    assert upload(send, "tess", 0, data=b"x", files=None) == (422, "unreadable")
    assert waiting() == []
    said = [routes.problem_of(one) for one in ("large", kinds.NOT_ITS_KIND, "<b>mine</b>", "", None, [])]
    assert said == [kinds.TOO_LARGE, kinds.NOT_ITS_KIND, routes.PROBLEMS["unreadable"], "", "", ""]


def test_a_file_is_saved_and_never_shown_and_each_fetching_is_audited(send: Send, desk: Desk) -> None:
    olga, number = desk.actor("olga"), desk.ticket.id
    db.write(uploads.put, desk.actor("tess"), number, 'Übersicht "1".png', PNG)
    db.write(service.reply, desk.actor("tess"), number, desk.ticket.version, "There.")
    db.write(uploads.put, olga, number, "inner.png", PNG)
    db.write(provider.note, olga, number, SECRET)
    outer, inner = db.read(lambda session: session.exec(select(TicketFile.id).order_by(col(TicketFile.id))).all())
    for who, side in (("tess", "support"), ("alice", "support"), ("olga", "operator")):
        answer = send("GET", f"/{side}/tickets/files/{outer}", who)
        assert (answer.status_code, answer.content) == (200, PNG)
        assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''%C3%9Cbersicht%20%221%22.png"
        assert answer.headers["content-type"] == "image/png"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert "sandbox" in answer.headers["content-security-policy"]
    for who, file in (
        ("theo", outer),
        ("mallory", outer),
        ("tess", inner),
        ("alice", inner),
        ("tess", 99),
        ("tess", "x"),
    ):
        assert send("GET", f"/support/tickets/files/{file}", who).status_code == 404, (who, file)
    for who in ("", "bob", "dave", "olga"):
        assert send("GET", f"/support/tickets/files/{outer}", who).headers["location"].startswith("/login?next="), who
    assert send("GET", f"/operator/tickets/files/{outer}", "alice").status_code == 303
    assert send("GET", f"/operator/tickets/files/{inner}", "olga").status_code == 200

    def fetched(session) -> list[tuple]:
        rows = session.exec(select(AuditEvent).where(col(AuditEvent.description).contains("downloaded")))
        return [(row.partner_id, row.performed_by, "inner" in row.description) for row in rows]

    ours = desk.cast.partner_a.id
    assert db.read(fetched) == [
        (ours, "tess@people.example", False),
        (ours, "alice@people.example", False),
        (None, "olga@people.example", False),
        (ours, "olga@people.example", False),
        (None, "olga@people.example", True),
    ]


def test_no_word_of_a_note_reaches_the_partners_socket(desk: Desk) -> None:
    number, olga, ours = desk.ticket.id, desk.actor("olga"), ("tickets_state", "own_ticket_state", "new_ticket_state")
    db.write(uploads.put, olga, number, "inner.png", PNG)
    db.write(provider.note, olga, number, SECRET)

    async def scene(made: Pipeline) -> None:
        tab = made.tab(cookie_of(desk.tess), path=f"/support/tickets/{number}")
        await tab.hydrate()
        answers = [await tab.send(name_of(f"{one}.load")) for one in ours]
        answers.append(await tab.send(name_of("operator_ticket_state.load")))
        told = str([(one.deltas, one.events) for one in answers]) + str(await tab.values())
        assert "Since Monday." in told
        assert SECRET not in told
        assert "inner.png" not in told
        staff = made.tab(cookie_of(desk.cast.olga), path=f"/operator/tickets/{number}")
        await staff.hydrate()
        await staff.send(name_of("operator_ticket_state.load"))
        assert SECRET in str(await staff.values())

    play(scene)


@pytest.mark.parametrize("kind", ["note", "", None, 7])
def test_a_form_that_does_not_say_answer_tells_the_partner_nothing(desk: Desk, kind: Any) -> None:
    form = {"text": SECRET, "kind": kind, "close": "on", "turn": "0"}

    async def scene(made: Pipeline) -> None:
        staff = made.tab(cookie_of(desk.cast.olga), path=f"/operator/tickets/{desk.ticket.id}")
        await staff.hydrate()
        await staff.send(name_of("operator_ticket_state.load"))
        await staff.send(name_of("operator_ticket_state.send"), {"form": form})

    play(scene)
    assert len(db.read(service.show, desk.actor("tess"), desk.ticket.id).messages) == 1
    assert db.read(provider.show, desk.actor("olga"), desk.ticket.id).shown.messages[-1].text == SECRET


def test_two_quick_clicks_send_once(desk: Desk) -> None:
    async def scene(made: Pipeline) -> None:
        tab = made.tab(cookie_of(desk.tess), path=f"/support/tickets/{desk.ticket.id}")
        await tab.hydrate()
        await tab.send(name_of("own_ticket_state.load"))
        for _ in range(2):
            await tab.send(name_of("own_ticket_state.send"), {"form": {"text": "Once.", "turn": "0"}})

    play(scene)
    shown = db.read(service.show, desk.actor("tess"), desk.ticket.id).messages
    assert [one.text for one in shown] == ["Since Monday.", "Once."]
