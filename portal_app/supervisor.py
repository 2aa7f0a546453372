"""Several server processes on one port, and the worker beside them: starts them, again if one dies, and ends them.

Each process has a socket of its own at the port, so that the system shares out who comes. SIGHUP replaces the processes
one by one, each when its successor serves at the same socket: it stays open, and nobody who comes is sent away.
"""

import asyncio
import logging
import os
import signal
import socket
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from tempfile import TemporaryDirectory

from portal_app import migrations
from portal_app.settings import settings

SECONDS_TO_START = 120
# Beyond what a process itself takes to stop.
SECONDS_TO_KILL = 20
# A process that dies at once is not started again at once.
PAUSE_SECONDS = 2.0
WORKER = 0

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Child:
    """One process. It ends with this one, however that ends: it reads the end of its input."""

    process: Process
    began: float = field(default_factory=time.monotonic)


def supervise() -> None:
    """Serve by several processes until SIGTERM or SIGINT."""
    try:
        # It would not hinder another portal at the same port from sharing it.
        _socket(reuse_port=False).close()
    except OSError as fault:
        raise SystemExit(f"PORTAL_PORT: {settings().port} can't be listened on: {fault.strerror}.") from None
    with TemporaryDirectory(prefix="portal-") as folder:
        started = asyncio.run(Supervisor(folder).run())
    if not started:
        raise SystemExit("The server's processes could not start; the lines above say why.")


def _socket(*, reuse_port: bool) -> socket.socket:
    """Bound, but nobody is let in before the process listens."""
    host, port = settings().host, settings().port
    made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    # Or what remains of the last start's connections would be in the way for a minute; they have it from this socket.
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, int(reuse_port))
    made.bind((host, port))
    return made


class Supervisor:
    """Which process serves in which place: the worker in place 0, servers from 1."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._sockets: dict[int, socket.socket] = {}
        self._places: dict[int, Child] = {}
        self._running: set[Child] = set()
        self._ending = asyncio.Event()
        self._changing = asyncio.Lock()
        self._tasks: set[asyncio.Future[None]] = set()

    async def run(self) -> bool:
        """Until a signal; False when the processes could not start."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._ending.set)
        loop.add_signal_handler(signal.SIGHUP, lambda: self._go(self._renew()))
        try:
            places = range(settings().processes + 1)
            async with self._changing:
                started = all(await asyncio.gather(*map(self._fill, places)))
            if started:
                for place in places:
                    self._go(self._keep(place))
                await self._ending.wait()
            return started or self._ending.is_set()
        finally:
            self._ending.set()
            for place in list(self._sockets):
                self._close(place)
            await asyncio.gather(*map(self._end, list(self._running)))

    def _go(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _fill(self, place: int) -> bool:
        """Start a process for the place; whether it serves. Else the place stays as it was."""
        child = await (self._start_worker() if place == WORKER else self._start_server(place))
        if child is not None:
            self._places[place] = child
        return child is not None

    async def _keep(self, place: int) -> None:
        """Start the place's process again when it dies."""
        while not self._ending.is_set():
            child = self._places[place]
            code = await child.process.wait()
            async with self._changing:
                if self._ending.is_set() or self._places[place] is not child:
                    continue
                log.error("Process %s in place %s ended by itself (%s).", child.process.pid, place, code)
                # Who comes goes to the others until there is a new one.
                self._close(place)
                if time.monotonic() - child.began < 2 * PAUSE_SECONDS:
                    await self._rest()
                while not self._ending.is_set() and not await self._fill(place):
                    await self._rest()

    def _close(self, place: int) -> None:
        if (made := self._sockets.pop(place, None)) is not None:
            made.close()

    async def _rest(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(PAUSE_SECONDS):
                await self._ending.wait()

    async def _renew(self) -> None:
        """Replace all, one by one."""
        async with self._changing:
            for place in sorted(self._places, reverse=True):
                old = self._places[place]
                if place == WORKER:
                    # What it has in hand goes to the next one.
                    await self._end(old)
                if not await self._fill(place):
                    log.error("The new process for place %s did not start. Those that are left stay.", place)
                    return
                await self._end(old)
            log.info("All processes are new.")

    async def _start_server(self, place: int) -> Child | None:
        if place not in self._sockets:
            self._sockets[place] = _socket(reuse_port=True)
        ready, said = os.pipe()
        numbers = self._sockets[place].fileno(), said
        words = ("portal_app.listening", *numbers, place, self._folder)
        try:
            child = await self._start(*map(str, words), pass_fds=numbers)
        finally:
            os.close(said)
        if await _is_ready(ready):
            return child
        return await self._end(child)

    async def _start_worker(self) -> Child:
        return await self._start("portal_app", "worker", "--beside-server")

    async def _start(self, *words: str, pass_fds: tuple[int, ...] = ()) -> Child:
        # Relative paths in settings are from where the server was started; the portal's code may be elsewhere.
        environment = os.environ | {"PYTHONPATH": str(migrations.ROOT)}
        command = (sys.executable, "-m", *words)
        child = Child(await asyncio.create_subprocess_exec(*command, stdin=PIPE, env=environment, pass_fds=pass_fds))
        self._running.add(child)
        return child

    async def _end(self, child: Child) -> None:
        if child.process.returncode is None:
            child.process.terminate()
            try:
                await asyncio.wait_for(child.process.wait(), settings().stop_seconds + SECONDS_TO_KILL)
            except TimeoutError:
                child.process.kill()
                await child.process.wait()
        self._running.discard(child)


async def _is_ready(pipe: int) -> bool:
    """Whether the process at the other end says that it serves, before it ends or takes too long."""
    loop = asyncio.get_running_loop()
    said: asyncio.Future[bool] = loop.create_future()
    loop.add_reader(pipe, lambda: said.done() or said.set_result(bool(os.read(pipe, 1))))
    try:
        return await asyncio.wait_for(said, SECONDS_TO_START)
    except TimeoutError:
        return False
    finally:
        loop.remove_reader(pipe)
        os.close(pipe)
