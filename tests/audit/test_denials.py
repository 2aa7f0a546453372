"""What somebody may not do is written down: once, with who and from where."""

from portal_app import db
from portal_app.audit import reading
from portal_app.audit.query import AuditQuery
from portal_app.audit.rows import AuditRow
from portal_app.auth import tokens
from portal_app.auth.actor import system
from portal_app.auth.permissions import Permission
from tests.audit.conftest import Send
from tests.cast import Cast, cookie_of
from tests.security.pipeline import Pipeline, name_of, play


def refused(cast: Cast, who: str = "alice") -> list[AuditRow]:
    return db.read(reading.page, cast.actor(who), AuditQuery(status="failed")).rows


def test_an_event_that_is_refused_is_recorded_once_however_often_it_is_sent(cast: Cast) -> None:
    async def scene(made: Pipeline) -> None:
        tab = made.tab(cookie_of(cast.nina))
        for _ in range(20):
            await tab.send(name_of("audit_state.load"))
        await tab.send(name_of("dashboard_state.load"))

    play(scene)
    second, first = refused(cast)
    assert first.description == f"{Permission.AUDIT_VIEW.refusal} (audit_state.load)"
    assert (first.activity, first.performed_by, first.address) == ("Access refused", cast.nina.email, "192.0.2.7")
    assert first.browser == "Firefox on Linux"
    assert second.description.endswith("(dashboard_state.load)")


def test_a_customers_refusal_is_in_the_audit_of_its_partner_and_account(cast: Cast) -> None:
    async def scene(made: Pipeline) -> None:
        await made.tab(cookie_of(cast.dave)).send(name_of("dashboard_state.load"))

    play(scene)
    (row,) = refused(cast)
    assert (row.performed_by, row.account_name) == (cast.dave.email, "Alpha Ash")


def test_nobody_leaves_no_row(cast: Cast) -> None:
    async def scene(made: Pipeline) -> None:
        await made.tab().send(name_of("dashboard_state.load"))

    play(scene)
    assert refused(cast) == []


def test_a_download_that_is_refused_is_recorded(cast: Cast, send: Send) -> None:
    cookie = cookie_of(cast.nina)
    for _ in range(3):
        send("GET", "/security-audit/export.csv?user=x", headers={"Cookie": cookie})
    (row,) = refused(cast)
    assert row.description == f"{Permission.AUDIT_VIEW.refusal} (GET /security-audit/export.csv)"


def test_a_token_without_the_permission_is_recorded(cast: Cast, send: Send) -> None:
    token = db.write(
        tokens.create_token,
        system(cast.partner_a.id),
        cast.partner_a.id,
        "Reader",
        frozenset({Permission.AUDIT_VIEW}),
    )
    for _ in range(2):
        answer = send("POST", "/api/v1/backup-runs", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 403
    (row,) = refused(cast)
    assert (row.activity, row.performed_by) == ("API", "Reader")
    assert "POST /api/v1/backup-runs" in row.description
