"""Whatever can be called from outside says who may call it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import reflex as rx
from reflex_base.registry import RegistrationContext
from starlette.applications import Starlette
from starlette.routing import Mount, Route

from portal_app import portal_app  # noqa: F401 (so that all there is to call is there)
from portal_app.auth import guard
from tests.architecture.source import ROOT

# Why these need no policy of ours.
FRAMEWORK = {
    "/ping": "Reflex's: answers a constant",
    "/_health": "Reflex's: says whether its state store answers",
    "/_event": "the socket: each event goes through the guard",
}


def test_every_handler_declares_who_may_call_it() -> None:
    assert guard.undeclared() == []
    assert len(RegistrationContext.get().event_handlers) > 40


CARELESS = """
import reflex as rx
from portal_app import portal_app
from portal_app.auth import guard
from tests.security.pipeline import play

class Careless(rx.State):
    ran: bool = False

    async def plain(self):
        self.ran = True

    @rx.event
    async def marked(self):
        self.ran = True

    @rx.event(background=True)
    async def beside(self):
        self.ran = True

names = guard.undeclared()
assert [name.rpartition(".")[2] for name in sorted(names)] == ["beside", "marked", "plain"], names

async def scene(made):
    for name in names:
        assert guard.policy_of(name) is None
        tab = made.tab()
        answer = await tab.send(name)
        assert answer.var("denied") == "There is no such action.", answer
        assert not (await tab.state(Careless)).ran

play(scene)
"""


def test_a_handler_that_declares_nothing_is_found_and_refused() -> None:
    """In a process of its own: a state that is defined once stays defined."""
    done = subprocess.run([sys.executable, "-c", CARELESS], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-1500:]


def _routes(app: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    while not hasattr(app, "routes") and hasattr(app, "app"):
        app = app.app
    for route in getattr(app, "routes", ()):
        if isinstance(route, Mount):
            inner = list(_routes(route.app, prefix + route.path))
            yield from inner or [(prefix + route.path, None)]
        else:
            yield prefix + route.path, route.endpoint


COMPOSE = """
import json
from portal_app import portal_app
from tests.architecture.test_policies import _routes
print(json.dumps({path: hasattr(endpoint, "__policy__") for path, endpoint in _routes(portal_app.app())}))
"""


@pytest.fixture
def composed() -> dict[str, bool]:
    """Address -> whether it declares a policy, of the whole application, as the server gets it.

    In a process of its own: composing gives the states variables of the addresses, which other tests' events lack.
    """
    settings = {"__REFLEX_SKIP_COMPILE": "true", "REFLEX_ENV_MODE": "prod"}
    done = subprocess.run(
        [sys.executable, "-c", COMPOSE],
        cwd=ROOT,
        env=os.environ | settings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-1500:]
    return json.loads(done.stdout.splitlines()[-1])


def test_every_route_declares_who_may_call_it_or_is_the_frameworks(composed: dict[str, bool]) -> None:
    silent = {path for path, declared in composed.items() if not declared}
    assert silent == set(FRAMEWORK)
    assert {"/auth/session", "/auth/sign-out", "/healthz", "/api/v1/backup-runs"} <= composed.keys()


def test_a_route_that_declares_nothing_is_found() -> None:
    async def careless(_request: Any) -> None: ...

    found = dict(_routes(Starlette(routes=[Mount("/deep", Starlette(routes=[Route("/x", careless)]))])))
    assert found == {"/deep/x": careless}


def test_a_policy_says_something() -> None:
    with pytest.raises(ValueError, match="name a permission"):
        guard.requires()
    with pytest.raises(ValueError, match="say why"):
        guard.public("")


def _states(kind: type[rx.State] = rx.State) -> Iterator[type[rx.State]]:
    for sub in kind.get_substates():
        if sub.__module__.startswith("portal_app."):
            yield sub
        yield from _states(sub)


# Reflex itself puts these on every state.
_REFLEX = frozenset(dir(rx.State))


@pytest.mark.parametrize("state", sorted(_states(), key=str), ids=lambda state: state.__name__)
def test_a_state_has_no_public_method_but_its_handlers(state: type[rx.State]) -> None:
    """Reflex makes a handler of each function; what it makes none of (a property, a static method) is a helper."""
    own = {name: value for name, value in vars(state).items() if not name.startswith("_") and name not in _REFLEX}
    handlers = state.event_handlers.keys()
    odd = [
        name
        for name, value in own.items()
        if name not in handlers and (callable(value) or isinstance(value, staticmethod | classmethod | property))
    ]
    assert [name for name in odd if name not in state.vars] == []
    assert all(hasattr(state.event_handlers[n].fn, "__policy__") for n in handlers if n in own)


@pytest.mark.parametrize("state", sorted(_states(), key=str), ids=lambda state: state.__name__)
def test_a_state_keeps_nothing_that_the_browser_may_set_or_the_build_may_print(state: type[rx.State]) -> None:
    """No cookie or local storage variable (a client sets those), and no computed variable (it runs in the build)."""
    assert [name for name in state.base_vars if state._is_client_storage(name)] == []
    assert [name for name in state.computed_vars if name not in rx.State.computed_vars] == []
