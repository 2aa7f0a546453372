"""Does the jobs of the queue: a few at once, each in a thread, beside the server or as a process of its own."""

import logging
import threading
import traceback
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event
from typing import Any

from portal_app import db, traces
from portal_app.errors import PortalError
from portal_app.jobs import queue
from portal_app.models import Job, JobState

BEAT_SECONDS = 2.0
IDLE_SECONDS = 1.0
BROKEN = "Something went wrong on our side. The portal's log says more."

log = logging.getLogger(__name__)
Handler = Callable[["Work"], Mapping[str, Any] | None]


class Canceled(Exception):
    """Somebody asked to stop the job, and it has stopped."""


@dataclass
class Work:
    """A job in hand. `progress` is what the pages show of it: assign a new mapping, it is stored with the next beat.

    `stop` is set when somebody asked to cancel, when the worker ends, or when the job was lost to another.
    """

    job: Job
    stop: Event = field(default_factory=Event)
    progress: Mapping[str, Any] = field(default_factory=dict)
    # The handler itself has ended the job (`queue.finish`) together with its effect.
    has_ended: bool = False
    # Somebody asked to cancel it. Who only lost the worker begins anew with the next.
    is_canceled: bool = False

    def check(self) -> None:
        """Raise Canceled when the job has to stop."""
        if self.stop.is_set():
            raise Canceled


class Worker:
    """Claims jobs of the kinds in `handlers` and does them, `at_once` at a time, until it is told to stop.

    A handler gives what the job's `result` keeps; a PortalError that it raises is the job's fault in words.
    """

    def __init__(self, handlers: Mapping[str, Handler], at_once: int) -> None:
        self._handlers = handlers
        self._at_once = at_once
        self._ending = Event()
        self._free = threading.Semaphore(at_once)

    def stop(self) -> None:
        """Take no more jobs, and stop those in hand."""
        self._ending.set()

    def run(self) -> None:
        """Work until `stop`. Blocking."""
        with ThreadPoolExecutor(self._at_once, thread_name_prefix="job") as pool:
            while not self._ending.is_set():
                if not self._take(pool):
                    self._ending.wait(IDLE_SECONDS)

    def run_due(self) -> int:
        """Do what is due now, one after the other, and give how many (tests, and the command line)."""
        done = 0
        while (job := db.write(queue.claim, self._handlers.keys())) is not None:
            self._do(job)
            done += 1
        return done

    def _take(self, pool: ThreadPoolExecutor) -> bool:
        if not self._free.acquire(timeout=IDLE_SECONDS):
            return True
        job = None
        try:
            # Most looks find nothing: they are not to wait for the one who writes, nor hold him up.
            if db.read(queue.is_any_due, self._handlers.keys()):
                job = db.write(queue.claim, self._handlers.keys())
        except Exception as fault:
            _note("Claiming a job", fault)
        if job is None:
            self._free.release()
            return False
        pool.submit(self._do, job).add_done_callback(lambda _: self._free.release())
        return True

    def _do(self, job: Job) -> None:
        traces.begin()
        work, ended = Work(job), Event()
        beats = threading.Thread(target=self._keep_alive, args=(work, ended), daemon=True)
        beats.start()
        try:
            self._finish(work, *self._outcome(work, ended, beats))
        except queue.Lost:
            log.info("Job %s (%s) was another's by the time it ended.", job.id, job.kind)
        except Exception as fault:
            _note(f"Ending job {job.id} ({job.kind})", fault)

    def _outcome(self, work: Work, ended: Event, beats: threading.Thread) -> tuple[JobState, Mapping[str, Any], str]:
        try:
            return JobState.DONE, self._handlers[work.job.kind](work) or {}, ""
        except Canceled:
            return JobState.CANCELED, {}, "Canceled."
        except PortalError as fault:
            return JobState.FAILED, {}, fault.sentence
        except Exception as fault:
            _note(f"Job {work.job.id} ({work.job.kind})", fault)
            return JobState.FAILED, {}, BROKEN
        finally:
            ended.set()
            beats.join()

    def _finish(self, work: Work, state: JobState, result: Mapping[str, Any], fault: str) -> None:
        if work.has_ended:
            return
        if state == JobState.CANCELED and not work.is_canceled:
            db.write(queue.give_back, work.job)
        else:
            db.write(queue.finish, work.job, state, result=result, fault=fault)

    def _keep_alive(self, work: Work, ended: Event) -> None:
        while not ended.wait(BEAT_SECONDS):
            try:
                if db.write(queue.beat, work.job, work.progress):
                    work.is_canceled = True
                if work.is_canceled or self._ending.is_set():
                    work.stop.set()
            except queue.Lost:
                work.stop.set()
                return
            except Exception as fault:
                _note("Renewing a job's lease", fault)


def _note(what: str, fault: Exception) -> None:
    where = "".join(traceback.format_tb(fault.__traceback__))
    log.error("%s met %s.\n%s", what, type(fault).__name__, where)
