"""`assent sweep --daemon`: sweep again and again, unattended, within the guards."""

from __future__ import annotations

import json
import signal
import sys
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import click

from assent.domain.errors import AssentError, Refused
from assent.domain.instants import format_instant
from assent.interfaces.api.health import Metrics, serving_health
from assent.services.detector.watch import newest_drift
from assent.services.guard.daemon import sweep_on
from assent.services.guard.health import Health, health
from assent.services.guard.lease import alone

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from assent.store.records import Round
    from assent.wiring import Wiring

_COUNTED = 10_000
"""Open erasures are counted up to here: each is a batch of thousands of parts, and one hour's worth is an alarm."""


def run_daemon(wiring: Wiring, *, every: timedelta, port: int, rounds: int | None = None) -> int:
    """Sweep until SIGTERM or Ctrl-C, or for so many rounds of ours. Raises `Refused` before it starts or not at all."""
    half = timedelta(hours=wiring.settings.clock_ahead_hours) / 2
    if not timedelta(seconds=1) <= every <= half:
        fix = "with longer pauses the guard of the clock would stop every round"
        raise Refused(f"`--every` is not between a second and half of `clock_ahead_hours` ({half})", fix)
    stop = Event()
    world = wiring.sweep_world(stop.is_set)
    lead = wiring.lead
    watcher = _Watcher(wiring, stop, rounds)
    with _only_one(wiring), _stopped_by_signals(stop), serving_health(port, watcher.asked, watcher.health) as at:
        click.echo(f"sweeping, parts {lead.days} days ahead of their end; health at http://127.0.0.1:{at}/healthz")
        sys.stdout.flush()
        sweep_on(world, every, stop, watcher)
    click.echo("stopped")
    return 0


class _Watcher:
    """Prints one JSON line a round on standard error, and keeps the metrics."""

    def __init__(self, wiring: Wiring, stop: Event, rounds: int | None) -> None:
        self._wiring = wiring
        self._stop = stop
        self._left = rounds
        self._metrics = Metrics()

    def round_ended(self, done: Round) -> None:
        self._metrics.round_ended(done)
        self._say(
            stage=done.stage,
            stopped_by=done.stopped_by,
            plan=done.plan,
            due=done.due,
            erased=done.erased,
            late=done.late,
            overdue=done.overdue,
        )
        if self._left is not None:
            self._left -= 1
            if self._left <= 0:
                self._stop.set()

    def stood_by(self) -> None:
        self._say(stage="standing by")

    def lease_lost(self) -> None:
        self._metrics.lease_lost()
        self._say(stage="lease lost")

    def failed(self, problem: Exception) -> None:
        self._metrics.failed()
        self._say(
            stage="failed", stopped_by=problem.message if isinstance(problem, AssentError) else type(problem).__name__
        )

    def asked(self) -> Metrics:
        """Bring the metrics up to date: another daemon may have done the last round."""
        store, now = self._wiring.store, self._wiring.now()
        if last := store.last_round():
            self._metrics.saw(last, now)
        self._metrics.owed(len(store.open_erasures(0, _COUNTED)), store.open_obligations())
        if (moved := newest_drift(store)) is not None and moved.index is not None:
            self._metrics.drifted(moved.detector, moved.index)
        return self._metrics

    def health(self) -> Health:
        """Judge by the newest heartbeat of all daemons."""
        return health(self._wiring.store, self._wiring.now())

    def _say(self, **line: object) -> None:
        click.echo(json.dumps({"at": format_instant(self._wiring.now()), **line}), err=True)


def _only_one(wiring: Wiring) -> AbstractContextManager[None]:
    """Be the only daemon of a SQLite store; PostgreSQL has leases."""
    where = wiring.settings.database
    return alone(where.with_name(f"{where.name}.sweeping")) if isinstance(where, Path) else nullcontext()


@contextmanager
def _stopped_by_signals(stop: Event) -> Iterator[None]:
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
