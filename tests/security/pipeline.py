"""Reflex's real event pipeline in the test's process: guard, state, deltas; no socket and no page."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import reflex as rx
from reflex.istate.manager.memory import StateManagerMemory
from reflex.istate.manager.token import BaseStateToken
from reflex_base.event import Event
from reflex_base.event.processor import BaseStateEventProcessor
from reflex_base.registry import RegistrationContext

from portal_app import portal_app
from portal_app.auth.state import SessionState

app = portal_app.app
ROOT = "reflex___state____state"
HYDRATE = f"{ROOT}.hydrate"
_numbers = count(1)
# An event that isn't over by then hangs.
SECONDS = 15


def handlers() -> dict[str, Any]:
    """Every handler of the portal's own states by its full name."""
    found = RegistrationContext.get().event_handlers
    return {n: r.handler.fn for n, r in found.items() if r.handler.fn.__module__.startswith("portal_app.")}


def name_of(ending: str) -> str:
    """The full name of the one handler that ends so: "dashboard_state.load"."""
    (found,) = [name for name in handlers() if name.endswith(f"____{ending}")]
    return found


@dataclass
class Answer:
    """What came back for one event."""

    deltas: list[dict[str, dict[str, Any]]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)

    @property
    def redirects(self) -> list[str]:
        return [str(event.payload.get("path")) for event in self.events if event.name == "_redirect"]

    @property
    def ran(self) -> bool:
        """Whether the event itself (not its chain) was let through."""
        return not self.redirects and self.var("denied") in ("", None)

    def var(self, name: str) -> Any:
        """The last value that was sent of a variable; None when it wasn't sent."""
        values = [v for d in self.deltas for s in d.values() for k, v in s.items() if k == f"{name}_rx_state_"]
        return values[-1] if values else None


class Pipeline:
    """Tabs that send events; the state of each is kept as the server keeps it."""

    def __init__(self) -> None:
        self.manager = StateManagerMemory()
        self.answers: dict[str, Answer] = {}
        self.processor = BaseStateEventProcessor(middleware=app, backend_exception_handler=self._failed)

    async def emit_update(self, update: Any, token: str) -> None:
        answer = self.answers.setdefault(token, Answer())
        if update.delta:
            answer.deltas.append(update.delta)
        answer.events.extend(update.events)

    def _failed(self, error: Exception) -> Any:
        for answer in self.answers.values():
            if error not in answer.errors:
                answer.errors.append(error)
        return portal_app.on_error(error)

    @property
    def busy(self) -> bool:
        """Whether any event is still being handled."""
        return bool(self.processor._tasks)

    def tab(self, cookie: str = "", path: str = "/", token: str = "") -> "Tab":
        return Tab(self, cookie, path, token or f"tab-of-the-tests-{next(_numbers)}")


@dataclass
class Tab:
    """A browser's tab, or a program that pretends to be one."""

    pipeline: Pipeline
    cookie: str
    path: str
    token: str

    async def send(self, name: str, payload: dict[str, Any] | None = None) -> Answer:
        """Send one event and wait until it and all that it chained to are over."""
        answer = self.pipeline.answers[self.token] = Answer()
        event = Event(name=name, payload=payload or {}, router_data=self._router_data())
        future = await self.pipeline.processor.enqueue(self.token, event)
        try:
            async with asyncio.timeout(SECONDS):
                await future.wait_all()
        except TimeoutError:
            raise
        except Exception as error:
            if error not in answer.errors:
                answer.errors.append(error)
        return answer

    async def hydrate(self) -> Answer:
        return await self.send(HYDRATE)

    async def state(self, kind: type[rx.State]) -> Any:
        root = await self.pipeline.manager.get_state(BaseStateToken(ident=self.token, cls=SessionState))
        return await root.get_state(kind)

    async def values(self) -> dict[str, Any]:
        """All that the server keeps for the tab, but for where it is and why it was refused."""
        root = await self.pipeline.manager.get_state(BaseStateToken(ident=self.token, cls=SessionState))
        found = root._get_root_state().dict()
        own = {name: dict(values) for name, values in found.items() if ".portal_app" in name}
        for values in own.values():
            values.pop("denied_rx_state_", None)
        return own

    def _router_data(self) -> dict[str, Any]:
        headers = {"host": "portal.example", "user-agent": "Mozilla/5.0 (X11; Linux) Firefox/140.0"}
        if self.cookie:
            headers["cookie"] = self.cookie
        path = self.path.partition("?")[0]
        where = {"pathname": path, "asPath": self.path, "ip": "192.0.2.7", "token": self.token, "sid": "s"}
        return where | {"headers": headers, "query": {}}


@asynccontextmanager
async def pipeline() -> AsyncIterator[Pipeline]:
    made = Pipeline()
    with app.set_contexts():
        async with made.processor.configure(state_manager=made.manager, event_namespace=made):
            yield made
    await made.manager.close()


def play(scene: Callable[[Pipeline], Awaitable[Any]]) -> Any:
    """Run a scene to its end in an event loop of its own."""

    async def run() -> Any:
        async with pipeline() as made:
            return await scene(made)

    return asyncio.run(run())
