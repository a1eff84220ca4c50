"""Numbers for Prometheus: ``/metrics``.

* Counted by each worker into files that all of them share (prometheus_client's multiprocess mode, where
  ``PROMETHEUS_MULTIPROC_DIR`` is set by `rakkan serve`), so that any of them answers for all.
* What can be asked for at any time, the state of each production, is asked when somebody scrapes.
* Every label is one of a list of ours: declared routes, methods, status codes, error codes, productions.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from cryptography import x509
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from ledger.codes import CODES
from ledger.wiring.readiness import Readiness
from ledger.wiring.state import Number, Numbers

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
FRESH = 5.0
"""Seconds for which the state of the productions is taken for true."""
_TIMES = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_OWN = CollectorRegistry()

REQUESTS = Counter("rakkan_requests", "Requests answered.", ["method", "route", "status"], registry=_OWN)
PROBLEMS = Counter("rakkan_problems", "Requests answered with an error.", ["code"], registry=_OWN)
SECONDS = Histogram("rakkan_request_seconds", "Time to answer.", ["route"], buckets=_TIMES, registry=_OWN)
ENTRIES = Counter(
    "rakkan_entries", "Entries offered, by what came of them.", ["production", "outcome"], registry=_OWN
)
COMMITS = Histogram(
    "rakkan_commit_seconds", "Time of a commit.", ["production"], buckets=_TIMES, registry=_OWN
)
SIZES = Histogram(
    "rakkan_commit_entries",
    "Entries of a commit.",
    ["production"],
    buckets=(1, 2, 5, 10, 25, 50, 100, 250, 500, 1000),
    registry=_OWN,
)
WAITING = Gauge(
    "rakkan_entries_waiting",
    "Entries that wait for a commit.",
    ["production"],
    multiprocess_mode="livesum",
    registry=_OWN,
)
STATE = {
    "rakkan_ready": "1 where a check of /ready is well.",
    "rakkan_log_entries": "Entries in the log.",
    "rakkan_published_entries": "Entries under the published checkpoint.",
    "rakkan_published_age_seconds": "Since the published checkpoint was written; absent for S3.",
    "rakkan_witness_quorum": "1 where the newest cosigned checkpoint has its quorum.",
    "rakkan_witnesses_missing": "Witnesses that have not cosigned it.",
    "rakkan_witness_quorum_age_seconds": "Since its newest cosignature.",
    "rakkan_alarms_open": "Alarms that nobody has closed.",
    "rakkan_disk_free_bytes": "Free space where the home lies.",
    "rakkan_backup_age_seconds": "Since the last `rakkan backup`; absent before the first.",
    "rakkan_devices": "Devices with records: known, silent for a week, or with gaps or two histories.",
    "rakkan_device_records_missing": "Records that devices numbered and the log does not have.",
    "rakkan_webhooks": "Webhooks: delivering, failing, or paused.",
    "rakkan_certificate_not_after_seconds": "When the TLS certificate ends (POSIX time); absent without TLS.",
}


class ProductionTally:
    """Counts what becomes of one production's entries. See ``sequencer.Tally``."""

    def __init__(self, production: str) -> None:
        self._production = production

    def entries(self, outcome: str, count: int) -> None:
        """Count entries by what came of them."""
        ENTRIES.labels(self._production, outcome).inc(count)

    def commit(self, entries: int, seconds: float) -> None:
        """Count a commit."""
        COMMITS.labels(self._production).observe(seconds)
        SIZES.labels(self._production).observe(entries)


def count_request(method: str, route: str, status: int, code: str | None, seconds: float) -> None:
    """Count an answer. ``method`` and ``route`` are of our lists."""
    count, time_taken = _of_route(method, route, status)
    count.inc()
    time_taken.observe(seconds)
    if code in CODES:
        PROBLEMS.labels(code).inc()


@lru_cache(maxsize=4096)
def _of_route(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    return REQUESTS.labels(method, route, str(status)), SECONDS.labels(route)


class Scrape(Collector):
    """The state of everything that is served, asked at most once in ``FRESH`` seconds."""

    def __init__(
        self, readiness: Readiness, states: Sequence[tuple[str, Numbers]], certificate: Path | None
    ) -> None:
        self._readiness = readiness
        self._states = states
        self._certificate = certificate
        self._lock = threading.Lock()
        self._kept: tuple[float, list[Number]] = (float("-inf"), [])

    def text(self) -> bytes:
        """Return everything in Prometheus' text format."""
        registry = CollectorRegistry()
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # prometheus_client gives it no types
            registry.register(self)
            return generate_latest(registry)
        registry.register(self)
        return generate_latest(_OWN) + generate_latest(registry)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the gauges."""
        with self._lock:
            if time.monotonic() - self._kept[0] > FRESH:
                self._kept = (time.monotonic(), list(self._numbers()))
            found = self._kept[1]
        for name, words in STATE.items():
            numbers = [number for number in found if number.name == name]
            if numbers:
                family = GaugeMetricFamily(name, words, labels=list(numbers[0].labels))
                for number in numbers:
                    family.add_metric(list(number.labels.values()), number.value)
                yield family

    def _numbers(self) -> Iterator[Number]:
        for one in self._readiness.findings():
            yield Number("rakkan_ready", one.well, {"production": one.production, "check": one.check})
        for production, state in self._states:
            for number in state.numbers():
                yield Number(number.name, number.value, {"production": production, **number.labels})
        if self._certificate is not None:
            leaf = x509.load_pem_x509_certificate(self._certificate.read_bytes())
            yield Number("rakkan_certificate_not_after_seconds", leaf.not_valid_after_utc.timestamp())
