"""Who may read the outbox: anybody, but only in a demo, and only what was sent to people who do not exist."""

from collections.abc import Callable

import pytest
from sqlmodel import Session

from portal_app import db
from portal_app.demo.people import PEOPLE
from portal_app.errors import NotFound
from portal_app.mail import reading
from portal_app.mail.letter import Letter
from portal_app.mail.service import queue
from portal_app.models import OutboxMail
from portal_app.settings import reset_settings
from tests import factories

pytestmark = pytest.mark.usefixtures("database")
OPERATOR = "operator@demo.example"
LETTER = Letter(
    "Reset your password",
    ("Use this link.\nhttps://evil.example/", "<script>alert(1)</script>"),
    action=("Set a new password", "http://localhost:3000/reset?token=abc"),
)


@pytest.fixture
def deploy(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    def demo(value: str) -> None:
        monkeypatch.setenv("PORTAL_DEMO", value)
        reset_settings()

    demo("1")
    return demo


def fill(session: Session) -> None:
    """Mail to the demo's people, to a real partner's, and to somebody of neither."""
    demo = factories.partner(session, is_demo=True)
    real = factories.partner(session)
    for to, of in (
        ("somebody@demo-company.example", demo.id),
        ("ann@real.example", real.id),
        (OPERATOR, None),
        ("operator@provider.example", None),
        (PEOPLE[0].email, real.id),
    ):
        queue(session, to, LETTER, kind="reset", partner_id=of)


def readable() -> list[str]:
    return [row.to for row in db.read(reading.page_of, 1, 25).rows]


def test_only_the_demos_mail_is_there_newest_first(deploy) -> None:
    db.write(fill)
    assert readable() == [OPERATOR, "somebody@demo-company.example"]
    for mail_id in (1, 3):
        assert db.read(reading.read, mail_id).row.id == mail_id
    for mail_id in (2, 4, 5, 99, 0, -1):
        with pytest.raises(NotFound, match=reading.NOT_FOUND):
            db.read(reading.read, mail_id)


@pytest.mark.parametrize("demo", ["0", None])
def test_outside_a_demo_there_is_nothing(deploy, monkeypatch, demo: str | None) -> None:
    db.write(fill)
    if demo is None:
        monkeypatch.delenv("PORTAL_DEMO")  # there is a real partner
        reset_settings()
    else:
        deploy(demo)
    with pytest.raises(NotFound):
        db.read(reading.page_of, 1, 25)
    with pytest.raises(NotFound):
        db.read(reading.read, 1)


def test_a_mail_is_shown_as_text_and_html_and_only_the_portals_links_are_links(deploy) -> None:
    db.write(fill)
    found = db.read(reading.read, 1)
    assert [line.href for line in found.lines if line.href] == ["/reset?token=abc"]
    assert any(line.text == "https://evil.example/" for line in found.lines)
    assert "&lt;script&gt;" in found.html
    assert "<script" not in found.html
    assert "<style" not in found.html
    assert 'target="_blank"' in found.html


def test_pages(deploy) -> None:
    for number in range(30):
        db.write(queue, OPERATOR, Letter(f"Mail {number}", ("p",)), kind="test")
    second = db.read(reading.page_of, 2, 25)
    assert ([row.subject for row in second.rows], second.number, second.pages) == (
        [f"Mail {number}" for number in (4, 3, 2, 1, 0)],
        2,
        2,
    )
    assert db.read(reading.page_of, 10**9, 25).number == 2


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, "Kept here"),
        ({"fault": "The mail server can't be reached."}, "Trying again"),
        ({"state": "failed", "fault": "No."}, "Failed"),
        ({"state": "sent"}, "Sent"),
    ],
)
def test_the_states_in_words(deploy, changes: dict[str, str], state: str) -> None:
    db.write(queue, OPERATOR, LETTER, kind="test")

    def change(session: Session) -> None:
        mail = session.get(OutboxMail, 1)
        for name, value in (changes | {"sealed": None}).items():
            setattr(mail, name, value)

    db.write(change)
    found = db.read(reading.read, 1)
    assert (found.row.state, found.lines, found.html) == (state, [], "")
