"""What monitoring reads at /metrics. No label is ever the name, address or number of anybody."""

import platform
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    PlatformCollector,
    ProcessCollector,
    Summary,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
# The first part of a path, if it is one of these; else it is a page. A closed list: anybody may make up paths.
_AREAS = frozenset({"api", "assets", "auth", "billing", "brand", "compat", "content", "files", "webhooks"})
_HEALTH = frozenset({"/healthz", "/readyz", "/metrics"})
_SECONDS = (0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0)

# A series more for each one, which says nothing that the start of the process does not.
disable_created_metrics()
REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)
_build = Info("portal_build", "What runs here.", registry=REGISTRY)
_requests = Counter("portal_http_requests", "Answered requests.", ["area", "status"], registry=REGISTRY)
_request_seconds = Histogram(
    "portal_http_request_seconds",
    "From request to end of answer.",
    ["area"],
    buckets=_SECONDS,
    registry=REGISTRY,
)
_events = Counter("portal_events", "Handled events of open pages.", ["handler", "outcome"], registry=REGISTRY)
_event_seconds = Summary("portal_event_seconds", "Time in a handler.", ["handler"], registry=REGISTRY)
_all_events_seconds = Histogram(
    "portal_all_events_seconds", "Time in all handlers.", buckets=_SECONDS, registry=REGISTRY
)
_events_running = Gauge("portal_events_running", "Events in hand.", registry=REGISTRY)
_sockets = Gauge("portal_sockets", "Open pages.", registry=REGISTRY)
_jobs = Gauge("portal_jobs", "Jobs of the queue; failed: within a day.", ["state"], registry=REGISTRY)
_mail = Gauge("portal_outbox_waiting", "Mails that wait for the mail server.", registry=REGISTRY)
_cycle = Gauge("portal_last_cycle_timestamp_seconds", "When a day's daily work was last done.", registry=REGISTRY)
_worker = Gauge("portal_worker_seen_timestamp_seconds", "When a worker was last seen; 0: never.", registry=REGISTRY)
# The same whichever process reads it.
_TOLD = frozenset(
    {
        "portal_jobs",
        "portal_outbox_waiting",
        "portal_last_cycle_timestamp_seconds",
        "portal_worker_seen_timestamp_seconds",
    }
)
_shared: tuple[Path, str] | None = None


def request_ended(path: str, status: int, seconds: float) -> None:
    """Count an answered request."""
    first = path.split("/", 2)[1] if path.startswith("/") else ""
    area = "health" if path in _HEALTH else first if first in _AREAS else "page"
    _requests.labels(area, str(status)).inc()
    _request_seconds.labels(area).observe(seconds)


def event_ended(handler: str, outcome: str, seconds: float) -> None:
    """Count a handled event. `handler` is one that is registered; `outcome`: done, refused, failed or left."""
    events, event_seconds = _of_event(handler, outcome)
    events.inc()
    event_seconds.observe(seconds)
    _all_events_seconds.observe(seconds)


@cache
def _of_event(handler: str, outcome: str) -> tuple[Counter, Summary]:
    return _events.labels(handler, outcome), _event_seconds.labels(handler)


def event() -> AbstractContextManager[object]:
    """Until the block ends, an event is in hand."""
    return _events_running.track_inprogress()


def socket() -> AbstractContextManager[object]:
    """Until the block ends, a page is open."""
    return _sockets.track_inprogress()


def told(jobs: Iterable[tuple[str, int]], mail: int, cycle: float, worker: float) -> None:
    """What the database and the data folder say."""
    for state, count in jobs:
        _jobs.labels(state).set(count)
    _mail.set(mail)
    _cycle.set(cycle)
    _worker.set(worker)


def build_is(build: str, database: str) -> None:
    """What was started: the digest of its sources, and the kind of its database."""
    _build.info({"sources": build[:12], "database": database, "python": platform.python_version()})


def text() -> bytes:
    """All of it, as Prometheus reads it; of several processes with the place of each."""
    return generate_latest(_All(*_shared) if _shared and write() else REGISTRY)


def share(folder: Path, place: str) -> None:
    """This process is one of several, which tell each other here."""
    global _shared  # noqa: PLW0603 (one place of the process)
    _shared = folder, place


def write() -> bool:
    """Tell the other processes; False when this one is alone."""
    if _shared is None:
        return False
    folder, place = _shared
    draft = folder / f"{place}.new"
    draft.write_bytes(generate_latest(REGISTRY))
    draft.replace(folder / f"{place}.prom")
    return True


class _All(Collector):
    """What all processes say, each sample with its process; the portal's own state is what this one has just read."""

    def __init__(self, folder: Path, place: str) -> None:
        self._folder, self._place = folder, place

    def collect(self) -> Iterator[Metric]:
        found: dict[str, Metric] = {}
        for file in sorted(self._folder.glob("*.prom")):
            for family in text_string_to_metric_families(file.read_text()):
                if family.name not in _TOLD:
                    mark = {"process": file.stem}
                elif file.stem == self._place:
                    mark = {}
                else:
                    continue
                kept = found.setdefault(family.name, Metric(family.name, family.documentation, family.type))
                kept.samples += [sample._replace(labels=sample.labels | mark) for sample in family.samples]
        yield from found.values()
