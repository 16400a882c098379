"""What a monitor asks of the daemon: `/healthz` for yes or no with reasons, `/metrics` for Prometheus."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from assent.services.guard.health import Health
    from assent.store.records import Round

_LOOPBACK: Final = "127.0.0.1"
_SECONDS: Final = (0.1, 0.5, 1, 5, 15, 60, 300, 900, 3_600)
"""Bounds of the histogram of rounds: an idle one takes a fraction of a second, a million parts some minutes."""


class Metrics:
    """What Prometheus is told. Labels are names of guards and derived stores, never of people or conversations."""

    def __init__(self) -> None:
        """Begin with nothing counted."""
        to = self._registry = CollectorRegistry()
        self._overdue = Gauge("assent_overdue_parts", "Parts past their erase_by that no hold covers.", registry=to)
        self._oldest = Gauge(
            "assent_oldest_overdue_seconds", "Age of the oldest overdue part; 0 if none is.", registry=to
        )
        self._late = Gauge("assent_late_parts", "Parts ripe for longer than a sweep may lag.", registry=to)
        self._left = Gauge("assent_first_end_seconds", "Seconds until the first ripe part must be gone.", registry=to)
        self._beat = Gauge("assent_heartbeat_timestamp_seconds", "When the last round ended.", registry=to)
        self._erased = Counter("assent_erased_parts", "Parts erased by this daemon.", registry=to)
        self._open = Gauge("assent_open_erasures", "Erasures without a receipt.", registry=to)
        self._owed = Gauge("assent_open_obligations", "Erasures that a derived store owes.", ["store"], registry=to)
        self._drift = Gauge(
            "assent_detector_drift", "How far scores moved (stability index).", ["detector"], registry=to
        )
        self._trips = Counter("assent_guard_trips", "Rounds stopped by a guard.", ["guard"], registry=to)
        self._failed = Counter("assent_failed_rounds", "Rounds in which something broke.", registry=to)
        self._lost = Counter("assent_lease_lost", "Rounds whose lease somebody else took.", registry=to)
        self._seconds = Histogram("assent_round_seconds", "How long rounds took.", buckets=_SECONDS, registry=to)

    def round_ended(self, done: Round) -> None:
        """Take in a round of this daemon."""
        self.saw(done, done.ended_at)
        self._erased.inc(done.erased)
        self._seconds.observe((done.ended_at - done.began_at).total_seconds())
        if done.stage == "stopped":
            for guard in done.stopped_by.split():
                self._trips.labels(guard).inc()
        if done.stage == "failed":
            self._failed.inc()

    def saw(self, last: Round, now: datetime) -> None:
        """Take in the newest round of all daemons that share the store."""
        self._overdue.set(last.overdue)
        self._late.set(last.late)
        self._oldest.set((now - last.oldest_overdue).total_seconds() if last.oldest_overdue else 0)
        self._left.set((last.first_end - now).total_seconds() if last.first_end else float("inf"))
        self._beat.set(last.ended_at.timestamp())

    def owed(self, erasures: int, obligations: Mapping[str, int]) -> None:
        """Take in what erasures still owe: how many have no receipt, and what each derived store has to remove."""
        self._open.set(erasures)
        self._owed.clear()
        for store, count in obligations.items():
            self._owed.labels(store).set(count)

    def drifted(self, detector: str, index: float) -> None:
        """Take in how far the scores of the version that decides have moved (population stability index)."""
        self._drift.clear()
        self._drift.labels(detector).set(index)

    def lease_lost(self) -> None:
        """Count a lease that somebody else took."""
        self._lost.inc()

    def failed(self) -> None:
        """Count a round that could not be written down."""
        self._failed.inc()

    def text(self) -> bytes:
        """Write everything as Prometheus reads it."""
        return generate_latest(self._registry)


@contextmanager
def serving_health(port: int, metrics: Callable[[], Metrics], health: Callable[[], Health]) -> Iterator[int]:
    """Answer `/healthz` and `/metrics` on this machine alone, at `port` (0: any that is free); yields the port."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/metrics":
                self._send(200, CONTENT_TYPE_LATEST, metrics().text())
            elif self.path == "/healthz":
                found = health()
                body = json.dumps({"well": found.well, "problems": list(found.problems)}).encode()
                self._send(200 if found.well else 503, "application/json", body)
            else:
                self._send(404, "text/plain; charset=utf-8", b"ask for /healthz or /metrics\n")

        def _send(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            """Keep quiet: a monitor asks every few seconds."""

    with ThreadingHTTPServer((_LOOPBACK, port), Answers) as server:
        server.daemon_threads = True
        beside = threading.Thread(target=server.serve_forever, name="health", daemon=True)
        beside.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            beside.join()
