"""A password passes through: it is in no state, no log, no database and no message to the page."""

import logging
from pathlib import Path

import httpx
import pytest

from portal_app import db
from portal_app.auth import service
from portal_app.errors import Denied
from portal_app.sign_in.state import SignInState
from tests.cast import HERE, Cast
from tests.factories import PASSWORD
from tests.security.pipeline import Pipeline, name_of, play
from tests.security.served import Raw, Served
from tests.security.watch import holds
from tests.tables import stored

SUBMIT = name_of("sign_in_state.submit")
WRONG = "a wrong password that nobody has 7311"


def _forms(email: str) -> list[dict[str, object]]:
    """As a page sends it, and broken in ways that make something complain."""
    entries = [["email", email], ["password", WRONG]]
    return [
        {"email": email, "password": WRONG},
        {"email": email, "password": [WRONG]},
        {"email": {"x": WRONG}, "password": WRONG},
        {"email": "nobody@people.example", "password": WRONG},
        {"__reflex_form_data__": entries},
        {"__reflex_form_data__": [*entries, ["odd"]]},
        {"email": email, "password": WRONG, WRONG: WRONG},
    ]


def test_not_in_the_state_nor_in_what_the_page_gets(cast: Cast, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    async def scene(made: Pipeline) -> None:
        tab = made.tab(path="/login")
        for form in _forms(cast.alice.email):
            answer = await tab.send(SUBMIT, {"form": form})
            assert WRONG not in f"{answer.deltas}{answer.events}"
        answer = await tab.send(SUBMIT, {"form": {"email": cast.alice.email, "password": PASSWORD}})
        assert answer.var("ticket")
        assert PASSWORD not in f"{answer.deltas}{answer.events}"
        root = (await tab.state(SignInState))._get_root_state()
        kept = repr(root.dict()) + repr(_backend_vars(root))
        assert cast.alice.email in kept
        assert PASSWORD not in kept
        assert WRONG not in kept

    play(scene)
    assert PASSWORD not in caplog.text
    assert WRONG not in caplog.text


def _backend_vars(state: object) -> list[object]:
    return [state._backend_vars, *[_backend_vars(sub) for sub in state.substates.values()]]


def test_not_in_the_database_nor_beside_it(cast: Cast, data_dir: Path) -> None:
    service.sign_in(cast.alice.email, PASSWORD, HERE)
    for email in (cast.alice.email, "nobody@people.example"):
        with pytest.raises(Denied):
            service.sign_in(email, WRONG, HERE)
    db.reset_engine()
    assert holds(data_dir, PASSWORD) == []
    assert holds(data_dir, WRONG) == []
    assert PASSWORD.encode() not in stored()
    assert WRONG.encode() not in stored()
    assert cast.alice.email.encode() in stored()


def test_not_on_the_servers_disk_nor_in_its_log(served: Served) -> None:
    with Raw(served) as tab:
        for form in _forms(served.cast.alice.email):
            tab.ask(SUBMIT, {"form": form}, path="/login")
            tab.ask(SUBMIT, {"form": form, "more": WRONG}, path="/login")
        tab.ask(SUBMIT, {"form": {"email": served.cast.bob.email, "password": PASSWORD}}, path="/login")
        tab.until(lambda: '"ticket_rx_state_": "' in tab.heard())
        tickets = [t for m in tab.seen for t in _values(m, "ticket_rx_state_") if t]
    answer = httpx.post(
        f"{served.address}/auth/session", data={"ticket": tickets[-1]}, headers={"Sec-Fetch-Site": "same-origin"}
    )
    assert answer.status_code == 303
    token = answer.headers["set-cookie"].partition(";")[0].partition("=")[2]
    with Raw(served, f"portal_session={token}") as tab:
        tab.ask(name_of("dashboard_state.load"))
    folder = served.log.parent
    with served.here():
        kept = stored()
    for secret in (PASSWORD, WRONG, tickets[-1], token):
        assert holds(folder, secret) == []
        assert secret.encode() not in kept
    assert served.cast.bob.email.encode() in kept


def _values(message: object, name: str) -> list[str]:
    if isinstance(message, dict):
        inner = [v for value in message.values() for v in _values(value, name)]
        return ([message[name]] if name in message else []) + inner
    return [v for value in message for v in _values(value, name)] if isinstance(message, list) else []
